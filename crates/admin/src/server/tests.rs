use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::connection::HEAD_TIMEOUT;
use super::connection_limit::{MAX_CONNECTIONS, MAX_STREAMS};
use super::*;
use crate::response::LongLived;

/// A body that begins and does not end.
struct Endless(bool);

impl axum::body::HttpBody for Endless {
    type Data = axum::body::Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Infallible>>> {
        if std::mem::replace(&mut self.0, true) {
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data("data: 1\n\n".into()))))
    }
}

/// A long answer over a slow line: a piece every ten seconds, for five minutes.
fn slowly() -> Body {
    Body::from_stream(futures_util::stream::unfold(0, async |sent| {
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        (sent < 30).then_some((Ok::<_, Infallible>("row\n"), sent + 1))
    }))
}

async fn serving() -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let live = async || (Extension(LongLived), Body::new(Endless(false)));
    let slow = async |_: Bytes| tokio::time::sleep(HEAD_TIMEOUT).await;
    let router = Router::new()
        .route("/healthz", get(|| async { "fine" }))
        .route("/live", get(live))
        .route("/slow", post(slow))
        .route("/read", post(async |_: Bytes| "fine"))
        .route("/long", get(async || slowly()))
        .route("/stuck", get(async || Body::new(Endless(false))));
    (address, stop, tokio::spawn(serve(listener, router, async { drop(stopped.await) })))
}

async fn connect(address: SocketAddr, bytes: &str) -> tokio::net::TcpStream {
    let mut io = tokio::net::TcpStream::connect(address).await.unwrap();
    io.write_all(bytes.as_bytes()).await.unwrap();
    io
}

