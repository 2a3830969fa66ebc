//! The plan of a snapshot.

use std::sync::Arc;

use jiff::Timestamp;

use super::group::Group;
use super::lists::Lists;
use super::user_table::Named;
use crate::{Decision, DecisionList, FlagId, Subject};

/// All that is known of the decisions of a snapshot before anybody asks.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Every decision as far as it is known: for a flag that draws, the one without a unit.
    pub(super) beginning: DecisionList,
    pub(super) courses: Box<[Course]>,
    pub(super) groups: Box<[Group]>,
    /// Flags that are decided step by step, required ones first.
    pub(super) by_steps: Box<[FlagId]>,
    /// Open flags with a rollout that starts at a time: before it they are decided step by step.
    pub(super) starts: Box<[(Timestamp, FlagId)]>,
    pub(super) lists: Arc<Lists>,
}

/// How a flag is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// Nothing that a request brings changes it.
    Settled,
    /// By the plan, unless the request names it, remembers it, or comes from somebody who is named.
    Open,
    /// Step by step.
    BySteps,
}

impl Plan {
    /// Every decision as far as it is known.
    pub(crate) const fn beginning(&self) -> &DecisionList {
        &self.beginning
    }

    /// Decides what draws alone decide. `is_held_out` is none where nobody is held out.
    pub(crate) fn draw(&self, subject: &Subject<'_>, is_held_out: Option<bool>, all: &mut [Decision]) {
        for group in &self.groups {
            group.fill(subject, is_held_out, all);
        }
    }

    /// Whether a flag is open.
    pub(crate) fn is_open(&self, id: FlagId) -> bool {
        self.courses.get(id.index()) == Some(&Course::Open)
    }

    /// Flags for which the subject is named, each with its decision where one is known. It counts for those that are open.
    pub(crate) fn named(&self, subject: &Subject<'_>) -> &[Named] {
        subject.user.map_or(&[], |user| self.lists.of(&user.id))
    }

    /// Open flags that are decided step by step for this subject: rollouts before their start, and flags that the request remembers or
    /// forces.
    pub(crate) fn touched(&self, subject: &Subject<'_>) -> impl Iterator<Item = FlagId> {
        let early = self.starts.iter().filter(|(start, _)| subject.now < *start).map(|(_, id)| *id);
        let remembered = subject.sticky.iter().map(|held| held.flag);
        let forced = subject.overrides.iter().map(|forced| forced.flag);
        early.chain(remembered.chain(forced).filter(|id| self.is_open(*id)))
    }

    /// Flags that are decided step by step for everybody, required ones first.
    pub(crate) fn by_steps(&self) -> &[FlagId] {
        &self.by_steps
    }

    /// The decision of a flag that nothing changes.
    pub(crate) fn settled(&self, id: FlagId) -> Option<Decision> {
        let is_settled = self.courses.get(id.index()) == Some(&Course::Settled);
        self.beginning.all().get(id.index()).copied().filter(|_| is_settled)
    }
}
