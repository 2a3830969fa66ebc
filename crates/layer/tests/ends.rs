//! How requests end, as observers are told: each once, whatever the service inside does.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::convert::Infallible;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use flagstaff_flags::{Flag, Name, Snapshot, publisher};
use flagstaff_layer::{Answer, AnswerResult, FlagLayer, Observe, RequestContext, Tagger, TaggerSettings};
use http::{Request, Response, StatusCode};
use tower::{Layer, Service, service_fn};

type Answered = Result<Response<Bytes>, Infallible>;
type Inside = Pin<Box<dyn Future<Output = Answered> + Send>>;

/// Keeps how requests ended.
#[derive(Default)]
struct Ends(Mutex<Vec<AnswerResult>>);

impl Observe for Ends {
    fn answered(&self, _: &RequestContext, answer: &Answer<'_>) {
        self.0.lock().unwrap().push(answer.result);
    }
}

/// One request to a service; what is done with its future; and the ends that were told.
fn ends(inside: fn() -> Inside, drive: fn(Pin<&mut dyn Future<Output = Answered>>)) -> Vec<AnswerResult> {
    let snapshot = Snapshot::new("", vec![Flag::new(Name::new("a").unwrap())], vec![], vec![], vec![]).unwrap();
    let (_publisher, reader) = publisher(snapshot);
    let ends = Arc::new(Ends::default());
    let tagger = Arc::new(Tagger::new(&TaggerSettings::default()).unwrap());
    let layer = FlagLayer::new(reader, tagger).watched_by(ends.clone());
    let mut service = layer.layer(service_fn(move |_: Request<String>| inside()));
    let request = Request::get("/")
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
        .header("cookie", "flagstaff_visitor=visitor-number-0000001");
    {
        let future = service.call(request.body(String::new()).unwrap());
        drive(pin!(future));
    }
    ends.0.lock().unwrap().clone()
}

fn poll(future: Pin<&mut dyn Future<Output = Answered>>) -> Poll<Answered> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn broken() -> Inside {
    Box::pin(async { panic!("the handler is broken") })
}

#[test]
fn an_answer_is_told_once() {
    let told = ends(
        || Box::pin(async { Ok(Response::builder().status(404).body(Bytes::new()).unwrap()) }),
        |future| assert!(poll(future).is_ready()),
    );
    assert!(matches!(told[..], [AnswerResult::Answered { status: StatusCode::NOT_FOUND, .. }]), "{told:?}");
}

#[test]
fn a_request_that_nobody_waits_for_is_abandoned() {
    let told = ends(|| Box::pin(pending()), |future| assert!(poll(future).is_pending()));
    assert_eq!(told, [AnswerResult::Abandoned]);
}

/// Layers that catch panics drop the future when all is over; servers drop it while the panic unwinds. It is told before either.
#[test]
fn a_panic_that_is_caught_outside_is_a_failure() {
    let told = ends(broken, |mut future| {
        let caught = catch_unwind(AssertUnwindSafe(|| poll(future.as_mut())));
        assert!(caught.is_err() && !std::thread::panicking());
    });
    assert_eq!(told, [AnswerResult::Failed]);
}
