//! What the app tells us in headers of its answer: who the visitor is, which flags were shown, what happened.

use flagstaff_flags::{FlagId, LogThrottle, Name, User, is_value};
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;

use crate::header_list::{self, words};
use crate::header_names;
use crate::identity::person;

const IDENTIFY: &str = "x-flag-identify";
const EVENT: &str = "x-flag-event";
const EXPOSED: &str = "x-flag-exposed";
/// Bytes of one header. Longer ones are refused.
const MAX_HEADER_BYTES: usize = 8192;
/// Headers of one name. More are refused.
const MAX_HEADERS: usize = 16;
/// Characters of a refused header that the log shows.
const SHOWN: usize = 80;

/// What the app answered in headers meant for us. They are gone from the answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Directives {
    /// `X-Flag-Exposed`: flags the visitor has seen.
    pub exposed: Vec<Name>,
    /// `X-Flag-Event`: what happened.
    pub events: Vec<GoalEvent>,
    /// `X-Flag-Identify`: who it is.
    pub identify: Option<Identify>,
    /// Flags for which django-waffle followed our cookie: its own cookies in the answer say so. They are gone too.
    pub followed: Vec<FlagId>,
}

/// Something that happened and may reach a goal, reported by the app or by a page.
#[derive(Clone, Debug, PartialEq)]
pub struct GoalEvent {
    /// What goals call it. A well-formed name.
    pub name: Name,
    /// Its value, when given and finite.
    pub value: Option<f64>,
    /// What makes it the same event when it is reported again, such as the number of an order.
    pub key: Option<String>,
}

/// The person that the app says the visitor is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identify {
    /// This person, from now on.
    User(User),
    /// Nobody, from now on: a logout, or a header that is not understood.
    Nobody,
}

impl Directives {
    /// Takes them out of an answer, in any spelling of their names. A header that is not understood completely is refused completely,
    /// counted and logged: half of it may say something else than what was meant.
    pub fn take(headers: &mut HeaderMap) -> Self {
        let own = |name: &str| [IDENTIFY, EVENT, EXPOSED].iter().any(|own| header_names::same(name, own));
        let ours = |name: &str| header_names::is_ours(name) && own(name);
        if !headers.keys().any(|name| ours(name.as_str())) {
            return Self::default();
        }
        let read = Self {
            exposed: all(headers, EXPOSED, &REFUSED[0], exposed).flatten().collect(),
            events: all(headers, EVENT, &REFUSED[1], events).flatten().collect(),
            identify: one(headers),
            followed: Vec::new(),
        };
        header_names::remove(headers, ours);
        read
    }
}

/// How often headers of each name were refused.
static REFUSED: [LogThrottle; 3] = [const { LogThrottle::new() }; 3];

/// What the headers of a name say, each read by itself.
fn all<T>(
    headers: &HeaderMap,
    name: &'static str,
    refused: &'static LogThrottle,
    read: impl Fn(&str) -> Option<T>,
) -> impl Iterator<Item = T> {
    headers.get_all(name).iter().enumerate().filter_map(move |(place, value)| {
        let text = std::str::from_utf8(value.as_bytes())
            .ok()
            .filter(|text| text.len() <= MAX_HEADER_BYTES && place < MAX_HEADERS);
        let said = text.and_then(&read);
        if said.is_none() {
            refuse(name, refused, value);
        }
        said
    })
}

/// The person, where one header says so. Where several headers differ, or one of them is not understood, the answer names nobody: the app
/// spoke of the person, and the one known before need not be the one it meant.
fn one(headers: &HeaderMap) -> Option<Identify> {
    let sent = headers.get_all(IDENTIFY).iter().count();
    let mut all: Vec<_> = all(headers, IDENTIFY, &REFUSED[2], identify).collect();
    if all.len() < sent {
        return Some(Identify::Nobody);
    }
    let first = all.pop()?;
    if all.iter().any(|other| *other != first) {
        let value = headers.get(IDENTIFY)?;
        refuse(IDENTIFY, &REFUSED[2], value);
        return Some(Identify::Nobody);
    }
    Some(first)
}

fn refuse(name: &'static str, refused: &LogThrottle, value: &HeaderValue) {
    metrics::counter!("flagstaff_directives_refused_total", "header" => name).increment(1);
    let Some(headers) = refused.count(1, Timestamp::now()) else { return };
    // the log names no person
    let text: String = match name {
        IDENTIFY => String::new(),
        _ => String::from_utf8_lossy(value.as_bytes()).chars().filter(|c| !c.is_control()).take(SHOWN).collect(),
    };
    let example = if name == EVENT { "order_paid; value=49.90; key=A17" } else { "" };
    tracing::warn!(
        header = name,
        headers,
        text,
        example,
        "what the app answered is not understood, and none of that header counts"
    );
}

/// Reads `name, name`; `None` where one is not a valid name of a flag.
pub fn exposed(text: &str) -> Option<Vec<Name>> {
    words(text).iter().map(|name| Name::new(name).ok()).collect()
}

