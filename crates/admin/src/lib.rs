//! The address for operators: is it well, is it ready, what did it count.
//!
//! | path | answers |
//! |---|---|
//! | `/healthz` | 200 while the process lives, with the flags in force, what is wrong with a newer file, and how the ledger is |
//! | `/readyz` | 200 once flags are in force and until it drains, else 503 with the reasons: one line each |
//! | `/metrics` | counters, in the text format of Prometheus |

mod connections;
mod health;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flagstaff_flags::{visible, visible_json};
pub use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

pub use crate::health::{FlagsHealth, Health, LedgerHealth, LedgerStatus, Status};

/// How often what was measured is added up.
const UPKEEP: Duration = Duration::from_secs(5);

/// What the pages are made of.
struct Inner {
    health: Box<dyn Fn() -> Health + Send + Sync>,
    metrics: PrometheusHandle,
    more: Box<dyn Fn() -> String + Send + Sync>,
}

/// The operators' pages.
#[derive(Clone)]
pub struct Admin(Arc<Inner>);

impl Admin {
    /// Pages that ask `health` anew each time, and render what `metrics` has counted, followed by `more` in the same format.
    pub fn new(
        health: impl Fn() -> Health + Send + Sync + 'static,
        metrics: PrometheusHandle,
        more: impl Fn() -> String + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner { health: Box::new(health), metrics, more: Box::new(more) }))
    }

    /// The routes.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(self.clone())
    }

    /// Serves until `stop` is done: 64 connections at once, each with 5 seconds for a head and a minute in all.
    pub async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = connections::serve(listener, self.router(), stop) => {}
            () = regularly(|| self.0.metrics.run_upkeep()) => {}
        }
    }
}

/// Measured values wait one by one until they are added up; where nobody asks for them, that must be done anyway.
async fn regularly(work: impl Fn()) {
    let mut often = tokio::time::interval(UPKEEP);
    loop {
        often.tick().await;
        work();
    }
}

async fn healthz(State(admin): State<Admin>) -> Response {
    let json = serde_json::to_string(&(admin.0.health)()).unwrap_or_default();
    let format = HeaderValue::from_static("application/json");
    fresh(([(header::CONTENT_TYPE, format)], visible_json(&json).into_owned()))
}

async fn readyz(State(admin): State<Admin>) -> Response {
    let health = (admin.0.health)();
    if health.ready {
        let waiting =
            health.waiting_for_ledger.iter().map(|flag| format!("off until the ledger answers: {}\n", visible(flag)));
        return fresh(format!("ready\n{}", waiting.collect::<String>()));
    }
    let reasons = health.not_ready.iter().map(|reason| format!("not ready: {}\n", visible(reason)));
    fresh((StatusCode::SERVICE_UNAVAILABLE, reasons.collect::<String>()))
}

async fn metrics(State(admin): State<Admin>) -> Response {
    admin.0.metrics.run_upkeep();
    let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    fresh(([(header::CONTENT_TYPE, format)], admin.0.metrics.render() + &(admin.0.more)()))
}

/// None of these answers is worth keeping.
fn fresh(answer: impl IntoResponse) -> Response {
    let mut answer = answer.into_response();
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn ask(health: Health, path: &str) -> (StatusCode, String) {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            metrics::counter!("seen_total", "why" => "test").increment(3);
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

    #[tokio::test]
    async fn unfinished_connections_have_their_time_and_number() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let router = Router::new().route("/healthz", get(|| async { "fine" }));
        let serving = tokio::spawn(connections::serve(listener, router, async { drop(stopped.await) }));
        let mut held = Vec::new();
        for _ in 0..connections::CONNECTIONS + 5 {
            let mut io = tokio::net::TcpStream::connect(address).await.unwrap();
            io.write_all(b"G").await.unwrap();
            held.push(io);
        }
        let mut last = tokio::net::TcpStream::connect(address).await.unwrap();
        last.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(6 * connections::HEAD, last.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        drop((stop, held));
        serving.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_measured_does_not_pile_up_where_nobody_asks() {
        let added_up = std::cell::Cell::new(0);
        let hour = Duration::from_secs(3600);
        let ended = tokio::time::timeout(hour, regularly(|| added_up.set(added_up.get() + 1))).await;
        assert!(ended.is_err() && added_up.get() >= 720, "{}", added_up.get());
    }
}
