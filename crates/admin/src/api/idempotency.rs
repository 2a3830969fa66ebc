//! Orders that are carried out once, however often they are sent: `Idempotency-Key`.
//!
//! A client that got no answer sends its order again with the same key, and gets the answer of the first. Keys are remembered by this
//! process alone, for a day, up to a thousand.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flagstaff_operations::api::ProblemKind;

use super::extract::{MAX_BODY, bad};
use super::failure::Failure;
use crate::access::Caller;

/// The field that names an order.
pub(super) const KEY: &str = "idempotency-key";
/// The field of an answer that was given before.
const REPLAYED: &str = "idempotency-replayed";
/// The longest key, in bytes.
const MAX_KEY: usize = 255;
/// As many orders are remembered.
const MAX_KEYS: usize = 1000;
/// As long as one is remembered.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// A longer answer is not remembered, in bytes.
const MAX_ANSWER: usize = 256 * 1024;
/// As much of answers is remembered in all, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Orders that came with a key, the oldest first.
#[derive(Default)]
pub(super) struct IdempotencyKeys(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    by_key: HashMap<String, KeyedRequest>,
    oldest_first: VecDeque<(Instant, String)>,
    bytes: usize,
}

struct KeyedRequest {
    /// What was asked.
    fingerprint: u64,
    /// None while it is carried out.
    answer: Option<Kept>,
}

/// An answer that can be given again.
#[derive(Clone)]
struct Kept {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

enum Begin {
    New,
    Answered(Kept),
    Running,
    OtherRequest,
}

impl IdempotencyKeys {
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, key: &str, fingerprint: u64, now: Instant) -> Begin {
        let mut all = self.lock();
        all.forget_old(now);
        match all.by_key.get(key) {
            Some(order) if order.fingerprint != fingerprint => Begin::OtherRequest,
            Some(KeyedRequest { answer: Some(kept), .. }) => Begin::Answered(kept.clone()),
            Some(KeyedRequest { answer: None, .. }) => Begin::Running,
            None => {
                all.by_key.insert(key.into(), KeyedRequest { fingerprint, answer: None });
                all.oldest_first.push_back((now, key.into()));
                Begin::New
            }
        }
    }

    /// Remembers the answer of an order; none: as if it had not been sent.
    fn end(&self, key: &str, answer: Option<Kept>) {
        let mut all = self.lock();
        match answer {
            Some(kept) => {
                let bytes = kept.body.len();
                if let Some(order) = all.by_key.get_mut(key) {
                    order.answer = Some(kept);
                    all.bytes += bytes;
                }
            }
            None => all.forget(key),
        }
    }
}

impl Remembered {
    /// Makes room for one more. An order that is being carried out is forgotten as well: thousands of them are not.
    fn forget_old(&mut self, now: Instant) {
        while let Some((since, key)) = self.oldest_first.front() {
            let is_old = now.duration_since(*since) >= MAX_AGE;
            if !is_old && self.by_key.len() < MAX_KEYS && self.bytes <= MAX_BYTES {
                break;
            }
            let key = key.clone();
            self.forget(&key);
        }
    }

    fn forget(&mut self, key: &str) {
        let answer = self.by_key.remove(key).and_then(|order| order.answer);
        self.bytes -= answer.map_or(0, |kept| kept.body.len());
        self.oldest_first.retain(|(_, one)| one != key);
    }
}

/// Forgets an order that did not come to its end.
struct Running {
    keys: Arc<IdempotencyKeys>,
    key: String,
    answer: Option<Kept>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.keys.end(&self.key, self.answer.take());
    }
}

