//! The events of webhooks.

use std::fmt;

use flagstaff_flags::FactKind;

/// A kind of event. One word stands for all facts that a receiver wants together or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WebhookEvent {
    /// A flag was edited, removed, or switched off or on.
    Changed,
    /// A rollout reached a step, or its end.
    Step,
    /// A rollout waits for someone to approve.
    Approval,
    /// A rollout could go on by time, but something else does not allow it.
    Inconclusive,
    /// A guard took a variant back, holds it, or would have taken it back.
    Trip,
    /// Someone had a rollout begin anew, paused it, or let it go on.
    Reset,
    /// A flag's date of expiry has passed.
    Expired,
}

impl WebhookEvent {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Changed, Self::Step, Self::Approval, Self::Inconclusive, Self::Trip, Self::Reset, Self::Expired];

    /// What a fact of this kind is told as; nothing for a flag that is seen for the first time.
    #[must_use]
    pub const fn of(kind: FactKind) -> Option<Self> {
        match kind {
            FactKind::Defined | FactKind::Continued => None,
            FactKind::Changed | FactKind::Removed => Some(Self::Changed),
            FactKind::Disabled | FactKind::Enabled => Some(Self::Changed),
            FactKind::SwitchedOff | FactKind::SwitchedOn => Some(Self::Changed),
            FactKind::Step | FactKind::Done => Some(Self::Step),
            FactKind::ApprovalNeeded => Some(Self::Approval),
            FactKind::Inconclusive | FactKind::Recovered => Some(Self::Inconclusive),
            FactKind::Tripped | FactKind::Held | FactKind::Observed => Some(Self::Trip),
            FactKind::Reset | FactKind::Paused | FactKind::Resumed => Some(Self::Reset),
            FactKind::Expired => Some(Self::Expired),
            FactKind::Unknown => None,
        }
    }

    /// The word in settings, messages and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Step => "step",
            Self::Approval => "approval",
            Self::Inconclusive => "inconclusive",
            Self::Trip => "trip",
            Self::Reset => "reset",
            Self::Expired => "expired",
        }
    }

    /// The event of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == word)
    }
}

impl fmt::Display for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_that_changes_something_is_told() {
        for kind in FactKind::ALL {
            let changes_nothing = matches!(kind, FactKind::Defined | FactKind::Continued);
            assert_eq!(WebhookEvent::of(kind).is_none(), changes_nothing, "{kind}");
        }
    }

    #[test]
    fn every_word_names_its_event() {
        for event in WebhookEvent::ALL {
            assert_eq!(WebhookEvent::named(event.as_str()), Some(event));
        }
        assert_eq!(WebhookEvent::named("tripped"), None);
    }
}
