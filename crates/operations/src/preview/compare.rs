//! What two sets of flags give each of the last visitors.

use std::collections::BTreeMap;
use std::sync::Arc;

use flagstaff_flags::{Decisions, FlagId, KeptSubject, Snapshot};
use jiff::Timestamp;

/// The most decisions of one comparison and side, so that hundreds of flags take no minutes; there are fewer visitors then.
const MOST_DECISIONS: usize = 1_000_000;

/// What becomes of one flag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Compared {
    /// Visitors who get another variant.
    pub(super) moves: u64,
    /// Visitors who get the same only because it is remembered.
    pub(super) kept: u64,
    /// By variant, before and after.
    pub(super) variants: BTreeMap<String, [u64; 2]>,
}

/// What becomes of all flags.
#[derive(Clone, Debug, Default)]
pub(super) struct Comparison {
    /// Visitors that were looked at.
    pub(super) of: u64,
    /// Visitors for whom something changes.
    pub(super) moves: u64,
    /// In the order of the flags before; new ones follow.
    pub(super) flags: Vec<(String, Compared)>,
}

struct Pair {
    name: String,
    before: Option<FlagId>,
    after: Option<FlagId>,
    compared: Compared,
}

/// Decides every flag twice for each visitor.
pub(super) fn compare(
    before: &Arc<Snapshot>,
    after: &Arc<Snapshot>,
    visitors: &[Arc<KeptSubject>],
    now: Timestamp,
) -> Comparison {
    let mut pairs = pairs(before, after);
    let most = MOST_DECISIONS / pairs.len().max(1);
    let latest = visitors.get(visitors.len().saturating_sub(most)..).unwrap_or_default();
    let (mut of, mut moves) = (0, 0);
    let [mut was, mut becomes, mut fresh] = [before, after, after].map(Snapshot::undecided);
    for visitor in latest {
        was.decide_kept(visitor, true, now);
        becomes.decide_kept(visitor, true, now);
        let remembers = !visitor.remembered.is_empty();
        if remembers {
            fresh.decide_kept(visitor, false, now);
        }
        let mut is_moved = false;
        for pair in &mut pairs {
            is_moved |= pair.add(&was, &becomes, remembers.then_some(&fresh));
        }
        of += 1;
        moves += u64::from(is_moved);
    }
    Comparison { of, moves, flags: pairs.into_iter().map(|pair| (pair.name, pair.compared)).collect() }
}

fn pairs(before: &Snapshot, after: &Snapshot) -> Vec<Pair> {
    let new = after.flags().iter().filter(|flag| before.find(flag.name.as_str()).is_none());
    let of = |name: &str| Pair {
        name: name.into(),
        before: before.find(name),
        after: after.find(name),
        compared: Compared::default(),
    };
    before.flags().iter().chain(new).map(|flag| of(flag.name.as_str())).collect()
}

impl Pair {
    /// Adds a visitor; whether the visitor gets another variant.
    fn add(&mut self, was: &Decisions, becomes: &Decisions, fresh: Option<&Decisions>) -> bool {
        let (old, new) = (variant(was, self.before), variant(becomes, self.after));
        if !self.compared.variants.contains_key(old) {
            self.compared.variants.insert(old.into(), [0; 2]);
        }
        if !self.compared.variants.contains_key(new) {
            self.compared.variants.insert(new.into(), [0; 2]);
        }
        for (name, side) in [(old, 0), (new, 1)] {
            if let Some(count) = self.compared.variants.get_mut(name).and_then(|counts| counts.get_mut(side)) {
                *count += 1;
            }
        }
        let is_moved = old != new;
        self.compared.moves += u64::from(is_moved);
        let is_kept = !is_moved && fresh.is_some_and(|fresh| variant(fresh, self.after) != new);
        self.compared.kept += u64::from(is_kept);
        is_moved
    }
}

/// A flag that is not there is off.
fn variant(decisions: &Decisions, id: Option<FlagId>) -> &str {
    let Some(id) = id else { return "off" };
    decisions.snapshot().flag(id).map_or("off", |flag| flag.variants.name(decisions.of(id).variant()))
}
