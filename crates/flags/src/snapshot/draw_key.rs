//! Everything between a unit and the draw of a flag, as one number.

use std::collections::HashSet;

use jiff::Timestamp;

use super::recorded::FlagFacts;
use crate::{ExperimentId, Flag, FlagId, Holdout, Percent, Snapshot, VariantId};

/// FNV-1a of 64 bits: programs of every version and machine come to the same number.
#[derive(Clone, Copy)]
struct Fnv(u64);

impl Fnv {
    const NEW: Self = Self(0xcbf2_9ce4_8422_2325);

    fn bytes(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)))
    }

    fn number(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// A text with its length, so that no two lists read the same.
    fn text(self, text: &str) -> Self {
        self.number(text.len() as u64).bytes(text.as_bytes())
    }
}

impl Snapshot {
    /// All that says who is drawn for a flag at a time, and that may change without another experiment: its percentage, its slices of a layer, the
    /// holdout, and how the flags that it requires stand. As long as this number and its arms stay the same, the same units come to the same draw; of
    /// those whom nothing else decides for. It is the same in every program.
    #[must_use]
    pub fn draw_key(&self, id: FlagId, now: Timestamp) -> u64 {
        let key = self.drawn_by(Fnv::NEW, id, now);
        let key = self.requirements(id).into_iter().fold(key, |key, (required, wanted)| {
            let key = key.number(wanted.map_or(u64::MAX, |variant| variant.index() as u64));
            self.drawn_by(self.stands(key, required), required, now)
        });
        key.0
    }

    /// The experiments that somebody is drawn for at a time: not those of flags that are the same for everybody, or are off for a reason that comes before
    /// the draw. All experiments together are one.
    #[must_use]
    pub fn drawn_experiments(&self, now: Timestamp) -> HashSet<ExperimentId> {
        let flags = self.ids().filter(|id| self.is_drawn(*id, now)).map(|id| self.experiment_id(id));
        flags.chain(self.holdout().map(Holdout::experiment_id)).collect()
    }

    fn is_drawn(&self, id: FlagId, now: Timestamp) -> bool {
        let Some(flag) = self.flag(id) else { return false };
        let share = self.share(id, now);
        let is_shared_out = share > Percent::ZERO && (share < Percent::ALL || flag.variants.are_named());
        let is_as_wanted = |(required, wanted): (FlagId, Option<VariantId>)| {
            let is = self.for_all(required);
            is.is_none_or(|is| wanted.map_or(is != VariantId::OFF, |wanted| is == wanted))
        };
        is_shared_out && self.for_all(id).is_none() && self.requirements(id).into_iter().all(is_as_wanted)
    }

    /// The flags that it requires, and those that they require, each once for each of its variants that is asked for.
    fn requirements(&self, id: FlagId) -> Vec<(FlagId, Option<VariantId>)> {
        let of = |id| self.link(id).map_or(&[][..], |link| link.requires.as_slice());
        let (mut all, mut next) = (of(id).to_vec(), 0);
        while let Some((required, _)) = all.get(next).copied() {
            next += 1;
            for one in of(required) {
                if !all.contains(one) {
                    all.push(*one);
                }
            }
        }
        all
    }

    /// The variant that everybody has of a flag for a reason that comes before all others.
    fn for_all(&self, id: FlagId) -> Option<VariantId> {
        let flag = self.flag(id)?;
        let is_off = !flag.enabled || self.fact(id).is_some_and(FlagFacts::holds_off);
        flag.pin.as_ref().map(|pin| pin.variant).or(is_off.then_some(VariantId::OFF))
    }

    fn drawn_by(&self, key: Fnv, id: FlagId, now: Timestamp) -> Fnv {
        let Some(flag) = self.flag(id) else { return key };
        let share = self.share(id, now);
        let key = self.sliced(key.number(share.thousandths().into()), id);
        match self.holdout().filter(|_| flag.is_experiment(share)) {
            Some(holdout) => key.text(holdout.salt()).number(holdout.percent().thousandths().into()),
            None => key,
        }
    }

    fn sliced(&self, key: Fnv, id: FlagId) -> Fnv {
        let Some((index, slices)) = self.link(id).and_then(|link| link.layer.as_ref()) else { return key };
        let key = self.layers.get(*index).map_or(key, |layer| {
            key.text(layer.name.as_str()).text(layer.hash.as_ref().map_or("", |hash| hash.id()))
        });
        slices
            .iter()
            .fold(key, |key, slice| key.number(slice.from.thousandths().into()).number(slice.to.thousandths().into()))
    }

