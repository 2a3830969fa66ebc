//! A flag with a guard and its visitors, for tests.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flagstaff_flags::{
    DecisionStep, Definition, Fact, FactKind, Flag, Guard, Hold, Name, Percent, Publisher, Rollout, RolloutStep,
    Snapshot, StatusSet, Subject, VariantId,
};
use flagstaff_tag::Network;
use jiff::Timestamp;

use crate::monitor::{Answered, Exposure, Outcome, OutcomeMonitor, Outcomes, unit_key};

pub(crate) fn name() -> Name {
    Name::new("checkout").unwrap()
}

/// A flag at half that trips when three in a row fail, or when errors tell.
pub(crate) fn flag(definition: u64) -> Flag {
    let mut guard = Guard::new(0.001).unwrap();
    (guard.errors, guard.fuse) = (Some(StatusSet::new("5xx").unwrap()), Some(3));
    let percent = Some(Percent::new(50.0).unwrap());
    Flag { percent, guard: Some(guard), definition: Definition(definition), ..Flag::new(name()) }
}

pub(crate) fn snapshot(flag: Flag) -> Snapshot {
    Snapshot::new("test", vec![flag], vec![], vec![], vec![]).unwrap()
}

/// A visitor of an arm, by number, from an address of a network of its own or of one that all share.
pub(crate) struct Visitor<'a> {
    pub(crate) snapshot: &'a Arc<Snapshot>,
    pub(crate) number: u32,
    pub(crate) has_flag: bool,
    pub(crate) shares_network: bool,
}

impl Visitor<'_> {
    pub(crate) fn does(&self, monitor: &OutcomeMonitor, result: Answered) {
        self.gets(monitor, result, false);
    }

    pub(crate) fn gets(&self, monitor: &OutcomeMonitor, result: Answered, by_upstream: bool) {
        let variant = if self.has_flag { VariantId::ON } else { VariantId::OFF };
        let block = if self.shares_network { 1 } else { 1_000 + self.number };
        let unit = format!("visitor-{}-{}", self.number, self.has_flag);
        let exposure = Exposure {
            snapshot: self.snapshot,
            flag: self.snapshot.find("checkout").unwrap(),
            variant,
            drawn: variant,
            unit: &unit,
            key: unit_key(&unit),
            network: Some(Network::of(Ipv4Addr::from_bits(block << 8 | 7).into())),
            at: Timestamp::now(),
            since: Instant::now(),
        };
        let outcome = Outcome { exposure: &exposure, result: Some(result), at: Instant::now(), by_upstream };
        monitor.answered(&monitor.known(), &outcome);
    }
}

pub(crate) const FINE: Answered = Answered::Fine(Some(Duration::from_millis(1)));

pub(crate) fn is_tripped(publisher: &Publisher) -> bool {
    publisher.current().decide(&Subject::at(Timestamp::now())).get("checkout").step() == DecisionStep::Tripped
}

pub(crate) fn fact(number: u64, kind: FactKind, at: Timestamp) -> Fact {
    let (by, why) = ("pia".into(), String::new());
    Fact { flag: name(), number, at, definition: Definition(1), kind, step: 0, by, why, evidence: None }
}

/// The flag with a rollout: these steps, each with its hold, which takes three visitors.
pub(crate) fn in_steps<const N: usize>(steps: [(f64, Hold); N]) -> Flag {
    let step = |(percent, hold)| RolloutStep { percent: Percent::new(percent).unwrap(), hold, min_visitors: Some(3) };
    let rollout = Rollout::new(None, steps.map(step).into()).unwrap();
    Flag { percent: None, rollout: Some(rollout), ..flag(1) }
}