async fn is_fine(address: SocketAddr) -> bool {
    let mut io = connect(address, "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let mut answer = String::new();
    timeout(6 * HEAD_TIMEOUT, io.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer.starts_with("HTTP/1.1 200")
}

/// Opens a stream, and says how its answer begins.
async fn stream(address: SocketAddr) -> (tokio::net::TcpStream, String) {
    begun(address, "/live").await
}

async fn begun(address: SocketAddr, path: &str) -> (tokio::net::TcpStream, String) {
    let mut io = connect(address, &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    let mut head = [0; 12];
    timeout(6 * HEAD_TIMEOUT, io.read_exact(&mut head)).await.unwrap().unwrap();
    (io, String::from_utf8_lossy(&head).into_owned())
}

#[tokio::test]
async fn connections_that_were_answered_and_ask_no_more_make_room() {
    let (address, stop, serving) = serving().await;
    let come = async {
        let mut held = Vec::new();
        for _ in 0..6 * MAX_CONNECTIONS {
            let (io, head) = begun(address, "/healthz").await;
            assert_eq!(head, "HTTP/1.1 200");
            held.push(io);
        }
        held
    };
    // one after the other they would each keep their place until their time is over
    let held = timeout(3 * HEAD_TIMEOUT, come).await.unwrap();
    assert!(is_fine(address).await);
    drop((stop, held));
    serving.await.unwrap();
}

#[tokio::test]
async fn unfinished_connections_make_room_for_those_that_ask() {
    let (address, stop, serving) = serving().await;
    let mut held = Vec::new();
    for _ in 0..MAX_CONNECTIONS + 5 {
        held.push(connect(address, "G").await);
    }
    assert!(is_fine(address).await);
    drop((stop, held));
    serving.await.unwrap();
}

/// A question whose body is not there as a whole.
const UNFINISHED: [&str; 3] = [
    "POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nto",
    "POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\nExpect: 100-continue\r\n\r\n",
    "POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nto\r\n",
];

#[tokio::test]
async fn bodies_that_do_not_come_make_room_for_those_who_ask() {
    for unfinished in UNFINISHED {
        let (address, stop, serving) = serving().await;
        let mut held = Vec::new();
        for _ in 0..MAX_CONNECTIONS + 5 {
            held.push(connect(address, unfinished).await);
        }
        assert!(is_fine(address).await, "{unfinished}");
        drop((stop, held));
        serving.await.unwrap();
    }
}

#[tokio::test]
async fn a_body_that_goes_on_coming_keeps_its_place() {
    let (address, stop, serving) = serving().await;
    let head = "POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\nConnection: close\r\n\r\n";
    let mut coming = connect(address, head).await;
    let upload = tokio::spawn(async move {
        for _ in 0..40 {
            coming.write_all(b"x").await?;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let mut answer = String::new();
        coming.read_to_string(&mut answer).await.map(|_| answer)
    });
    let mut held = Vec::new();
    for _ in 0..MAX_CONNECTIONS + 5 {
        held.push(connect(address, UNFINISHED[0]).await);
    }
    while !upload.is_finished() {
        assert!(is_fine(address).await);
    }
    let answer = upload.await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop((stop, held));
    serving.await.unwrap();
}

#[tokio::test]
async fn a_body_that_does_not_come_has_its_time() {
    let (address, stop, serving) = serving().await;
    for unfinished in UNFINISHED {
        let mut io = connect(address, unfinished).await;
        let mut answer = String::new();
        timeout(3 * HEAD_TIMEOUT, io.read_to_string(&mut answer)).await.unwrap().unwrap();
        let answer = answer.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"help\""), "{answer}");
    }
    drop(stop);
    serving.await.unwrap();
}

#[tokio::test]
async fn a_slow_answer_to_a_body_that_came_keeps_its_place() {
    let (address, stop, serving) = serving().await;
    let asked = "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nto";
    let mut slow = connect(address, asked).await;
    let mut held = Vec::new();
    for _ in 0..MAX_CONNECTIONS + 5 {
        held.push(connect(address, UNFINISHED[0]).await);
    }
    assert!(is_fine(address).await);
    let mut answer = String::new();
    timeout(3 * HEAD_TIMEOUT, slow.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop((stop, held));
    serving.await.unwrap();
}

#[tokio::test]
async fn streams_take_no_place_of_connections_and_have_their_number() {
    let (address, stop, serving) = serving().await;
    let mut open = Vec::new();
    for _ in 0..MAX_STREAMS {
        let (io, head) = stream(address).await;
        assert_eq!(head, "HTTP/1.1 200");
        open.push(io);
    }
    assert_eq!(stream(address).await.1, "HTTP/1.1 503");
    let mut idle = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        idle.push(connect(address, "G").await);
    }
    assert!(is_fine(address).await);
    drop(open.pop());
    while stream(address).await.1 != "HTTP/1.1 200" {
        tokio::task::yield_now().await;
    }
    // what is open ends with the program, and in good order
    let mut last = open.pop().unwrap();
    drop(stop);
    let mut rest = String::new();
    timeout(6 * HEAD_TIMEOUT, last.read_to_string(&mut rest)).await.unwrap().unwrap();
    assert!(rest.ends_with("data: 1\n\n\r\n0\r\n\r\n"), "{rest:?}");
    drop((open, idle));
    timeout(6 * HEAD_TIMEOUT, serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_answer_that_is_taken_is_sent_to_its_end() {
    let (address, stop, serving) = serving().await;
    let (mut long, _) = begun(address, "/long").await;
    tokio::time::pause();
    let mut rest = String::new();
    let limit = std::time::Duration::from_secs(20 * 60);
    timeout(limit, long.read_to_string(&mut rest)).await.unwrap().unwrap();
    tokio::time::resume();
    assert_eq!(rest.matches("row").count(), 30, "{rest}");
    assert!(rest.ends_with("\r\n0\r\n\r\n"), "it ends in good order, and the connection with it: {rest:?}");
    drop(stop);
    timeout(6 * HEAD_TIMEOUT, serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_outlives_the_time_of_other_connections() {
    let (address, stop, serving) = serving().await;
    let (mut live, _) = begun(address, "/live").await;
    let (mut stuck, _) = begun(address, "/stuck").await;
    tokio::time::pause();
    tokio::time::sleep(std::time::Duration::from_secs(20 * 60)).await;
    tokio::time::resume();
    let mut rest = Vec::new();
    let ended = timeout(6 * HEAD_TIMEOUT, stuck.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "an answer that nobody reads has its time");
    let ended = timeout(std::time::Duration::from_millis(200), live.read_to_end(&mut rest)).await;
    assert!(ended.is_err(), "the stream goes on");
    drop(stop);
    timeout(6 * HEAD_TIMEOUT, serving).await.unwrap().unwrap();
}
