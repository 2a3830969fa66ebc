//! A request as it came, and what is left of it once it is stripped. Two types hold the order: only a stripped request is identified.

use flagstaff_flags::{FlagId, Snapshot, VariantId};
use http::{HeaderMap, Method, Uri};
use jiff::Timestamp;

use crate::header_names;
use crate::identity::Peer;
use crate::identity::user::Users;
use crate::request::overrides;

/// A request's head as it came: a client can have written anything into it. The only thing to do with it is to strip it.
pub(crate) struct Received<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a mut HeaderMap,
    pub(crate) peer: Option<&'a Peer>,
    pub(crate) now: Timestamp,
}

/// A request's head, and the time it came at.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) peer: Option<&'a Peer>,
    pub(crate) now: Timestamp,
}

/// A request's head without what only we, or only trusted peers, may say. [`Received::strip`] alone makes one.
pub(crate) struct Stripped<'a> {
    head: Head<'a>,
    requested: Vec<(FlagId, VariantId)>,
    names_user_twice: bool,
}

impl<'a> Received<'a> {
    /// Removes what only we may say, and what only trusted peers may say. What a trusted peer said is kept beside the head.
    pub(crate) fn strip(self, users: &Users, snapshot: &Snapshot) -> Stripped<'a> {
        let Self { method, uri, headers, peer, now } = self;
        let trusted = peer.is_some_and(|peer| peer.trusted);
        let requested = if trusted { overrides::by_header(headers, snapshot) } else { Vec::new() };
        header_names::remove(headers, header_names::is_ours);
        let names_user_twice = users.strip(headers, trusted);
        Stripped { head: Head { method, uri, headers, peer, now }, requested, names_user_twice }
    }
}

impl<'a> Stripped<'a> {
    /// What is left.
    pub(crate) const fn head(&self) -> Head<'a> {
        self.head
    }

    /// The variants that a trusted peer requested in a header.
    pub(crate) fn requested_variants(&self) -> &[(FlagId, VariantId)] {
        &self.requested
    }

    /// Whether nothing of what was removed counts.
    pub(crate) const fn is_all(&self) -> bool {
        self.requested.is_empty() && !self.names_user_twice
    }

    /// Whether a trusted peer named the person in two headers, which are removed.
    pub(crate) const fn names_user_twice(&self) -> bool {
        self.names_user_twice
    }
}
