//! Conditions on a subject, its request and the time.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;

use super::audience::language_fits;
use super::subject::Subject;
use crate::text::{PlainPath, plain_host};
use crate::{Matcher, Name, Segment};

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The user's id.
    User,
    /// The user's groups.
    Group,
    /// The user's roles.
    Role,
    /// The language the visitor prefers.
    Language,
    /// The visitor's country, as a trusted proxy told.
    Country,
    /// The visitor's address.
    Ip,
    /// The path of the request, as servers understand it ([`PlainPath`]).
    Path,
    /// The host that was asked, as [`plain_host`] writes it.
    Host,
    /// The method of the request.
    Method,
    /// The browser's name for itself.
    UserAgent,
    /// A header of the request, by its lower-case name.
    Header(String),
    /// A cookie of the request.
    Cookie(String),
    /// A parameter of the query.
    Query(String),
    /// A custom attribute, such as `app_version`.
    Attribute(String),
}

/// The keys with a meaning of their own, for conditions and for suggestions.
const KNOWN: [(&str, Key); 10] = [
    ("user", Key::User),
    ("group", Key::Group),
    ("role", Key::Role),
    ("language", Key::Language),
    ("country", Key::Country),
    ("ip", Key::Ip),
    ("path", Key::Path),
    ("host", Key::Host),
    ("method", Key::Method),
    ("user_agent", Key::UserAgent),
];

impl Key {
    /// Reads a key: a known word (in the plural, too), `header.NAME`, `cookie.NAME`, `query.NAME`, or a snake_case attribute.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let singular = match text {
            "users" | "groups" | "roles" | "languages" => text.trim_end_matches('s'),
            "countries" => "country",
            _ => text,
        };
        if let Some((_, key)) = KNOWN.into_iter().find(|(word, _)| *word == singular) {
            return Ok(key);
        }
        match text.split_once('.') {
            Some(("header", name)) if is_token(name) => Ok(Self::Header(name.to_ascii_lowercase())),
            Some(("cookie", name)) if is_token(name) => Ok(Self::Cookie(name.into())),
            Some(("query", name)) if !name.is_empty() => Ok(Self::Query(name.into())),
            None if Name::new(text).is_ok() => Ok(Self::Attribute(text.into())),
            _ => Err(KeyError),
        }
    }

    /// The words a condition may start with, for suggestions.
    pub fn words() -> impl Iterator<Item = &'static str> {
        KNOWN.into_iter().map(|(word, _)| word).chain(["authenticated", "segment", "after", "before"])
    }

    /// The known word that an attribute's name is but a slip of the finger or two away from: `country` for `contry`. Attributes have
    /// names of their own, so likeness as for keys of a file (`user_plan` and `user`) is not enough.
    #[must_use]
    pub fn slip(text: &str) -> Option<&'static str> {
        let slips = |known: &str| if known.len() < 6 { 1 } else { 2 };
        Self::words().find(|known| strsim::damerau_levenshtein(text, known) <= slips(known))
    }

    /// Whether upper and lower case are the same to this value.
    #[must_use]
    pub const fn is_any_case(&self) -> bool {
        matches!(self, Self::Country | Self::Host | Self::Method | Self::UserAgent)
    }

    /// The header of a request that tells it, in small letters: of `app_version` it is `x-app-version`. `None` for what no single header tells.
    #[must_use]
    pub fn header(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Language => Some("accept-language".into()),
            Self::UserAgent => Some("user-agent".into()),
            Self::Cookie(_) => Some("cookie".into()),
            Self::Header(name) => Some(name.to_ascii_lowercase().into()),
            Self::Attribute(name) => Some(format!("x-{}", name.replace('_', "-")).into()),
            _ => None,
        }
    }

    /// The subject's value for this key, as it came; `None` for what a user is.
    pub(super) fn value(&self, subject: &Subject<'_>) -> Option<String> {
        match self {
            Self::User | Self::Group | Self::Role => None,
            Self::Path => subject.path.map(ToOwned::to_owned),
            Self::Host => subject.host.map(ToOwned::to_owned),
            _ => {
                let found = std::cell::RefCell::new(None);
                self.any(subject, &|value| found.replace(Some(value.to_owned())).is_some());
                found.into_inner()
            }
        }
    }

    /// Whether `any` of the subject's values for this key passes the test.
    fn any(&self, subject: &Subject<'_>, test: &dyn Fn(&str) -> bool) -> bool {
        let user = subject.user;
        match self {
            Self::User => user.is_some_and(|u| test(&u.id)),
            Self::Group => user.is_some_and(|u| u.groups.iter().any(|g| test(g))),
            Self::Role => user.is_some_and(|u| u.roles.iter().any(|r| test(r))),
            Self::Language => subject.language.is_some_and(test),
            Self::Country => subject.country.is_some_and(test),
            Self::Ip => subject.ip.is_some_and(|ip| test(&ip.to_string())),
            Self::Path => subject.path.is_some_and(|path| PlainPath::of(path).passes(path, test)),
            Self::Host => subject.host.is_some_and(|host| test(&plain_host(host))),
            Self::Method => subject.method.is_some_and(test),
            Self::UserAgent => subject.attributes.header("user-agent").is_some_and(test),
            Self::Header(name) => subject.attributes.header(name).is_some_and(test),
            Self::Cookie(name) => subject.attributes.cookie(name).is_some_and(test),
            Self::Query(name) => subject.attributes.query(name).is_some_and(|v| test(&v)),
            Self::Attribute(name) => subject.attributes.attribute(name).is_some_and(|v| test(&v)),
        }
    }
}

