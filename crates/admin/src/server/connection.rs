//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;

use super::arriving::Arriving;
use super::connection_limit::{Admission, MAX_STREAMS, RequestInProgress};
use super::stream::{MAX_STREAM_TIME, Stream};
use crate::response::{LongLived, problem};

/// How long a head may take, and how long a connection may be idle before the next.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection takes new requests. The answer that is under way then is sent on, for as long as its client takes something of
/// it in that time: an export of all visitors over a slow line.
const MAX_CONNECTION_TIME: Duration = Duration::from_secs(60);

/// How long a client may take no byte that is sent to it. The stream of a laptop that was closed ends then.
#[cfg(target_os = "linux")]
const SILENCE: Duration = Duration::from_secs(30);

/// One connection.
pub(super) struct Connection {
    pub(super) router: Router,
    pub(super) peer: SocketAddr,
    pub(super) admission: Arc<Admission>,
    pub(super) closed: watch::Receiver<bool>,
    /// How many pieces of answers the client took.
    pub(super) taken: Arc<AtomicU64>,
}

impl Connection {
    /// Answers until the client goes, its time is over, or another one needs its place.
    pub(super) async fn serve(self, io: TcpStream) {
        #[cfg(target_os = "linux")]
        let _ = socket2::SockRef::from(&io).set_tcp_user_timeout(Some(SILENCE));
        let begins_stream = Notify::new();
        let service = service_fn(|request| self.answer(request, &begins_stream));
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
        let mut longest = pin!(sleep(MAX_CONNECTION_TIME));
        let mut closed = self.closed.clone();
        let (mut is_closing, mut is_stopping, mut taken) = (false, false, 0);
        loop {
            tokio::select! {
                // how it ended is the operator's to know
                _ = &mut connection => return,
                () = &mut longest => {
                    let before = std::mem::replace(&mut taken, self.taken.load(Relaxed));
                    if is_stopping || (is_closing && before == taken) {
                        return;
                    }
                    is_closing = true;
                    connection.as_mut().graceful_shutdown();
                    longest.as_mut().reset(Instant::now() + MAX_CONNECTION_TIME);
                }
                () = self.admission.leaves() => return,
                () = begins_stream.notified() => {
                    longest.as_mut().reset(Instant::now() + MAX_STREAM_TIME + MAX_CONNECTION_TIME);
                }
                _ = closed.wait_for(|closed| *closed), if !is_stopping => {
                    is_stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }

    async fn answer(&self, mut request: Request<Incoming>, begins_stream: &Notify) -> Result<Response, Infallible> {
        let (question, taken) = (self.admission.request_begins(), Arc::clone(&self.taken));
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let is_late = Arc::new(AtomicBool::new(false));
        let arriving = |body| Body::new(Arriving::new(body, Arc::clone(&self.admission), Arc::clone(&is_late)));
        let answer = self.router.clone().oneshot(request.map(arriving)).await?;
        if is_late.load(Relaxed) {
            return Ok(too_late().map(|body| until_sent(body, question, taken)));
        }
        if answer.extensions().get::<LongLived>().is_none() {
            return Ok(answer.map(|body| until_sent(body, question, taken)));
        }
        let Some(permit) = self.admission.stream() else {
            return Ok(too_many_streams().map(|body| until_sent(body, question, taken)));
        };
        begins_stream.notify_one();
        let closed = self.closed.clone();
        let mut answer = answer.map(|body| until_sent(Body::new(Stream::new(body, permit, closed)), question, taken));
        // its place among the connections is another one's now
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        Ok(answer)
    }
}

/// A body with the question that it answers: that one is over when all of it is sent.
fn until_sent(body: Body, question: RequestInProgress, taken: Arc<AtomicU64>) -> Body {
    Body::new(body.map_frame(move |frame| {
        let _ = &question;
        taken.fetch_add(1, Relaxed);
        frame
    }))
}

fn too_late() -> Response {
    let detail = "the body of this request did not arrive in time";
    problem(StatusCode::REQUEST_TIMEOUT, detail, "send all the bytes that Content-Length names, at once")
}

fn too_many_streams() -> Response {
    let detail = format!("{MAX_STREAMS} live streams are open, and this address serves no more at once");
    let mut answer = problem(StatusCode::SERVICE_UNAVAILABLE, &detail, "close a page that shows live numbers");
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
    answer
}