/// Reads `order_paid; value=49.90; key=A17, signup`; `None` where something of it is not understood: a decimal comma makes two
/// events of one, and the second is none.
pub fn events(text: &str) -> Option<Vec<GoalEvent>> {
    let event = |item: header_list::Item| {
        let known = |(name, _): &(String, String)| matches!(name.as_str(), "value" | "key");
        if !item.parameters.iter().all(known) {
            return None;
        }
        let value = match item.parameter("value") {
            Some(value) => Some(value.parse().ok().filter(|value| is_value(*value))?),
            None => None,
        };
        let key = item.parameter("key").filter(|key| !key.is_empty());
        Some(GoalEvent { name: Name::new(&item.value).ok()?, key: key.map(Into::into), value })
    };
    header_list::strict(text)?.into_iter().map(event).collect()
}

/// Reads `42; groups="beta, vip"; roles="staff"`, or `none`. An id that is the word `none` is written in quotes.
pub fn identify(text: &str) -> Option<Identify> {
    if text.trim().eq_ignore_ascii_case("none") {
        return Some(Identify::Nobody);
    }
    let mut items = header_list::strict(text)?.into_iter();
    let item = items.next().filter(|_| items.next().is_none())?;
    let known = |(name, _): &(String, String)| matches!(name.as_str(), "groups" | "roles");
    let list = |name| item.parameter(name).map(words).unwrap_or_default();
    let (groups, roles) = (list("groups"), list("roles"));
    let user = person::bounded(User { id: item.value.clone(), groups, roles });
    user.filter(|_| item.parameters.iter().all(known)).map(Identify::User)
}

#[cfg(test)]
mod tests {
    use http::HeaderName;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn are_read_and_removed_in_any_spelling() {
        let mut headers = HeaderMap::new();
        headers.append("x-flag-exposed", HeaderValue::from_static("form, price"));
        headers
            .append("x-flag-event", HeaderValue::from_static("order_paid; value=49.90; key=A17, signup; key=\"\""));
        headers.append("x-flag-event", HeaderValue::from_static("odd"));
        headers.append("x-flag-identify", HeaderValue::from_static("42; groups=\"beta, vip\"; roles=staff"));
        headers.append("x_flag_event", HeaderValue::from_static("ignored"));
        headers.append("content-type", HeaderValue::from_static("text/html"));
        let read = Directives::take(&mut headers);
        let names: Vec<_> = read.exposed.iter().map(Name::as_str).collect();
        assert_eq!(names, ["form", "price"]);
        let events: Vec<_> = read.events.iter().map(|e| (e.name.as_str(), e.value)).collect();
        assert_eq!(events, [("order_paid", Some(49.9)), ("signup", None), ("odd", None)]);
        let keys: Vec<_> = read.events.iter().map(|e| e.key.as_deref()).collect();
        assert_eq!(keys, [Some("A17"), None, None]);
        let user = User { id: "42".into(), groups: vec!["beta".into(), "vip".into()], roles: vec!["staff".into()] };
        assert_eq!(read.identify, Some(Identify::User(user)));
        assert_eq!(headers.len(), 1);
    }

    /// Whom an answer with two headers names.
    fn identified(pair: [&'static str; 2]) -> Option<Identify> {
        let pair = pair.map(|text| (HeaderName::from_static(IDENTIFY), HeaderValue::from_static(text)));
        Directives::take(&mut pair.into_iter().collect()).identify
    }

    #[test]
    fn a_directive_that_is_partly_wrong_is_ignored() {
        for text in [
            "pay; value=49,90",
            "pay; value=1,000.50",
            "pay; value=NaN",
            "pay; value=inf",
            "pay; value=1e13",
            "pay; value=",
            "pay; value=4 EUR",
            "pay; price=4",
            "pay; value=1; value=2",
            "pay, Bad Name",
            "pay; key=\"open",
            "pay value=4",
        ] {
            assert_eq!(events(text), None, "{text}");
        }
        assert_eq!(events("pay; value=-4.5, signup").map(|all| all.len()), Some(2));
        assert_eq!(
            (exposed("form, Bad Name, price"), exposed("form,")),
            (None, Some(vec![Name::new("form").unwrap()]))
        );
        for text in ["42, 43", "42; group=beta", "42; groups", "\"42", "42; groups=\"a\"b"] {
            assert_eq!(identify(text), None, "{text}");
        }
        assert_eq!(identified(["42", "43"]), Some(Identify::Nobody), "two persons are nobody");
        for second in ["43, 44", ""] {
            for pair in [["42", second], [second, "42"]] {
                assert_eq!(identified(pair), Some(Identify::Nobody), "{pair:?}");
            }
        }
        assert!(identified(["42", "42"]).is_some(), "the same person, told again");
        let mut headers = HeaderMap::new();
        for event in ["pay; value=49,90", "signup"] {
            headers.append(EVENT, HeaderValue::from_static(event));
        }
        let events = Directives::take(&mut headers).events;
        assert_eq!(events.iter().map(|event| event.name.as_str()).collect::<Vec<_>>(), ["signup"]);
    }

    #[test]
    fn none_is_nobody_unless_in_quotes() {
        assert_eq!(identify(" None "), Some(Identify::Nobody));
        assert!(matches!(identify("\"none\""), Some(Identify::User(user)) if user.id == "none"));
        assert_eq!(identify(""), None);
        assert_eq!(identify(&"x".repeat(300)), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let Ok(value) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
            let mut headers = HeaderMap::new();
            for name in [IDENTIFY, EVENT, EXPOSED] {
                headers.append(name, value.clone());
            }
            Directives::take(&mut headers);
            prop_assert!(headers.is_empty());
        }
    }
}