/// Carries an order with a key out once.
pub(super) async fn once(State(keys): State<Arc<IdempotencyKeys>>, request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Caller>().filter(|caller| caller.may_write);
    let (Some(said), Some(caller)) = (request.headers().get(KEY), caller) else {
        return next.run(request).await;
    };
    let Some(key) = said.to_str().ok().filter(|key| !key.trim().is_empty() && key.len() <= MAX_KEY) else {
        return bad("the Idempotency-Key is empty, too long or not plain text").into_response();
    };
    let key = format!("{}\n{key}", caller.name);
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return Failure::new(ProblemKind::Request, StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")
            .help("a body may have 64 KiB")
            .into_response();
    };
    match keys.begin(&key, fingerprint(&parts, &body), Instant::now()) {
        Begin::New => carried_out(keys, key, Request::from_parts(parts, Body::from(body)), next).await,
        Begin::Answered(kept) => again(kept),
        Begin::Running => {
            let why = "the first request with this Idempotency-Key is not answered yet";
            let failure = Failure::new(ProblemKind::Idempotency, StatusCode::CONFLICT, why);
            failure.help("send it again in a moment").into_response()
        }
        Begin::OtherRequest => {
            let why = "this Idempotency-Key was used for another request";
            let failure = Failure::new(ProblemKind::Idempotency, StatusCode::UNPROCESSABLE_ENTITY, why);
            failure.help("use a new key for each order").into_response()
        }
    }
}

/// Carries an order out and remembers its answer, also when the client has gone away.
async fn carried_out(keys: Arc<IdempotencyKeys>, key: String, request: Request, next: Next) -> Response {
    let mut running = Running { keys, key, answer: None };
    let done = tokio::spawn(async move {
        let (parts, body) = next.run(request).await.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        if !parts.status.is_server_error() && body.len() <= MAX_ANSWER {
            running.answer = Some(Kept { status: parts.status, headers: parts.headers.clone(), body: body.clone() });
        }
        drop(running);
        Response::from_parts(parts, Body::from(body))
    });
    done.await.unwrap_or_else(|error| {
        tracing::error!(%error, "an operator's order failed");
        Failure::new(ProblemKind::Status, StatusCode::INTERNAL_SERVER_ERROR, "the order failed").into_response()
    })
}

fn again(kept: Kept) -> Response {
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = kept.status;
    *response.headers_mut() = kept.headers;
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// What is asked: everything of the request that decides what is done.
fn fingerprint(parts: &Parts, body: &[u8]) -> u64 {
    let mut hash = DefaultHasher::new();
    (parts.method.as_str(), parts.uri.to_string(), body).hash(&mut hash);
    for name in ["if-match", "content-type"] {
        let values: Vec<_> = parts.headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        values.hash(&mut hash);
    }
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(size: usize) -> Kept {
        Kept { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::from(vec![b'x'; size]) }
    }

    #[test]
    fn an_order_runs_once_and_is_answered_again() {
        let (keys, now) = (IdempotencyKeys::default(), Instant::now());
        assert!(matches!(keys.begin("a", 1, now), Begin::New));
        assert!(matches!(keys.begin("a", 1, now), Begin::Running));
        keys.end("a", Some(kept(3)));
        assert!(matches!(keys.begin("a", 1, now), Begin::Answered(_)));
        assert!(matches!(keys.begin("a", 2, now), Begin::OtherRequest));
        assert!(matches!(keys.begin("b", 2, now), Begin::New));
        keys.end("b", None);
        assert!(matches!(keys.begin("b", 3, now), Begin::New), "what failed may be sent again");
    }

    #[test]
    fn what_is_remembered_is_bounded_in_age_number_and_size() {
        let (keys, now) = (IdempotencyKeys::default(), Instant::now());
        keys.begin("old", 1, now);
        keys.end("old", Some(kept(1)));
        assert!(matches!(keys.begin("old", 1, now + MAX_AGE), Begin::New));
        for i in 0..3 * MAX_KEYS {
            keys.begin(&i.to_string(), 1, now);
            keys.end(&i.to_string(), Some(kept(MAX_ANSWER)));
        }
        let all = keys.lock();
        assert!(all.by_key.len() <= MAX_KEYS && all.bytes <= MAX_BYTES + MAX_ANSWER, "{}", all.bytes);
        assert_eq!(all.by_key.len(), all.oldest_first.len());
    }
}
