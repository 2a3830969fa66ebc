//! Stands in for `record` where the feature `ledger` is off: there is no recording, so nothing of it ever runs.

use flagstaff_tag::{Directives, Event, Flags};
use http::{Request, Response};
use jiff::Timestamp;

/// There is none.
#[derive(Clone, Debug)]
pub(crate) struct Recording(Never);

/// There is none.
#[derive(Debug)]
pub(crate) struct Asked;

#[derive(Clone, Copy, Debug)]
enum Never {}

impl Recording {
    pub(crate) fn asked<B>(&self, _: &Request<B>, _: &Flags, _: Timestamp) -> Option<Asked> {
        match self.0 {}
    }

    pub(crate) fn answered<R>(&self, _: &Flags, _: &Asked, _: &Response<R>, _: &Directives, _: Timestamp) {
        match self.0 {}
    }

    pub(crate) fn failed(&self, _: &Flags, _: &Asked) {
        match self.0 {}
    }

    pub(crate) fn reported(&self, _: &Flags, _: &[Event], _: Timestamp) {
        match self.0 {}
    }

    pub(crate) fn forget(&self, _: &Flags) {
        match self.0 {}
    }
}