    /// How a required flag stands before anything is drawn, and where its variants lie.
    fn stands(&self, key: Fnv, id: FlagId) -> Fnv {
        let Some(flag) = self.flag(id) else { return key };
        let key = key.number(self.experiment_id(id).as_u64());
        let key = key.number(self.for_all(id).map_or(u64::MAX, |variant| variant.index() as u64));
        ranges(flag).fold(key, |key, (from, to)| key.number(from.into()).number(to.into()))
    }
}

fn ranges(flag: &Flag) -> impl Iterator<Item = (u32, u32)> + '_ {
    flag.variants.ranges().iter().map(|range| (range.from, range.to))
}

#[cfg(test)]
mod tests {
    use crate::{ExclusionLayer, Name, RecordedFacts, Requirement, Slice};

    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn percent(percent: u32) -> Percent {
        Percent::from_thousandths(percent * 1000)
    }

    /// A flag `a` in a layer, which requires another.
    struct World {
        a: Flag,
        required: Flag,
        slice: (u32, u32),
        held_out: u32,
    }

    impl World {
        fn new() -> Self {
            let requires = vec![Requirement { flag: name("b"), variant: None }];
            let goals = vec![name("sent")];
            let a = Flag { percent: Some(percent(50)), goals, requires, ..Flag::new(name("a")) };
            let required = Flag { percent: Some(percent(20)), ..Flag::new(name("b")) };
            Self { a, required, slice: (0, 40), held_out: 5 }
        }

        fn snapshot(&self) -> Snapshot {
            let slice = Slice { flag: name("a"), from: percent(self.slice.0), to: percent(self.slice.1) };
            let layers = vec![ExclusionLayer::new(name("layer"), vec![slice])];
            let goal =
                crate::Goal { name: name("sent"), trigger: crate::Trigger::Event(crate::EventGoal::new("sent")) };
            let flags = vec![self.a.clone(), self.required.clone()];
            let snapshot = Snapshot::new("", flags, vec![goal], vec![], layers).unwrap();
            snapshot.with_holdout(Some(Holdout::new(percent(self.held_out), None)))
        }

        fn key(&self) -> u64 {
            let snapshot = self.snapshot();
            snapshot.draw_key(snapshot.find("a").unwrap(), Timestamp::UNIX_EPOCH)
        }

        /// Whether somebody is drawn for `a`.
        fn is_drawn(&self, facts: &RecordedFacts) -> bool {
            let snapshot = self.snapshot().with_facts(facts);
            let drawn = snapshot.drawn_experiments(Timestamp::UNIX_EPOCH);
            drawn.contains(&snapshot.experiment_id(snapshot.find("a").unwrap()))
        }
    }

    #[test]
    fn whatever_changes_who_is_drawn_changes_the_key() {
        let (world, before) = (World::new, World::new().key());
        let mut keys = vec![before];
        let mut changed = |change: &dyn Fn(&mut World)| {
            let mut world = world();
            change(&mut world);
            keys.push(world.key());
        };
        changed(&|world| world.a.percent = Some(percent(60)));
        changed(&|world| world.slice = (0, 50));
        changed(&|world| world.slice = (10, 50));
        changed(&|world| world.held_out = 6);
        changed(&|world| world.held_out = 0);
        changed(&|world| world.required.percent = Some(percent(21)));
        changed(&|world| world.required.enabled = false);
        changed(&|world| world.required.salt = Some("other".into()));
        changed(&|world| world.a.requires.clear());
        changed(&|world| world.a.requires = vec![Requirement { flag: name("b"), variant: Some("on".into()) }]);
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[..place].contains(key), "change {place}");
        }
        let mut described = world();
        described.a.description = Some("other words".into());
        described.required.owner = Some("somebody".into());
        described.a.definition = crate::Definition(9);
        assert_eq!(described.key(), before, "a description decides nothing");
        assert_eq!(before, 0x94cb_70ec_7484_ffda, "kept in ledgers: it stays the same in every version");
    }

    #[test]
    fn nobody_is_drawn_for_a_flag_that_everybody_has_alike() {
        let none = RecordedFacts::default();
        let drawn = |change: &dyn Fn(&mut World)| {
            let mut world = World::new();
            change(&mut world);
            world.is_drawn(&none)
        };
        assert!(drawn(&|_| {}) && drawn(&|world| world.required.percent = None));
        assert!(!drawn(&|world| world.a.enabled = false));
        assert!(!drawn(&|world| world.a.percent = Some(percent(0))));
        assert!(!drawn(&|world| world.a.percent = Some(percent(100))));
        assert!(!drawn(&|world| world.required.enabled = false));
        let off = RecordedFacts { switched_off: vec![(name("a"), "off".into())], ..RecordedFacts::default() };
        assert!(!World::new().is_drawn(&off));
        let holdout = World::new().snapshot();
        let id = holdout.holdout().unwrap().experiment_id();
        assert!(holdout.drawn_experiments(Timestamp::UNIX_EPOCH).contains(&id));
    }
}
