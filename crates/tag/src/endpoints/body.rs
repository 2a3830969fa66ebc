//! The visitor's own endpoints that take a body: events of pages, and the request to be forgotten.

use bytes::Bytes;
use flagstaff_flags::{Name, is_value};
use http::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use http::{Method, Response, StatusCode, Uri};
use serde_json::Value;

use crate::endpoints::pages::{PREFIX, is_own};
use crate::reply::{BodyError, plain, with_silence};
use crate::response::GoalEvent;

/// Bytes of a body. Longer ones are refused.
pub const MAX_BODY_BYTES: usize = 16 * 1024;
/// Events of one body.
const MAX_EVENTS: usize = 100;
/// Bytes of an event's key.
const MAX_KEY_BYTES: usize = 200;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// An endpoint that takes `POST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostEndpoint {
    /// `POST /.flagstaff/events`: a page reports events. The body is for [`events`].
    Events,
    /// `POST /.flagstaff/forget`: everything that is known of this visitor is to be deleted.
    Forget,
}

/// The endpoint that a request is for; `None` for every other request.
#[must_use]
pub fn post_endpoint(method: &Method, path: &str) -> Option<PostEndpoint> {
    if *method != Method::POST || !is_own(path) {
        return None;
    }
    match path.strip_prefix(PREFIX)? {
        "/events" => Some(PostEndpoint::Events),
        "/forget" => Some(PostEndpoint::Forget),
        _ => None,
    }
}

/// The refusal of a request that does not come from a page of this site; `None` when it does. Browsers say where it comes from
/// in `Sec-Fetch-Site`, older ones in `Origin`. A request without either is refused.
#[must_use]
pub fn cross_site_refusal(uri: &Uri, headers: &HeaderMap) -> Option<Response<Bytes>> {
    let same = match headers.get(FETCH_SITE) {
        Some(site) => site.as_bytes() == b"same-origin",
        None => is_of(headers.get(ORIGIN), uri, headers),
    };
    (!same).then(|| plain(StatusCode::FORBIDDEN, "This takes requests from pages of its own site only.\n"))
}

fn is_of(origin: Option<&HeaderValue>, uri: &Uri, headers: &HeaderMap) -> bool {
    let text = |value: Option<&HeaderValue>| value.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let host = text(headers.get(HOST)).or_else(|| uri.authority().map(ToString::to_string));
    let origin = text(origin);
    let origin = origin.as_deref().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    match (origin, host) {
        (Some(origin), Some(host)) => origin.eq_ignore_ascii_case(&host),
        _ => false,
    }
}

/// Reads `{"event": "order_paid", "value": 49.9, "key": "A17"}`, or a list of these.
///
/// # Errors
/// With the answer that says what is wrong.
#[allow(clippy::result_large_err, reason = "the answer is sent as it is")]
pub fn events(body: &[u8]) -> Result<Vec<GoalEvent>, Response<Bytes>> {
    let read = |body| -> Result<Vec<GoalEvent>, String> {
        let value: Value = serde_json::from_slice(body).map_err(|error| format!("this is not JSON: {error}"))?;
        match value {
            Value::Array(all) if all.len() > MAX_EVENTS => {
                Err(format!("these are {} events; send at most {MAX_EVENTS}", all.len()))
            }
            Value::Array(all) => all.iter().map(event).collect(),
            one => Ok(vec![event(&one)?]),
        }
    };
    read(body).map_err(|why| {
        let text = format!(
            "{why}\nwrite {{\"event\": \"order_paid\", \"value\": 49.9, \"key\": \"A17\"}}, or a list of such\n"
        );
        plain(StatusCode::BAD_REQUEST, text)
    })
}

fn event(value: &Value) -> Result<GoalEvent, String> {
    let table = value.as_object().ok_or("an event is an object")?;
    if let Some(other) = table.keys().find(|key| !["event", "value", "key"].contains(&key.as_str())) {
        return Err(format!("`{}` is no key of an event", shortened(other)));
    }
    let name = table.get("event").and_then(Value::as_str).ok_or("`event` is missing, or not a text")?;
    let name = Name::new(name)
        .map_err(|_| format!("`{}` is not a valid name of an event, such as order_paid", shortened(name)))?;
    let value = match table.get("value") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let value = value.as_f64().ok_or("`value` is not a number")?;
            Some(Some(value).filter(|value| is_value(*value)).ok_or("`value` lies from -10^12 to 10^12")?)
        }
    };
    let key = match table.get("key") {
        None | Some(Value::Null) => None,
        Some(key) => Some(as_key(key).ok_or("`key` is a text of 1 to 200 characters that can be seen")?),
    };
    Ok(GoalEvent { name, value, key })
}

