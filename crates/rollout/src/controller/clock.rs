//! The time of the ledger: one for all programs that share it, whatever their machines' clocks say.

use jiff::{SignedDuration, Timestamp};

/// What differs by more is told: a clock that is set from the network differs by far less.
const TOLD_FROM: SignedDuration = SignedDuration::from_secs(5);

/// The clock on this machine's wall, and how far the ledger's is ahead of it. Without a ledger on another machine they are one.
#[derive(Debug, Default)]
pub(crate) struct LedgerClock {
    ahead: SignedDuration,
    is_told: bool,
}

impl LedgerClock {
    /// The time of the ledger.
    pub(crate) fn now(&self) -> Timestamp {
        let here = Timestamp::now();
        here.checked_add(self.ahead).unwrap_or(here)
    }

    /// The ledger's clock is so far ahead of this machine's. Says in the log, once, when one of the two is wrong.
    pub(crate) fn set(&mut self, ahead: SignedDuration) {
        self.ahead = ahead;
        let is_far = ahead.abs() >= TOLD_FROM;
        if is_far && !self.is_told {
            let way = if ahead.is_positive() { "behind" } else { "ahead of" };
            tracing::warn!(
                "the clock of this machine is {} s {way} the ledger's; rollouts go by the ledger's. Set the wrong one right",
                ahead.abs().as_secs()
            );
        }
        self.is_told = is_far;
    }
}