impl fmt::Display for Key {
    /// As [`Key::new`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header.{name}"),
            Self::Cookie(name) => write!(f, "cookie.{name}"),
            Self::Query(name) => write!(f, "query.{name}"),
            Self::Attribute(name) => f.write_str(name),
            known => f.write_str(KNOWN.iter().find(|(_, key)| key == known).map_or("", |(word, _)| word)),
        }
    }
}

/// The characters of a header's or cookie's name (RFC 9110, 5.6.2).
fn is_token(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(fits)
}

/// A text that is not a key of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyError;

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("conditions look at a known word, header.NAME, cookie.NAME, query.NAME or a snake_case attribute")
    }
}

impl std::error::Error for KeyError {}

/// One condition.
#[derive(Clone, Debug)]
pub enum Condition {
    /// A value of the subject passes a test.
    Value(Key, Matcher),
    /// Languages: `de` takes `de-AT` too.
    Language(Vec<String>),
    /// The user is known, or is not.
    Authenticated(bool),
    /// The subject is in one of these segments.
    Segment(Vec<Name>),
    /// The condition does not hold.
    Not(Box<Condition>),
    /// From this time on.
    After(Timestamp),
    /// Until this time.
    Before(Timestamp),
}

impl Condition {
    /// Whether it holds, with the segments that exist.
    pub(crate) fn holds(&self, subject: &Subject<'_>, segments: &[Segment]) -> bool {
        match self {
            Self::Value(Key::Ip, matcher) => matcher.holds_for_address(subject.ip),
            Self::Value(key, matcher) => matcher.holds(&|test| key.any(subject, test)),
            Self::Language(wanted) => language_fits(wanted, subject.language),
            Self::Authenticated(wanted) => subject.user.is_some() == *wanted,
            Self::Segment(names) => Segment::any_holds(names, subject, segments),
            Self::Not(condition) => !condition.holds(subject, segments),
            Self::After(time) => subject.now >= *time,
            Self::Before(time) => subject.now < *time,
        }
    }

    /// The time from which on it holds for others than before.
    fn time(&self) -> Option<Timestamp> {
        match self {
            Self::After(time) | Self::Before(time) => Some(*time),
            Self::Not(condition) => condition.time(),
            _ => None,
        }
    }

    /// The keys it looks at.
    pub(crate) fn key(&self) -> Option<&Key> {
        match self {
            Self::Value(key, _) => Some(key),
            Self::Language(_) => Some(&Key::Language),
            Self::Not(condition) => condition.key(),
            Self::Authenticated(_) | Self::Segment(_) | Self::After(_) | Self::Before(_) => None,
        }
    }

    /// The keys it looks at, and [`Key::User`] where it asks whether somebody is logged in.
    pub(crate) fn deciding_key(&self) -> Option<&Key> {
        match self {
            Self::Authenticated(_) => Some(&Key::User),
            Self::Not(condition) => condition.deciding_key(),
            _ => self.key(),
        }
    }

    /// The segments it names.
    pub(crate) fn segments(&self) -> &[Name] {
        match self {
            Self::Segment(names) => names,
            Self::Not(condition) => condition.segments(),
            _ => &[],
        }
    }
}

/// Conditions that must all hold; none at all always hold.
#[derive(Clone, Debug, Default)]
pub struct Conditions(pub Vec<Condition>);

impl Conditions {
    /// Whether all hold.
    pub(crate) fn hold(&self, subject: &Subject<'_>, segments: &[Segment]) -> bool {
        self.0.iter().all(|condition| condition.holds(subject, segments))
    }

    /// The times at which one of them begins or ends to hold.
    pub(crate) fn times(&self) -> impl Iterator<Item = Timestamp> {
        self.0.iter().filter_map(Condition::time)
    }

    /// The keys they look at.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.iter().filter_map(Condition::key)
    }

    /// The segments they name.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().flat_map(Condition::segments)
    }
}
