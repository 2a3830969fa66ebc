//! The id that is hashed, and how long the result is remembered.

use std::borrow::Cow;
use std::fmt;

use crate::Subject;
use crate::former_draw::DrawnBy;

/// The id that is hashed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BucketBy {
    /// The browser.
    #[default]
    Visitor,
    /// The person.
    User,
    /// The browser session.
    Session,
    /// Each request anew.
    Request,
    /// A header, by its lower-case name.
    Header(String),
    /// A cookie.
    Cookie(String),
}

impl BucketBy {
    /// Reads `visitor`, `user`, `session`, `request`, `header.NAME` or `cookie.NAME`; `None` for anything else.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        match text {
            "visitor" => Some(Self::Visitor),
            "user" => Some(Self::User),
            "session" => Some(Self::Session),
            "request" => Some(Self::Request),
            _ => match crate::Key::new(text) {
                Ok(crate::Key::Header(name)) => Some(Self::Header(name)),
                Ok(crate::Key::Cookie(name)) => Some(Self::Cookie(name)),
                _ => None,
            },
        }
    }
}

impl BucketBy {
    /// Whether every request of a visitor has the id. One that only some have tells those apart who have it, also where the flag is
    /// on for all.
    #[must_use]
    pub const fn is_of_every_request(&self) -> bool {
        matches!(self, Self::Visitor | Self::Session | Self::Request)
    }

    /// The id it hashes of a subject, when known.
    #[must_use]
    pub fn unit<'a>(&self, subject: &Subject<'a>) -> Option<&'a str> {
        match self {
            Self::Visitor => subject.visitor,
            Self::User => subject.user.map(|user| user.id.as_str()),
            Self::Session => subject.session,
            Self::Request => subject.request,
            Self::Header(name) => subject.attributes.header(name),
            Self::Cookie(name) => subject.attributes.cookie(name),
        }
    }

    /// The kind of unit it draws by; none for what is drawn anew for each request.
    pub(crate) const fn drawn_by(&self) -> Option<DrawnBy<'_>> {
        match self {
            Self::Visitor => Some(DrawnBy::Visitor),
            Self::Session => Some(DrawnBy::Session),
            Self::User => Some(DrawnBy::Other("")),
            Self::Header(name) | Self::Cookie(name) => Some(DrawnBy::Other(name.as_str())),
            Self::Request => None,
        }
    }

    /// What a unit is called where units of every kind stand side by side: a visitor's id as it is, others with what they
    /// are, as in `user:42`.
    #[must_use]
    pub fn key<'a>(&self, unit: &'a str) -> Cow<'a, str> {
        match self {
            Self::Visitor => unit.into(),
            other => format!("{other}:{unit}").into(),
        }
    }
}

impl fmt::Display for BucketBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Visitor => f.write_str("visitor"),
            Self::User => f.write_str("user"),
            Self::Session => f.write_str("session"),
            Self::Request => f.write_str("request"),
            Self::Header(name) => write!(f, "header.{name}"),
            Self::Cookie(name) => write!(f, "cookie.{name}"),
        }
    }
}

/// How long an assignment is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sticky {
    /// Not at all: the draw alone decides.
    None,
    /// As long as the browser session.
    Session,
    /// As long as the visitor's cookie.
    Visitor,
}
