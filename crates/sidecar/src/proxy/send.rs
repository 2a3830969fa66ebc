//! One request on one connection.

use std::pin::pin;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use tokio::time::{Instant, timeout_at};

use crate::body::{AnswerBody, RequestBody, copy, empty_request};
use crate::proxy::connect::hand_over;
use crate::proxy::pool::{Connection, Sender, Wire};

/// What became of a request; nothing when its time was over before there was an answer.
pub(crate) type Sent = Option<Result<Response<AnswerBody>, Unanswered>>;

/// Why there is no answer.
pub(crate) struct Unanswered {
    pub(crate) error: hyper::Error,
    /// The request, where it may be sent again: nothing of it was written, or it may be repeated and the connection was used before.
    pub(crate) again: Option<Request<RequestBody>>,
}

/// Sends a request, and leaves nothing of it behind. One that `may_repeat` has no body, and comes back where no answer comes. One that
/// `is_plain` needs no hyper where its answer needs none.
pub(crate) async fn send(
    sender: &mut Sender,
    request: &mut Request<RequestBody>,
    (may_repeat, is_plain): (bool, bool),
    deadline: Instant,
) -> Sent {
    match sender {
        Sender::Http1(connection) => send_http1(connection, request, (may_repeat, is_plain), deadline).await,
        Sender::Http2(sender) => {
            let kept = may_repeat.then(|| Box::new(copy(request)));
            let sending = sender.try_send_request(std::mem::replace(request, empty_request()));
            of_hyper(timeout_at(deadline, Box::pin(sending)).await.ok(), || kept.map(|kept| *kept))
        }
    }
}

async fn send_http1(
    connection: &mut Connection,
    request: &mut Request<RequestBody>,
    (mut may_repeat, is_plain): (bool, bool),
    deadline: Instant,
) -> Sent {
    connection.timer.set(deadline);
    if let Wire::Plain(wire) = &mut connection.wire {
        let mut is_known = true;
        if is_plain {
            let exchanged = connection.timer.with(pin!(wire.exchange(request))).await?;
            match exchanged {
                Ok(answer) => return Some(Ok(answer)),
                Err(Some(again)) => *request = again,
                // hyper reads its answer in the place of an empty one's
                Err(None) => (is_known, may_repeat) = (false, false),
            }
        }
        // In a box: few requests go there, and all others would carry what it takes.
        if let Err(error) = Box::pin(hand_over(connection)).await {
            let again = is_known.then(|| std::mem::replace(request, empty_request()));
            return Some(Err(Unanswered { error, again }));
        }
        connection.timer.set(deadline);
    }
    let Connection { wire: Wire::Hyper(wire), timer, .. } = connection else { return None };
    wire.copy.begin(may_repeat);
    let sent = timer.with(pin!(wire.sender.try_send_request(std::mem::replace(request, empty_request())))).await;
    of_hyper(sent, || wire.copy.request())
}

