//! The service that passes requests on to the app and its answers back.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use flagstaff_tag::{AnsweredBy, NoAnswer};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode, Version};
use hyper::upgrade::OnUpgrade;
use tokio::time::Instant;
use tower::Service;

use crate::access_log::ServedBy;
use crate::body::{BodyFault, RequestBody, ResponseBody, Reuse, UpstreamBody, copy};
use crate::client::Tunnel;
use crate::head::answer_length;
use crate::head::hop_by_hop::{WEBSOCKET, strip_connection};
use crate::head::list::has_token;
use crate::meters::{Failure, METERS};
use crate::pages::{answer_too_large, page};
use crate::proxy::canary::{Canaries, Canary};
use crate::proxy::exchange::{ExchangeError, UpstreamAnswer, exchange, repeatable};
use crate::refusal::Refusal;
use crate::settings::{ProxySettings, Timeouts};

use crate::proxy::tunnel;
use crate::proxy::upstream::Upstreams;

/// Why a proxy cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// There is no address to pass requests on to.
    #[error("upstream: name at least one address")]
    NoUpstream,
    /// The certificates to trust cannot be used.
    #[error("upstream_ca: {0}")]
    Roots(String),
}

/// Passes requests on to the app's addresses. Cloning is cheap; all clones share the upstreams' health.
#[derive(Clone, Debug)]
pub struct Proxy(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    upstreams: Upstreams,
    canaries: Canaries,
    timeouts: Timeouts,
    /// Bytes of a body that is read whole before the app is asked.
    buffer_limit: u64,
}

impl Proxy {
    /// A proxy to the upstreams of the settings.
    ///
    /// # Errors
    ///
    /// When there is no upstream, or its certificates cannot be read.
    pub fn new(settings: &ProxySettings) -> Result<Self, ProxyError> {
        if settings.upstream.is_empty() {
            return Err(ProxyError::NoUpstream);
        }
        Self::for_canaries(settings)
    }

    /// A proxy that may have nothing but the upstreams of variants.
    pub(crate) fn for_canaries(settings: &ProxySettings) -> Result<Self, ProxyError> {
        Ok(Self(Arc::new(Inner {
            upstreams: Upstreams::new(settings).map_err(ProxyError::Roots)?,
            canaries: Canaries::new(settings.policy.clone()),
            timeouts: settings.timeouts.clone(),
            buffer_limit: settings.limits.buffer_body,
        })))
    }

    /// Some flag names an upstream for this visitor.
    pub(crate) fn has_canary(&self, request: &Request<RequestBody>) -> bool {
        self.0.canaries.of(request.extensions()).is_some()
    }
}

impl Service<Request<RequestBody>> for Proxy {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    /// Boxed once per request: hyper's own future for an answer has no name.
    type Future = Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move { Ok(inner.pass_on(&mut request).await) })
    }
}

/// The client's half of a switch to another protocol.
struct Switch {
    upgrade: OnUpgrade,
    tunnel: Option<Tunnel>,
}

impl Inner {
    async fn pass_on(&self, request: &mut Request<RequestBody>) -> Response<ResponseBody> {
        if request.body().is_small(self.buffer_limit)
            && let Err(fault) = Box::pin(self.buffer(request.body_mut())).await
        {
            return refuse(&ExchangeError::Body(fault));
        }
        let canary = self.canaries.of(request.extensions());
        let switch = self.switch(request);
        *request.version_mut() = Version::HTTP_11;
        let deadline = Instant::now() + self.timeouts.upstream;
        let (answered, said) = match canary {
            None => (exchange(&self.upstreams, None, request, deadline).await, None),
            // In a box: few visitors go there, and all others would carry what it takes.
            Some(canary) => Box::pin(self.ask_canary(&canary, request, deadline)).await,
        };
        let mut answer = match answered {
            Ok(answered) => self.pass_back(answered, switch),
            Err(cause) => refuse(&cause),
        };
        if let Some(said) = said {
            answer.extensions_mut().insert(said);
        }
        answer
    }

    /// Reads a small body whole: a client that sends it slowly keeps no worker of the app's waiting.
    async fn buffer(&self, body: &mut RequestBody) -> Result<(), BodyFault> {
        let buffering = tokio::time::timeout(self.timeouts.buffer_body, body.buffer()).await;
        buffering.unwrap_or_else(|_| {
            METERS.refuse(Refusal::BodyTimeout);
            Err(BodyFault::Late)
        })
    }

    /// The app answers in place of a variant's upstream that does not, where asking again does no harm. Then the upstream has half of the
    /// time, so that the app has the other half at least. Returns which of the two answered.
    async fn ask_canary(
        &self,
        canary: &Canary,
        request: &mut Request<RequestBody>,
        deadline: Instant,
    ) -> (Result<UpstreamAnswer, ExchangeError>, Option<AnsweredBy>) {
        let upstream = &canary.upstream;
        let failed = Some(AnsweredBy::Proxy(NoAnswer::Canary(canary.flag)));
        if self.upstreams.is_empty() || !repeatable(request) {
            let answered = exchange(&self.upstreams, Some(upstream), request, deadline).await;
            let said = match &answered {
                Ok(_) => Some(AnsweredBy::Canary(canary.flag)),
                Err(cause) => failed.filter(|_| cause.is_upstreams()),
            };
            return (answered, said);
        }
        if self.upstreams.is_due(upstream) {
            let halfway = deadline - self.timeouts.upstream / 2;
            match exchange(&self.upstreams, Some(upstream), &mut copy(request), halfway).await {
                Err(ExchangeError::Failed(failure, why)) if !failure.is_ours() => {
                    METERS.fail(failure);
                    let authority = &*upstream.origin.authority;
                    tracing::warn!(
                        upstream = authority,
                        reason = failure.label(),
                        why,
                        "the upstream of a variant did not answer; asking the app"
                    );
                }
                other => {
                    let said = other.is_ok().then_some(AnsweredBy::Canary(canary.flag));
                    return (other, said);
                }
            }
        }
        canary.fallbacks.increment(1);
        let answered = exchange(&self.upstreams, None, request, deadline).await;
        let said = match &answered {
            Ok(_) => Some(AnsweredBy::Fallback(canary.flag)),
            Err(cause) => failed.filter(|_| cause.is_upstreams()),
        };
        (answered, said)
    }

