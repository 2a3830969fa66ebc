//! Which id is hashed, and how long what came of it is remembered.

use std::fmt;

/// Which id is hashed.
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
