//! What was recorded about flags, beside what is written of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::{Definition, Flag, Name, Standing};

/// What was recorded about flags, beside what is written: each holds for one definition of a flag, so an edit ends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedFacts {
    /// Flags that a guard rolled back.
    pub tripped: Vec<(Name, Definition)>,
    /// Steps of rollouts, from 0; the number of steps once all are behind.
    pub steps: Vec<(Name, Definition, usize)>,
    /// Flags that a person switched off beside their file, whatever their definition, and the person who did it, in words.
    pub switched_off: Vec<(Name, String)>,
    /// Flags that started again, with the number of the fact since which what visitors drew is remembered, whatever their definition.
    pub remembered: Vec<(Name, u64)>,
    /// What was recorded could not be read yet. Flags with a rollout or a guard stay off until then: one of them may have
    /// been rolled back.
    pub unknown: bool,
    /// Flags of which enough is known all the same.
    pub known: Vec<Name>,
}

impl RecordedFacts {
    /// Adds where a flag stands.
    pub fn add(&mut self, flag: &Name, standing: &Standing) {
        if standing.trip.is_some() {
            self.tripped.push((flag.clone(), standing.definition));
        }
        self.tripped.extend(standing.tripped_before.iter().map(|definition| (flag.clone(), *definition)));
        if standing.step > 0 {
            self.steps.push((flag.clone(), standing.definition, standing.step));
        }
        if let Some(off) = &standing.switched_off {
            self.switched_off.push((flag.clone(), format!("switched off by {} at {:.0}", off.by, off.at)));
        }
        if standing.remembers_since > 0 {
            self.remembered.push((flag.clone(), standing.remembers_since));
        }
    }

    /// Adds what holds where a flag is still as it was earlier, on a program with an older file: what rolled it back since then.
    pub fn add_earlier(&mut self, flag: &Name, standing: &Standing) {
        if standing.trip.is_some() {
            self.tripped.extend(standing.earlier.iter().map(|definition| (flag.clone(), *definition)));
        }
    }

    /// What of this is about each of these flags, in their order.
    pub(super) fn of_each(&self, flags: &[Arc<Flag>]) -> Arc<[FlagFacts]> {
        let tripped: HashSet<_> = self.tripped.iter().map(|(name, definition)| (name, *definition)).collect();
        let of = |(name, definition, step): &'_ (Name, Definition, usize)| ((name.clone(), *definition), *step);
        let steps: HashMap<_, _> = self.steps.iter().map(of).collect();
        let off: HashMap<_, _> = self.switched_off.iter().map(|(name, words)| (name, words.as_str())).collect();
        let remembered: HashMap<_, _> = self.remembered.iter().map(|(name, since)| (name, *since)).collect();
        let known: HashSet<_> = self.known.iter().collect();
        // what an earlier version of the program recorded is about the same definition
        let both = |flag: &Flag| [flag.definition, flag.former_definition];
        let of = |flag: &Arc<Flag>| FlagFacts {
            switched_off: off.get(&flag.name).map(|words| Arc::from(*words)),
            unknown: self.unknown && flag.needs_facts() && !known.contains(&flag.name),
            tripped: both(flag).into_iter().any(|definition| tripped.contains(&(&flag.name, definition))),
            step: both(flag)
                .into_iter()
                .find_map(|one| steps.get(&(flag.name.clone(), one)).copied())
                .unwrap_or_default(),
            remembers_since: remembered.get(&flag.name).copied().unwrap_or_default(),
        };
        flags.iter().map(of).collect()
    }
}

/// What is recorded about one flag.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct FlagFacts {
    pub(crate) switched_off: Option<Arc<str>>,
    pub(crate) unknown: bool,
    pub(crate) tripped: bool,
    pub(crate) step: usize,
    pub(crate) remembers_since: u64,
}

impl FlagFacts {
    /// Whether the flag is off for everyone, whatever its file says.
    pub(crate) const fn holds_off(&self) -> bool {
        self.switched_off.is_some() || self.tripped || self.unknown
    }

    /// Adds what is recorded about this flag.
    pub(super) fn tell(&self, flag: &Flag, facts: &mut RecordedFacts) {
        let (name, definition) = (&flag.name, flag.definition);
        if self.tripped {
            facts.tripped.push((name.clone(), definition));
        }
        if self.step > 0 {
            facts.steps.push((name.clone(), definition, self.step));
        }
        if self.remembers_since > 0 {
            facts.remembered.push((name.clone(), self.remembers_since));
        }
        facts.switched_off.extend(self.switched_off.as_deref().map(|words| (name.clone(), words.to_owned())));
        if self.unknown {
            facts.unknown = true;
        } else {
            facts.known.push(name.clone());
        }
    }
}
