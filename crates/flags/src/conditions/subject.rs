//! The subject of a decision: all that it may look at.

use std::borrow::Cow;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::{FlagId, FormerDraw, VariantId};

/// A person known to the app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// The app's own id of the person.
    pub id: String,
    /// Groups the person is in.
    pub groups: Vec<String>,
    /// Roles the person has.
    pub roles: Vec<String>,
}

/// Values looked up by name, only when a condition asks for them.
pub trait Attributes {
    /// A header, by its lower-case name.
    fn header(&self, name: &str) -> Option<&str>;
    /// A cookie.
    fn cookie(&self, name: &str) -> Option<&str>;
    /// A parameter of the query, decoded.
    fn query(&self, name: &str) -> Option<Cow<'_, str>>;
    /// A custom attribute.
    fn attribute(&self, name: &str) -> Option<Cow<'_, str>>;
}

/// No attributes at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAttributes;

impl Attributes for NoAttributes {
    fn header(&self, _: &str) -> Option<&str> {
        None
    }
    fn cookie(&self, _: &str) -> Option<&str> {
        None
    }
    fn query(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
    fn attribute(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// A variant remembered from an earlier request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StickyVariant {
    /// The flag.
    pub flag: FlagId,
    /// The variant.
    pub variant: VariantId,
    /// The visitor brought it from another program: nobody here drew it, so it is never counted.
    pub brought: bool,
}

/// A variant asked for in this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForcedVariant {
    /// The flag.
    pub flag: FlagId,
    /// The variant.
    pub variant: VariantId,
    /// It comes from a signed link, which needs no `testing = true`.
    pub signed: bool,
}

/// Everything a decision may look at. Times are an argument: this crate has no clock.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The time of the decision.
    pub now: Timestamp,
    /// The visitor's id.
    pub visitor: Option<&'a str>,
    /// The id of the browser session.
    pub session: Option<&'a str>,
    /// An id of this request alone.
    pub request: Option<&'a str>,
    /// The person, when known.
    pub user: Option<&'a User>,
    /// The visitor's address.
    pub ip: Option<IpAddr>,
    /// Two letters (ISO 3166-1).
    pub country: Option<&'a str>,
    /// The preferred language (BCP 47).
    pub language: Option<&'a str>,
    /// `GET`, `POST`, …
    pub method: Option<&'a str>,
    /// The host that was asked, without port.
    pub host: Option<&'a str>,
    /// The path, without query.
    pub path: Option<&'a str>,
    /// Headers, cookies, query, attributes.
    pub attributes: &'a dyn Attributes,
    /// Sticky assignments.
    pub sticky: &'a [StickyVariant],
    /// Draws of an id that the visitor had before.
    pub former_draws: &'a [FormerDraw],
    /// Overrides, the first of a flag counts.
    pub overrides: &'a [ForcedVariant],
}

impl<'a> Subject<'a> {
    /// A subject of which only the time is known.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            now,
            visitor: None,
            session: None,
            request: None,
            user: None,
            ip: None,
            country: None,
            language: None,
            method: None,
            host: None,
            path: None,
            attributes: &NoAttributes,
            sticky: &[],
            former_draws: &[],
            overrides: &[],
        }
    }

    /// The same subject with a visitor's id.
    #[must_use]
    pub const fn visitor(mut self, id: &'a str) -> Self {
        self.visitor = Some(id);
        self
    }

    /// The same subject with a user.
    #[must_use]
    pub const fn user(mut self, user: &'a User) -> Self {
        self.user = Some(user);
        self
    }
}