fn as_key(key: &Value) -> Option<String> {
    let fits = |key: &&str| (1..=MAX_KEY_BYTES).contains(&key.len()) && !key.contains(char::is_control);
    key.as_str().filter(fits).map(Into::into)
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// The answer to events that were accepted.
#[must_use]
pub fn accepted() -> Response<Bytes> {
    let mut answer = plain(StatusCode::NO_CONTENT, "");
    answer.headers_mut().remove(http::header::CONTENT_TYPE);
    answer
}

/// The answer to a network that asks too often, and when no more can be accepted now.
#[must_use]
pub fn too_many() -> Response<Bytes> {
    with_silence(plain(StatusCode::TOO_MANY_REQUESTS, "Too many ask for this just now. Try again in a minute.\n"))
}

/// The answer to a body that was not read.
#[must_use]
pub fn not_read(why: BodyError) -> Response<Bytes> {
    match why {
        BodyError::TooLarge => plain(StatusCode::PAYLOAD_TOO_LARGE, "This takes at most 16 KiB.\n"),
        BodyError::Incomplete => plain(StatusCode::BAD_REQUEST, "The body did not come whole.\n"),
    }
}

/// In the extensions of an answer: the browser is to forget all our cookies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forgotten;

/// The answer to a visitor who is forgotten: [`Tagger::answer`](crate::Tagger::answer) removes all our cookies.
#[must_use]
pub fn forgotten() -> Response<Bytes> {
    let mut answer = accepted();
    answer.extensions_mut().insert(Forgotten);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> String {
        let answer = events(body.as_bytes()).unwrap_err();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let text = String::from_utf8(answer.body().to_vec()).unwrap();
        text.lines().next().unwrap().to_owned()
    }

    #[test]
    fn one_event_or_several() {
        let all = events(br#"{"event":"order_paid","value":49.9,"key":"A17"}"#).unwrap();
        assert_eq!(
            (all[0].name.as_str(), all[0].value, all[0].key.as_deref()),
            ("order_paid", Some(49.9), Some("A17"))
        );
        let all = events(br#"[{"event":"a"},{"event":"b","value":null}]"#).unwrap();
        assert_eq!(all.iter().map(|e| (e.name.as_str(), e.value)).collect::<Vec<_>>(), [("a", None), ("b", None)]);
        assert!(events(b"[]").unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(refusal("{").starts_with("this is not JSON"));
        assert!(refusal("\u{fffd}").starts_with("this is not JSON"));
        assert_eq!(refusal("1"), "an event is an object");
        assert_eq!(refusal("{}"), "`event` is missing, or not a text");
        assert_eq!(
            refusal(r#"{"event":"Paid Order"}"#),
            "`Paid Order` is not a valid name of an event, such as order_paid"
        );
        assert_eq!(refusal(r#"{"event":"a","value":"9"}"#), "`value` is not a number");
        assert_eq!(refusal(r#"{"event":"a","value":1e308}"#), "`value` lies from -10^12 to 10^12");
        assert!(refusal(r#"{"event":"a","value":1e999}"#).starts_with("this is not JSON"));
        assert!(refusal(r#"{"event":"a","key":""}"#).starts_with("`key`"));
        assert!(refusal(r#"{"event":"a","key":7}"#).starts_with("`key`"));
        assert_eq!(refusal(r#"{"event":"a","price":1}"#), "`price` is no key of an event");
        let many = format!("[{}]", vec![r#"{"event":"a"}"#; 101].join(","));
        assert_eq!(refusal(&many), "these are 101 events; send at most 100");
        assert!(refusal(&"[".repeat(MAX_BODY_BYTES)).starts_with("this is not JSON"));
    }

    #[test]
    fn only_pages_of_the_same_site() {
        let is_foreign = |pairs: &[(&'static str, &'static str)]| {
            let headers: HeaderMap =
                pairs.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect();
            cross_site_refusal(&Uri::from_static("/.flagstaff/events"), &headers).is_some()
        };
        let host = ("host", "shop.example:8080");
        assert!(!is_foreign(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(!is_foreign(&[host, ("origin", "http://shop.example:8080")]));
        for site in ["cross-site", "same-site", "none"] {
            assert!(is_foreign(&[host, ("sec-fetch-site", site), ("origin", "http://shop.example:8080")]));
        }
        for origin in ["null", "http://shop.example", "http://evil.example:8080", "shop.example:8080"] {
            assert!(is_foreign(&[host, ("origin", origin)]), "{origin}");
        }
        assert!(is_foreign(&[host]) && is_foreign(&[]));
    }
}