/// What hyper says of a request that was kept in case it gives none back.
fn of_hyper(
    sent: Option<Result<Response<Incoming>, TrySendError<Request<RequestBody>>>>,
    kept: impl FnOnce() -> Option<Request<RequestBody>>,
) -> Sent {
    Some(match sent? {
        Ok(answer) => Ok(answer.map(AnswerBody::Incoming)),
        Err(mut error) => {
            let again = error.take_message().or_else(kept);
            Err(Unanswered { error: error.into_error(), again })
        }
    })
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use http::Method;
    use http_body::Body as _;
    use proptest::prelude::*;
    use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf, duplex};

    use super::*;
    use crate::body::UpstreamBody;
    use crate::proxy::plain_wire::{AnswerLimits, PlainWire, Stream};
    use crate::proxy::pool::{Home, Keeping};

    const LIMITS: AnswerLimits = AnswerLimits { fields: 100, bytes: 16 << 10 };

    /// Plain answers of apps.
    const PLAIN: [&str; 8] = [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: 1\r\nx-a: 2\r\nx-empty:\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\ncontent-length: 5\r\n\r\n",
        "HTTP/1.1 200 Fine\r\ncontent-length: 2\r\nset-cookie: a=\u{fc}\r\n\r\nhi",
        "HTTP/1.1 200 \r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno",
        "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nit ends early",
    ];

    /// Others, right ones and wrong ones.
    const OTHERS: [&str; 20] = [
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nt: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nuntil the end",
        "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.0 200 OK\r\n\r\nuntil the end",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 5, 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi and more than that",
        "HTTP/1.1 200 OK\r\nbroken field\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nfolded: a\r\n b\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 20 OK\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/2 200 OK\r\ncontent-length: 2\r\n\r\nhi",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "",
    ];

    fn connection(io: impl Stream + 'static) -> Box<Connection> {
        let home = Home { key: usize::MAX, keeping: Keeping::default() };
        Box::new(Connection::new(PlainWire::new(Box::new(io), LIMITS), home))
    }

    fn request(method: &Method) -> Request<RequestBody> {
        let mut request = empty_request();
        *request.method_mut() = method.clone();
        *request.uri_mut() = "/a?b=%20".parse().unwrap();
        request.headers_mut().insert("host", "shop.example".parse().unwrap());
        request.headers_mut().insert("cookie", "a=1; b".parse().unwrap());
        request.headers_mut().append("cookie", http::HeaderValue::from_bytes(b"c=\xfc").unwrap());
        request
    }

    /// Data and trailers, or nothing of a body that is cut.
    async fn whole(mut body: UpstreamBody) -> Option<(Vec<u8>, Option<http::HeaderMap>)> {
        let (mut data, mut trailers) = (Vec::new(), None);
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            match frame.ok()?.into_data() {
                Ok(piece) => data.extend_from_slice(&piece),
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        Some((data, trailers))
    }

    /// Answers one request with two pieces, and closes. Returns what was asked.
    async fn answer(mut app: DuplexStream, pieces: [Vec<u8>; 2]) -> Vec<u8> {
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            assert!(app.read_buf(&mut asked).await.unwrap() > 0);
        }
        for piece in pieces {
            let _ = app.write_all(&piece).await;
            // time stands still until nobody has anything to do
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        asked
    }

    /// What comes of a request that is answered so, what the app was asked, and whether hyper was needed.
    async fn outcome(
        method: &Method,
        pieces: [Vec<u8>; 2],
        by_hyper: bool,
    ) -> ((Result<String, String>, Vec<u8>), bool) {
        let (ours, app) = duplex(64 << 10);
        let app = tokio::spawn(answer(app, pieces));
        let mut connection = connection(ours);
        if by_hyper {
            hand_over(&mut connection).await.unwrap();
        }
        let mut sender = Sender::Http1(connection);
        let deadline = Instant::now() + std::time::Duration::from_secs(60);
        let sent = send(&mut sender, &mut request(method), (true, true), deadline).await.expect("in time");
        let Sender::Http1(connection) = sender else { unreachable!("HTTP/1.1") };
        let was_needed = matches!(connection.wire, Wire::Hyper(_));
        let result = match sent {
            Err(Unanswered { error, again }) => {
                Err(format!("{error:?}, again: {:?}", again.map(|again| again.uri().clone())))
            }
            Ok(answer) => {
                let (head, body) = answer.into_parts();
                let reason = head.extensions.get::<hyper::ext::ReasonPhrase>().cloned();
                let body = whole(UpstreamBody::new(body, Some(connection), None)).await;
                Ok(format!("{} {reason:?} {:?} {body:?}", head.status, head.headers))
            }
        };
        ((result, app.await.unwrap()), was_needed)
    }

    #[tokio::test(start_paused = true)]
    async fn every_answer_is_read_as_hyper_reads_it_wherever_it_is_cut() {
        for text in PLAIN.into_iter().chain(OTHERS) {
            for method in [Method::GET, Method::HEAD] {
                for cut in 0..=text.len() {
                    let (first, second) = text.as_bytes().split_at(cut);
                    let pieces = || [first.to_vec(), second.to_vec()];
                    let (by_itself, was_needed) = outcome(&method, pieces(), false).await;
                    let (by_hyper, _) = outcome(&method, pieces(), true).await;
                    assert_eq!(by_itself, by_hyper, "{method} {text:?} cut at {cut}");
                    let is_head_there = text.find("\r\n\r\n").is_some_and(|end| cut == 0 || cut >= end + 4);
                    let is_known = PLAIN.contains(&text) || cut == 0;
                    let needed = !(PLAIN.contains(&text) && is_head_there);
                    assert!(method == Method::HEAD || !is_known || was_needed == needed, "{text:?} cut at {cut}");
                }
            }
        }
    }

    /// A connection that has failed, as one over TLS does: what was not written stays, so that each flush fails as well, and each failure to read
    /// is told once.
    #[derive(Default)]
    struct Failed {
        takes: bool,
        has_told: bool,
    }

    impl AsyncRead for Failed {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            if std::mem::replace(&mut self.has_told, true) {
                return Poll::Pending;
            }
            Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
        }
    }

    impl AsyncWrite for Failed {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(if self.takes { Ok(buf.len()) } else { Err(io::ErrorKind::BrokenPipe.into()) })
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(if self.takes { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) })
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_has_failed_is_told_at_once_and_gives_the_request_back() {
        for takes in [false, true] {
            let mut sender = Sender::Http1(connection(Failed { takes, has_told: false }));
            let (mut asked, began) = (request(&Method::GET), Instant::now());
            let deadline = began + std::time::Duration::from_secs(60);
            let sent = send(&mut sender, &mut asked, (true, true), deadline).await.expect("before the deadline");
            let Err(Unanswered { error, again }) = sent else { unreachable!("nothing answers") };
            assert!(again.is_some_and(|again| again.uri() == "/a?b=%20"), "{error:?}");
            assert_eq!(Instant::now(), began);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_may_have_as_many_fields_as_a_map_holds() {
        let (ours, app) = duplex(64 << 10);
        let app = tokio::spawn(answer(app, [PLAIN[0].into(), Vec::new()]));
        let mut full = request(&Method::GET);
        for flag in 0..100_000 {
            let name = http::HeaderName::try_from(format!("x-flag-f{flag}")).unwrap();
            if full.headers_mut().try_insert(name, http::HeaderValue::from_static("on")).is_err() {
                break;
            }
        }
        let (fields, deadline) = (full.headers().len(), Instant::now() + std::time::Duration::from_secs(60));
        let mut sender = Sender::Http1(connection(ours));
        let sent = send(&mut sender, &mut full, (true, true), deadline).await.expect("in time");
        assert_eq!(sent.ok().map(|answer| answer.status().as_u16()), Some(200));
        let asked = String::from_utf8_lossy(&app.await.unwrap()).matches("\r\nx-flag-f").count();
        assert!((24_000..33_000).contains(&fields) && asked == fields - 3, "{asked} of {fields}");
    }

    /// What heads and bodies are made of.
    const PIECES: [&str; 20] = [
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 200 OK\r\n",
        "HTTP/1.1 100 Continue\r\n",
        "HTTP/1.1 304 Not Modified\r\n",
        "content-length: 5\r\n",
        "content-length: 5\r\n",
        "Content-Length:0\r\n",
        "content-length: 3000\r\n",
        "transfer-encoding: chunked\r\n",
        "connection: close\r\n",
        "a: b\r\n",
        "a : b\r\n",
        ": b\r\n",
        "\r\n",
        "\r\n",
        "\n",
        "hello",
        "5\r\nhello\r\n",
        "0\r\n\r\n",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn whatever_an_app_says_is_read_as_hyper_reads_it(
            pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..9),
            cut in any::<prop::sample::Index>(),
            head in any::<bool>(),
        ) {
            let text = pieces.concat();
            let method = if head { Method::HEAD } else { Method::GET };
            let (first, second) = text.as_bytes().split_at(cut.index(text.len() + 1));
            let pieces = || [first.to_vec(), second.to_vec()];
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let [by_itself, by_hyper] = [false, true].map(|by_hyper| {
                let (outcome, _) = runtime.block_on(outcome(&method, pieces(), by_hyper));
                outcome
            });
            prop_assert_eq!(by_itself, by_hyper, "{} {:?}", method, [first, second].map(String::from_utf8_lossy));
        }
    }
}
