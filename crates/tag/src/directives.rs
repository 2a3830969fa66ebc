//! What the app may answer: who it is, what was shown, what happened.

use flagstaff_flags::{Name, User};
use http::HeaderMap;

use crate::list::{self, words};
use crate::{strip, user};

const IDENTIFY: &str = "x-flag-identify";
const EVENT: &str = "x-flag-event";
const EXPOSED: &str = "x-flag-exposed";
/// More bytes of one header, or more headers of a name, are not read.
const LONGEST: usize = 8192;
const MOST: usize = 16;

/// What the app answered in headers meant for us. They are gone from the answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Directives {
    /// `X-Flag-Exposed`: flags the visitor really met. Only well-formed names.
    pub exposed: Vec<Name>,
    /// `X-Flag-Event`: what happened.
    pub events: Vec<Event>,
    /// `X-Flag-Identify`: who it is. The first one counts.
    pub identify: Option<Identify>,
}

/// Something worth counting, said by the app or the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What goals call it. A well-formed name.
    pub name: Name,
    /// Its value, when said and finite.
    pub value: Option<f64>,
    /// What makes it the same event when it is told again, such as the number of an order.
    pub key: Option<String>,
}

/// Who the app says the visitor is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identify {
    /// This person, from now on.
    User(User),
    /// Nobody it knows, from now on.
    Nobody,
}

impl Directives {
    /// Takes them out of an answer, in any spelling of their names.
    pub fn take(headers: &mut HeaderMap) -> Self {
        let own = |name: &str| [IDENTIFY, EVENT, EXPOSED].iter().any(|own| strip::same(name, own));
        let ours = |name: &str| strip::is_ours(name) && own(name);
        if !headers.keys().any(|name| ours(name.as_str())) {
            return Self::default();
        }
        let all = |name| {
            let values = headers.get_all(name).iter().take(MOST);
            values.filter_map(|v| std::str::from_utf8(v.as_bytes()).ok()).filter(|v| v.len() <= LONGEST)
        };
        let read = Self {
            exposed: all(EXPOSED).flat_map(exposed).collect(),
            events: all(EVENT).flat_map(events).collect(),
            identify: all(IDENTIFY).next().and_then(identify),
        };
        strip::remove(headers, ours);
        read
    }
}

/// Reads `name, name`. Other than names of flags are passed over.
pub fn exposed(text: &str) -> Vec<Name> {
    words(text).iter().filter_map(|name| Name::new(name).ok()).collect()
}

/// Reads `order_paid; value=49.90; key=A17, signup`. What has no well-formed name is passed over.
pub fn events(text: &str) -> Vec<Event> {
    let event = |item: list::Item| {
        let value = item.parameter("value").and_then(|value| value.parse().ok());
        let name = Name::new(&item.value).ok()?;
        let key = item.parameter("key").filter(|key| !key.is_empty());
        Some(Event { name, key: key.map(Into::into), value: value.filter(|v: &f64| v.is_finite()) })
    };
    list::items(text).into_iter().filter_map(event).collect()
}

/// Reads `42; groups="beta, vip"; roles="staff"`, or `none`. An id that is the word `none` is written in quotes.
pub fn identify(text: &str) -> Option<Identify> {
    if text.trim().eq_ignore_ascii_case("none") {
        return Some(Identify::Nobody);
    }
    let item = list::items(text).into_iter().next()?;
    let list = |name| item.parameter(name).map(words).unwrap_or_default();
    let (groups, roles) = (list("groups"), list("roles"));
    user::checked(User { id: item.value, groups, roles }).map(Identify::User)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn are_read_and_removed_in_any_spelling() {
        let mut headers = HeaderMap::new();
        headers.append("x-flag-exposed", HeaderValue::from_static("form, Bad Name, price"));
        headers
            .append("x-flag-event", HeaderValue::from_static("order_paid; value=49.90; key=A17, signup; key=\"\""));
        headers.append("x-flag-event", HeaderValue::from_static("odd; value=inf, 9bad"));
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
