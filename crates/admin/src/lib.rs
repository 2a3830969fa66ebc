#![doc = include_str!("../README.md")]

mod access;
mod api;
mod body;
mod clients;
mod context;
mod extract;
mod health;
mod live;
mod metrics;
mod ofrep;
mod origins;
mod pages;
mod response;
mod server;
mod unleash;

use std::future::Future;

use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use axum::{Router, middleware};
use flagstaff_flags::RevisionSource;
pub use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

pub use crate::access::{Access, AccessSettings, REFUSAL_REASONS, REFUSED, new_token};
pub use crate::clients::ClientSettings;
pub use crate::context::Context;
pub use crate::health::{FlagsHealth, Health, LedgerHealth, LedgerStatus, ReplicaHealth, Status};
use crate::origins::Origins;
use crate::response::refusal;

/// The address for operators. Each room has its routes; this puts them together and serves them.
#[derive(Clone)]
pub struct Admin {
    router: Router,
    metrics: PrometheusHandle,
}

impl Admin {
    /// Answers that ask `health` anew each time, and render what `metrics` has counted, followed by `more` in the same format.
    pub fn new(
        health: impl Fn() -> Health + Send + Sync + 'static,
        metrics: PrometheusHandle,
        more: impl Fn() -> String + Send + Sync + 'static,
    ) -> Self {
        let router = health::router(health).merge(metrics::router(metrics.clone(), more));
        Self { router, metrics }
    }

    /// With everything that operators may see and do, for those whom `access` lets in, and with the protocols that `clients` ask in. Health,
    /// readiness and metrics need no token.
    #[must_use]
    pub fn steering(self, context: &Context, access: &Access, clients: ClientSettings) -> Self {
        let routes = api::router(context.clone().edited(RevisionSource::Api))
            .merge(ofrep::router(context.clone()))
            .merge(pages::router(context.clone().edited(RevisionSource::Page)))
            .fallback(nothing_here)
            .method_not_allowed_fallback(wrong_method);
        let unleash = unleash::router(context.clone(), clients.unleash_tokens, access.clone());
        let origins =
            Origins::new([(ofrep::FLAGS, clients.ofrep_origins), (unleash::FRONTEND, clients.unleash_origins)]);
        let guarded = access::guarded(routes, unleash, access);
        let guarded = guarded.layer(middleware::from_fn_with_state(origins, origins::allow));
        Self { router: self.router.merge(guarded), ..self }
    }

    /// The routes, for a server of one's own.
    pub fn router(&self) -> Router {
        self.router.clone().method_not_allowed_fallback(wrong_method).layer(middleware::map_response(access::secured))
    }

    /// Serves until `stop` is done: 64 connections at once, each with 5 seconds for a head, 30 for a body and a minute in all, and 32
    /// streams.
    pub async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = server::serve(listener, self.router(), stop) => {}
            () = metrics::upkeep(|| self.metrics.run_upkeep()) => {}
        }
    }
}

async fn wrong_method(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = flagstaff_flags::brief(uri.path());
    let detail = format!("{path} does not take {method}");
    refusal(&headers, StatusCode::METHOD_NOT_ALLOWED, &detail, "the header Allow says what it takes")
}

async fn nothing_here(uri: Uri, headers: HeaderMap) -> Response {
    let path = flagstaff_flags::brief(uri.path());
    refusal(&headers, StatusCode::NOT_FOUND, &format!("there is nothing at {path}"), "begin at /")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn ask(health: Health, path: &str) -> (StatusCode, String) {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        ::metrics::with_local_recorder(&recorder, || {
            ::metrics::counter!("seen_total", "why" => "test").increment(3);
        });
        let router = Admin::new(move || health.clone(), metrics, || "more_total 7\n".into()).router();
        let answer = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn health(ready: bool, problem: Option<&str>) -> Health {
        let flags = FlagsHealth {
            revision: "abc".into(),
            source: "flags.toml".into(),
            loaded_at: "2026-11-20T12:00:00Z".into(),
            problem: problem.map(Into::into),
        };
        let health = Health::new("1.2.3", Duration::from_secs(90), flags);
        if ready { health } else { health.but("it drains").but("b\u{9b}") }
    }

    #[tokio::test]
    async fn health_tells_of_a_bad_file_and_stays_up() {
        let (status, body) = ask(health(true, Some("line 3: …")), "/healthz").await;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(status, StatusCode::OK);
        assert_eq!(body["status"], "degraded");
        assert_eq!((&body["version"], &body["uptime_seconds"]), (&"1.2.3".into(), &90.into()));
        assert_eq!(body["flags"]["problem"], "line 3: …");
        let (_, body) = ask(health(true, None), "/healthz").await;
        assert!(body.contains("\"status\":\"ok\""));
    }

    #[tokio::test]
    async fn a_ledger_that_is_away_degrades() {
        let with = |status| {
            health(true, None).with_ledger(LedgerHealth {
                status,
                place: "flagstaff.db".into(),
                problem: None,
                written: 7,
                queued: 0,
                dropped: 2,
                replica: None,
            })
        };
        for (ledger, wanted) in
            [(LedgerStatus::Opening, "ok"), (LedgerStatus::Ok, "ok"), (LedgerStatus::Away, "degraded")]
        {
            let (_, body) = ask(with(ledger), "/healthz").await;
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["status"], wanted);
            assert_eq!((&body["ledger"]["written"], &body["ledger"]["dropped"]), (&7.into(), &2.into()));
        }
    }

    #[tokio::test]
    async fn readiness_is_a_status_with_its_reasons() {
        assert_eq!(ask(health(true, None), "/readyz").await, (StatusCode::OK, "ready\n".into()));
        let reasons = "not ready: it drains\nnot ready: b\\u{9b}\n".into();
        assert_eq!(ask(health(false, None), "/readyz").await, (StatusCode::SERVICE_UNAVAILABLE, reasons));
    }

    #[tokio::test]
    async fn metrics_are_rendered() {
        let (_, body) = ask(health(true, None), "/metrics").await;
        assert!(body.contains("seen_total{why=\"test\"} 3\n"), "{body}");
        assert!(body.ends_with("\nmore_total 7\n"), "{body}");
    }
}
