//! The layer around services that answer, refuse, wait and fail.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a test may fail loudly, and service_fn hands requests over"
)]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use flagstaff_flags::{Flag, Name, Publisher, Snapshot, publisher};
use flagstaff_layer::{EndpointLayer, FlagLayer, Flags, Tagger, TaggerSettings};
use http::{Request, Response, StatusCode};
use tower::{Layer, Service, ServiceExt, service_fn};

fn snapshot(revision: &str, enabled: bool) -> Snapshot {
    let flag = |name: &str| Flag { enabled, client: true, ..Flag::new(Name::new(name).unwrap()) };
    Snapshot::new(revision, vec![flag("one"), flag("two")], Vec::new(), Vec::new(), Vec::new()).unwrap()
}

fn layer() -> (Publisher, FlagLayer) {
    let (publisher, reader) = publisher(snapshot("first", true));
    let tagger = Tagger::new(&TaggerSettings::default()).unwrap();
    (publisher, FlagLayer::new(reader, Arc::new(tagger)))
}

/// An app that answers with what it got.
fn echo(request: Request<String>) -> Ready<Result<Response<String>, Infallible>> {
    let of = |name| request.headers().get(name).map_or("", |value: &http::HeaderValue| value.to_str().unwrap());
    let text = format!("{} | {}", of("x-flag-one"), of("x-flags"));
    ready(Ok(Response::builder().header("x-flag-event", "bought; value=2").body(text).unwrap()))
}

async fn ask<S, R>(service: &mut S, path: &str) -> Response<R>
where
    S: Service<Request<String>, Response = Response<R>, Error = Infallible>,
{
    let request = Request::get(path).header("x-flag-one", "forged").body(String::new()).unwrap();
    let Ok(answer) = service.ready().await.unwrap().call(request).await;
    answer
}

#[tokio::test]
async fn tags_the_request_and_reads_the_answer() {
    let (_publisher, layer) = layer();
    let answer = ask(&mut layer.layer(service_fn(echo)), "/").await;
    assert_eq!(answer.body(), "on | one=on, two=on");
    assert!(answer.headers().get("x-flag-event").is_none());
    let flags = answer.extensions().get::<Flags>().unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with(&format!("flagstaff_visitor={};", flags.visitor())));
}

#[tokio::test]
async fn a_change_holds_from_the_next_request_on() {
    let (publisher, layer) = layer();
    let mut service = layer.layer(service_fn(echo));
    assert_eq!(ask(&mut service, "/").await.body(), "on | one=on, two=on");
    publisher.publish(&snapshot("second", false));
    let answer = ask(&mut service, "/").await;
    assert_eq!(answer.body(), " | ");
    let revision = |answer: &Response<String>| {
        answer.extensions().get::<Flags>().unwrap().decisions().snapshot().revision().to_owned()
    };
    assert_eq!(revision(&answer), "second");
}

#[tokio::test]
async fn one_request_has_one_snapshot_while_others_publish() {
    let (publisher, layer) = layer();
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || {
            let mut round = 0;
            while !stop.load(Ordering::Relaxed) {
                round += 1;
                publisher.publish(&snapshot(&format!("round {round}"), round % 2 == 0));
            }
        })
    };
    let mut service = layer.layer(service_fn(|request: Request<String>| {
        let flags = request.extensions().get::<Flags>().unwrap().clone();
        let told = request.headers().get("x-flags").map_or("", |value| value.to_str().unwrap());
        assert_eq!(told, if flags.is_on("one") { "one=on, two=on" } else { "" });
        assert!(Arc::ptr_eq(flags.compiled().snapshot(), flags.decisions().snapshot()));
        assert_eq!(flags.is_on("one"), flags.is_on("two"));
        ready(Ok::<_, Infallible>(Response::new(String::new())))
    }));
    for _ in 0..2000 {
        ask(&mut service, "/").await;
    }
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
}

/// Is ready the second time it is asked, and fails when called.
struct Slow {
    asked: bool,
    broken: bool,
}

impl Service<Request<String>> for Slow {
    type Response = Response<Text>;
    type Error = &'static str;
    type Future = Ready<Result<Response<Text>, &'static str>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        if self.broken {
            return Poll::Ready(Err("never ready"));
        }
        if std::mem::replace(&mut self.asked, true) {
            return Poll::Ready(Ok(()));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, _: Request<String>) -> Self::Future {
        ready(Err("failed"))
    }
}

#[tokio::test]
async fn readiness_and_errors_pass_through() {
    let (_publisher, layer) = layer();
    let mut slow = layer.layer(EndpointLayer.layer(Slow { asked: false, broken: false }));
    let mut cx = Context::from_waker(std::task::Waker::noop());
    assert_eq!(slow.poll_ready(&mut cx), Poll::Pending);
    assert_eq!(slow.poll_ready(&mut cx), Poll::Ready(Ok(())));
    assert_eq!(slow.call(Request::new(String::new())).await.unwrap_err(), "failed");
    let mut broken = layer.layer(Slow { asked: true, broken: true });
    assert_eq!(broken.poll_ready(&mut cx), Poll::Ready(Err("never ready")));
}

/// A body that can be made of bytes.
#[derive(Debug, PartialEq)]
struct Text(Bytes);

impl From<Bytes> for Text {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

#[tokio::test]
async fn the_visitors_own_endpoints_never_reach_the_app() {
    let (_publisher, layer) = layer();
    let app = service_fn(|request: Request<String>| {
        assert!(!request.uri().path().starts_with("/.flagstaff"));
        ready(Ok::<_, Infallible>(Response::new(Text(Bytes::from_static(b"app")))))
    });
    let mut service = layer.layer(EndpointLayer.layer(app));
    let own = ask(&mut service, "/.flagstaff/flags.json").await;
    assert_eq!(
        own.body().0,
        r#"{"flags":{"one":{"value":true,"variant":"on"},"two":{"value":true,"variant":"on"}}}"#
    );
    assert!(own.headers().contains_key("set-cookie"));
    assert_eq!(ask(&mut service, "/.flagstaff/other").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(ask(&mut service, "/").await.body().0, "app");
}

#[tokio::test]
async fn a_layer_inside_another_leaves_the_request_alone() {
    let (_outer_publisher, outer) = layer();
    let (inner_publisher, inner) = layer();
    inner_publisher.publish(&snapshot("inner", false));
    let answer = ask(&mut outer.layer(inner.layer(service_fn(echo))), "/").await;
    assert_eq!(answer.body(), "on | one=on, two=on");
    assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 1);
}

mod with_axum {
    use axum::body::Body;
    use axum::{Router, routing};
    use flagstaff_layer::VisitorFlags;

    use super::*;

    fn router() -> Router {
        let page = |flags: VisitorFlags| ready(flags.variant("one").to_owned());
        Router::new().route("/", routing::get(page))
    }

    async fn ask(router: Router, path: &str) -> (StatusCode, Response<Body>) {
        let answer = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        (answer.status(), answer)
    }

    #[tokio::test]
    async fn handlers_take_the_flags() {
        let (_publisher, layer) = layer();
        let (status, answer) = ask(router().layer(EndpointLayer).layer(layer.clone()), "/").await;
        assert_eq!((status, answer.headers().contains_key("set-cookie")), (StatusCode::OK, true));
        let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
        assert_eq!(body, "on");
    }

    #[tokio::test]
    async fn a_route_outside_the_layer_says_so() {
        assert_eq!(ask(router(), "/").await.0, StatusCode::INTERNAL_SERVER_ERROR);
    }
}