    /// An upgrade needs HTTP/1.1 on both sides; toward HTTP/2 the wish is left out, which the client may expect.
    fn switch(&self, request: &mut Request<RequestBody>) -> Option<Switch> {
        if !request.headers().contains_key(header::UPGRADE) {
            return None;
        }
        if self.upstreams.http2 {
            request.headers_mut().remove(header::UPGRADE);
            request.headers_mut().remove(header::CONNECTION);
            return None;
        }
        let tunnel = request.extensions_mut().remove();
        Some(Switch { upgrade: hyper::upgrade::on(request), tunnel })
    }

    fn pass_back(&self, answered: UpstreamAnswer, switch: Option<Switch>) -> Response<ResponseBody> {
        let UpstreamAnswer { mut answer, mut connection, upstream } = answered;
        let switched = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
        if switched {
            let Some(switch) = switch.filter(|_| is_websocket(answer.headers())) else {
                let why = "it switched to a protocol that was not asked for";
                return refuse(&ExchangeError::Failed(Failure::Malformed, why.to_owned()));
            };
            tunnel::join(switch.upgrade, &mut answer, switch.tunnel, self.timeouts.tunnel);
        }
        // One that is about to be closed is not kept: it would look as if the app had closed it early.
        let is_last = switched || has_token(answer.headers(), &header::CONNECTION, "close");
        connection.iter_mut().for_each(|connection| connection.is_last = is_last);
        if !answer_length::make_one(answer.status(), answer.headers_mut()) {
            let why = "it says several lengths of one answer, or one that is no number";
            return refuse(&ExchangeError::Failed(Failure::Malformed, why.to_owned()));
        }
        strip_connection(answer.headers_mut());
        if switched {
            keep_upgrade(answer.headers_mut());
        }
        if let Some(upstream) = upstream {
            answer.extensions_mut().insert(ServedBy(upstream));
        }
        let silence = Some(self.timeouts.stream).filter(|limit| *limit > Duration::ZERO);
        let connection = connection.map(|connection| connection as Box<dyn Reuse>);
        answer.map(|body| ResponseBody::upstream(UpstreamBody::new(body, connection, silence)))
    }
}

/// Whether an app that switches says so of the one protocol it was asked for; one that names none means it.
fn is_websocket(headers: &HeaderMap) -> bool {
    !headers.contains_key(header::UPGRADE) || has_token(headers, &header::UPGRADE, "websocket")
}

fn keep_upgrade(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, WEBSOCKET);
}

/// The answer in place of one, and whose fault it is. An answer that is larger than `limits` allow is the app's: it gave that answer.
#[cold]
fn refuse(cause: &ExchangeError) -> Response<ResponseBody> {
    let mut answer = refusal(cause);
    let why = match cause {
        ExchangeError::Body(_) => NoAnswer::Client,
        ExchangeError::Failed(failure, _) if failure.is_ours() => NoAnswer::Machine,
        ExchangeError::Failed(..) => NoAnswer::App,
    };
    answer.extensions_mut().insert(AnsweredBy::Proxy(why));
    answer
}

fn refusal(cause: &ExchangeError) -> Response<ResponseBody> {
    match cause {
        ExchangeError::Body(BodyFault::TooLarge) => {
            METERS.refuse(Refusal::BodyTooLarge);
            page(StatusCode::PAYLOAD_TOO_LARGE)
        }
        // Counted where it was seen.
        ExchangeError::Body(BodyFault::Late) => page(StatusCode::REQUEST_TIMEOUT),
        ExchangeError::Body(BodyFault::Broken) => page(StatusCode::BAD_REQUEST),
        ExchangeError::Failed(failure, why) => {
            METERS.fail(*failure);
            tracing::warn!(reason = failure.label(), why, "the upstream did not answer");
            match failure {
                Failure::AnswerTimeout | Failure::ConnectTimeout => page(StatusCode::GATEWAY_TIMEOUT),
                Failure::Descriptors | Failure::Local => page(StatusCode::SERVICE_UNAVAILABLE),
                Failure::AnswerHead => answer_too_large(),
                _ => page(StatusCode::BAD_GATEWAY),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::empty_request;
    use crate::settings::RawSettings;

    #[test]
    fn a_request_on_its_way_is_small() {
        let listen = vec!["127.0.0.1:0".into()];
        let options = RawSettings { listen, upstream: vec!["127.0.0.1:1".into()], ..RawSettings::default() };
        let proxy = Proxy::new(&ProxySettings::new(options).unwrap()).unwrap();
        // It is made for every request. With a handshake inside it had 10 KB, and moving them took an eighth of the time.
        let mut request = empty_request();
        let way = proxy.0.pass_on(&mut request);
        assert!(size_of_val(&way) <= 768, "{} bytes", size_of_val(&way));
    }
}
