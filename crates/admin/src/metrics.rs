//! `/metrics`: what was counted, in the text format of Prometheus.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::response::no_store;

/// How often measured values are added up.
const UPKEEP: Duration = Duration::from_secs(5);

/// The route: what the recorder of `metrics` has counted, followed by `more` in the same format.
pub(crate) fn router(metrics: PrometheusHandle, more: impl Fn() -> String + Send + Sync + 'static) -> Router {
    let more = Arc::new(more);
    let render = move || async move {
        metrics.run_upkeep();
        // what it begins to count is rendered at once
        let more = more();
        let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        no_store(([(header::CONTENT_TYPE, format)], metrics.render() + &more))
    };
    Router::new().route("/metrics", get(render))
}

/// Does the work of upkeep at regular times: measured values wait one by one until they are added up, also where nobody asks for them.
pub(crate) async fn upkeep(work: impl Fn()) {
    let mut often = tokio::time::interval(UPKEEP);
    loop {
        often.tick().await;
        work();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_measured_does_not_pile_up_where_nobody_asks() {
        let added_up = std::cell::Cell::new(0);
        let hour = Duration::from_secs(3600);
        let ended = tokio::time::timeout(hour, upkeep(|| added_up.set(added_up.get() + 1))).await;
        assert!(ended.is_err() && added_up.get() >= 720, "{}", added_up.get());
    }
}
