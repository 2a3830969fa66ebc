//! What a span says: by OpenTelemetry's semantic conventions for HTTP servers and for feature flags.

use flagstaff_flags::Flag;
use flagstaff_layer::{Flags, is_page};
use flagstaff_tag::Peer;
use http::header::HOST;
use http::uri::Authority;
use http::{Method, Request, StatusCode, Version};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status};
use opentelemetry_sdk::trace::Span;

/// Of a longer path only the beginning is told (bytes).
const LONGEST_PATH: usize = 1024;
/// Flags of one request that are told at most: as many events as a span may have.
const MOST_FLAGS: usize = 128;
/// The event of a flag that was decided.
const EVALUATION: &str = "feature_flag.evaluation";

/// What is known of a request until its answer.
#[derive(Debug)]
pub(crate) struct Asked {
    method: Method,
    path: String,
    is_page: bool,
}

impl Asked {
    pub(crate) fn new<B>(request: &Request<B>) -> Self {
        Self {
            method: request.method().clone(),
            path: request.uri().path().into(),
            is_page: is_page(request.method(), request.headers()),
        }
    }
}

/// A span that has not begun. Neither the query nor the client's address is told: both may be personal.
pub(crate) fn builder<B>(request: &Request<B>) -> SpanBuilder {
    let (method, original) = method(request.method());
    let path = request.uri().path();
    let path = path.get(..path.floor_char_boundary(LONGEST_PATH)).unwrap_or_default();
    let is_tls = request.extensions().get::<Peer>().is_some_and(|peer| peer.tls);
    let mut attributes = vec![
        KeyValue::new("http.request.method", method),
        KeyValue::new("url.path", path.to_owned()),
        KeyValue::new("url.scheme", if is_tls { "https" } else { "http" }),
        KeyValue::new("network.protocol.version", version(request.version())),
    ];
    attributes.extend(original.map(|original| KeyValue::new("http.request.method_original", original)));
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    if let Some(host) = host {
        attributes.push(KeyValue::new("server.address", host.host().to_owned()));
        attributes.extend(host.port_u16().map(|port| KeyValue::new("server.port", i64::from(port))));
    }
    let name = if method == "_OTHER" { "HTTP" } else { method };
    SpanBuilder::from_name(name).with_kind(SpanKind::Server).with_attributes(attributes)
}

/// A method that every server knows; any other one would be a name that a client chooses.
fn method(method: &Method) -> (&'static str, Option<String>) {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    match KNOWN.iter().find(|known| **known == method.as_str()) {
        Some(known) => (known, None),
        None => ("_OTHER", Some(method.as_str().chars().take(32).collect())),
    }
}

const fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
}

/// What the head of the answer says.
pub(crate) fn answered(span: &mut Span, status: StatusCode) {
    span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    if status.is_server_error() {
        failed(span, status.as_u16().to_string());
    }
}

/// There is no answer.
pub(crate) fn failed(span: &mut Span, why: String) {
    span.set_attribute(KeyValue::new("error.type", why));
    span.set_status(Status::error(""));
}

/// The flags that the request met, an event for each.
pub(crate) fn flags(span: &mut Span, asked: &Asked, flags: &Flags, with_visitor: bool) {
    let revision = flags.decisions().snapshot().revision().to_owned();
    let visitor = flags.lasting_visitor().filter(|_| with_visitor);
    let is_met = |flag: &Flag| flag.is_exposed_on(asked.method.as_str(), &asked.path, asked.is_page);
    let met = flags.decisions().iter().filter(|(_, flag, _)| is_met(flag));
    for (_, flag, decision) in met.take(MOST_FLAGS) {
        let mut attributes = vec![
            KeyValue::new("feature_flag.key", flag.name.to_string()),
            KeyValue::new("feature_flag.provider.name", "flagstaff"),
            KeyValue::new("feature_flag.result.variant", flag.variants.name(decision.variant()).to_owned()),
            KeyValue::new("feature_flag.result.reason", decision.reason().as_str().to_ascii_lowercase()),
            KeyValue::new("feature_flag.version", revision.clone()),
        ];
        attributes.extend(visitor.map(|visitor| KeyValue::new("feature_flag.context.id", visitor.to_owned())));
        span.add_event(EVALUATION, attributes);
    }
}
