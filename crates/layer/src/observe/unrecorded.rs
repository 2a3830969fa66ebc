//! Stands in for `record` where the feature `ledger` is off: there is no recording, so nothing of it ever runs.

use flagstaff_flags::{EventSource, Goal};
use flagstaff_tag::{Directives, Flags, NotReached};
use http::Response;
use jiff::Timestamp;

use crate::observe::context::Asked;

/// There is none.
#[derive(Clone, Debug)]
pub(crate) struct Recording(Never);

#[derive(Clone, Copy, Debug)]
enum Never {}

impl Recording {
    pub(crate) fn asked(&self, _: &Flags, _: &Asked) {
        match self.0 {}
    }

    pub(crate) fn answered<R>(&self, _: &Flags, _: &Asked, _: &Response<R>, _: &Directives) {
        match self.0 {}
    }

    pub(crate) fn pending(&self) -> u64 {
        match self.0 {}
    }

    pub(crate) fn failed(&self, _: &Flags, _: &Asked) {
        match self.0 {}
    }

    pub(crate) fn forget(&self, _: &Flags) -> bool {
        match self.0 {}
    }

    pub(crate) fn converted(
        &self,
        _: &Flags,
        _: &Goal,
        _: Option<EventSource>,
        _: (Option<f64>, Option<&str>),
        _: Timestamp,
    ) -> Result<(), NotReached> {
        match self.0 {}
    }
}
