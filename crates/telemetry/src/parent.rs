//! W3C Trace Context: the trace that a request belongs to.

use flagstaff_tag::Peer;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// What the vendors of traces add. It goes on with the trace, and not without it.
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Whose traces go on. A client whose trace goes on decides whether it is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParentPolicy {
    /// Those of trusted addresses, such as a load balancer.
    Trusted,
    /// Everybody's.
    Everybody,
    /// Nobody's.
    Nobody,
}

/// The trace that goes on with a request; an empty context where one begins.
pub(crate) fn parent<B>(request: &Request<B>, whose: ParentPolicy) -> Context {
    let is_trusted = || request.extensions().get::<Peer>().is_some_and(|peer| peer.trusted);
    let goes_on = match whose {
        ParentPolicy::Trusted => is_trusted(),
        ParentPolicy::Everybody => true,
        ParentPolicy::Nobody => false,
    };
    let is_one = request.headers().get_all(TRACEPARENT).iter().count() == 1;
    match goes_on && is_one {
        true => {
            TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(request.headers()))
        }
        false => Context::new(),
    }
}

/// The app gets the span as its parent, whether it is sampled or not.
pub(crate) fn pass_on(headers: &mut HeaderMap, span: &SpanContext, parent: &Context) {
    let flags = span.trace_flags().to_u8();
    let text = format!("00-{:032x}-{:016x}-{flags:02x}", span.trace_id(), span.span_id());
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.insert(TRACEPARENT, value);
    }
    if !parent.span().span_context().is_valid() {
        headers.remove(TRACESTATE);
    }
}
