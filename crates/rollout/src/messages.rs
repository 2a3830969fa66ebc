//! What is told to the controller, and what the controller asks of the ledger. Nothing here does anything.

use std::collections::HashMap;
use std::sync::Arc;

use flagstaff_experiment::guard::{Blown, NetworkKey};
use flagstaff_flags::{Allocation, Definition, ExperimentId, Fact, Name, Snapshot};
use flagstaff_ledger::{FirstSign, FlagEpoch, NumberedSigns};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

/// What is told to the controller.
#[derive(Debug)]
pub(crate) enum Message {
    /// A snapshot is in force.
    Published(Arc<Snapshot>),
    /// A unit showed a sign. It may not be its first. `limited` is its network, where few signs of that network count.
    Sign { window: WindowId, sign: FirstSign, limited: Option<NetworkKey> },
    /// A unit came to the treatment at a step. It may have come before.
    Arrived(WindowId, FirstSign),
    /// A fuse blew.
    FuseBlown(WindowId, Blown),
    /// Something became known of the ledger.
    Ledger(LedgerEvent),
    /// No other program that is there has other flags than this one.
    Alone,
    /// Write down what is known, and end.
    Stop,
    /// End with a panic.
    #[cfg(test)]
    Panic,
}

/// The window that saw something: what it saw counts only while it is the present one of its flag.
#[derive(Clone, Debug)]
pub(crate) struct WindowId {
    pub(crate) flag: Name,
    pub(crate) definition: Definition,
    pub(crate) number: u64,
}

/// The way to a ledger.
#[derive(Clone, Debug)]
pub(crate) struct LedgerLink {
    pub(crate) commands: mpsc::UnboundedSender<LedgerCommand>,
    /// It is a file of this machine.
    pub(crate) is_file: bool,
}

/// What the controller asks of the ledger. An epoch is the number of the fact with which a flag began.
#[derive(Debug)]
pub(crate) enum LedgerCommand {
    /// Add facts, of one flag or of many.
    AddFacts(Vec<Fact>),
    /// Keep signs of flags and epochs.
    KeepSigns(Vec<(FlagEpoch, Vec<FirstSign>)>),
    /// Read the signs of a flag and an epoch from the first on, and from then on whatever comes, instead of those of another epoch.
    FollowSigns(FlagEpoch),
    /// Count who came at a step.
    CountArrivals(ArrivalsQuestion),
}

/// Who came at a step of a flag?
#[derive(Debug)]
pub(crate) struct ArrivalsQuestion {
    pub(crate) flag: Name,
    pub(crate) epoch: u64,
    pub(crate) step: usize,
    pub(crate) experiment: ExperimentId,
    /// When the step began.
    pub(crate) since: Timestamp,
    /// The arms at the step.
    pub(crate) arms: Vec<Allocation>,
}

/// What becomes known of the ledger.
#[derive(Debug)]
pub(crate) enum LedgerEvent {
    /// The clock of the ledger is so far ahead of this machine's. It is told before there are facts.
    Clock(SignedDuration),
    /// All facts of all flags, from which the controller begins.
    AllFacts(HashMap<Name, Vec<Fact>>),
    /// Other programs added facts of a flag.
    FactsAdded(Name, Vec<Fact>),
    /// Another program was first with a number: all facts of the flag, as they are now.
    Conflict(Name, Vec<Fact>),
    /// The ledger has fewer facts of a flag than it had: up to this number.
    FactsLost(Name, u64),
    /// The next signs of a flag and an epoch: all above a number.
    Signs { of: FlagEpoch, after: u64, next: NumberedSigns },
    /// Who was new at a step, by arm, and how many came to the treatment.
    Arrivals { flag: Name, epoch: u64, step: usize, by_arm: Vec<u64>, treatment: u64 },
    /// The ledger did not say who came at a step of a flag.
    ArrivalsUnknown(Name),
    /// The ledger cannot be reached, and why; or it can again.
    Unreachable(Option<String>),
}
