//! What goes into the store in one transaction.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use flagstaff_flags::ExperimentId;

use crate::write::clock::Clock;
use crate::write::event::RecordedEvent;
use crate::write::experiment::Experiment;

/// Events in the order in which they came, sorted by what is done with them. No statement meets a row twice.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) forget: Vec<Box<str>>,
    pub(crate) exposures: Waves<(ExperimentId, Box<str>), Exposure>,
    pub(crate) returned: HashSet<Box<str>>,
    pub(crate) pages: Waves<Box<str>, i64>,
    pub(crate) conversions: Vec<Conversion>,
    /// Experiments that nobody is drawn for, and since when.
    pub(crate) not_drawn: Vec<(ExperimentId, i64)>,
    events: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Exposure {
    pub(crate) experiment: Arc<Experiment>,
    pub(crate) variant: u8,
    pub(crate) place: u32,
    pub(crate) held: bool,
    pub(crate) confirmed: bool,
    pub(crate) at: i64,
    /// Which of its experiment's periods it falls in, once that is known.
    pub(crate) period: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Conversion {
    pub(crate) goal: Arc<str>,
    pub(crate) unit: Box<str>,
    pub(crate) key: String,
    pub(crate) at: i64,
    pub(crate) value: Option<f64>,
    pub(crate) met: Option<Arc<[ExperimentId]>>,
}

/// Rows by key: in each wave a key is there once, and what came later is in a later wave.
pub(crate) struct Waves<K, V> {
    waves: Vec<HashMap<K, V>>,
}

impl<K, V> Default for Waves<K, V> {
    fn default() -> Self {
        Self { waves: Vec::new() }
    }
}

impl<K: std::hash::Hash + Eq, V> Waves<K, V> {
    fn add(&mut self, key: K, value: V) {
        match self.waves.iter_mut().find(|wave| !wave.contains_key(&key)) {
            Some(wave) => {
                wave.insert(key, value);
            }
            None => self.waves.push(HashMap::from([(key, value)])),
        }
    }

    fn remove(&mut self, is_gone: impl Fn(&K) -> bool) {
        self.waves.iter_mut().for_each(|wave| wave.retain(|key, _| !is_gone(key)));
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.waves.iter_mut().flat_map(HashMap::values_mut)
    }

    fn len(&self) -> usize {
        self.waves.iter().map(HashMap::len).sum()
    }

    /// Takes so many rows out, those of earlier waves first.
    fn take(&mut self, mut rows: usize) -> Self {
        let mut taken = Self::default();
        for wave in &mut self.waves {
            let part: HashMap<K, V> = if wave.len() <= rows {
                std::mem::take(wave)
            } else {
                let mut all = std::mem::take(wave).into_iter();
                let part = all.by_ref().take(rows).collect();
                *wave = all.collect();
                part
            };
            rows -= part.len();
            taken.waves.push(part);
        }
        taken
    }

    /// Takes rows out, each in its wave.
    fn take_if(&mut self, is_taken: impl Fn(&K) -> bool) -> Self {
        Self { waves: self.waves.iter_mut().map(|wave| wave.extract_if(|key, _| is_taken(key)).collect()).collect() }
    }

    fn keys(&self) -> impl Iterator<Item = &K> {
        self.waves.iter().flat_map(HashMap::keys)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &HashMap<K, V>> {
        self.waves.iter().filter(|wave| !wave.is_empty())
    }
}

impl Batch {
    /// Takes in one event, its time set right.
    pub(crate) fn add(&mut self, event: RecordedEvent, clock: &mut Clock) {
        self.events += 1;
        match event {
            RecordedEvent::Exposed { experiment, unit, variant, place, held, confirmed, at } => {
                let at = clock.read(at);
                let trial = experiment.trial();
                self.exposures
                    .add((trial, unit), Exposure { experiment, variant, place, held, confirmed, at, period: None });
            }
            RecordedEvent::Returned { unit } => {
                self.returned.insert(unit);
            }
            RecordedEvent::Page { unit, at } => self.pages.add(unit, clock.read(at)),
            RecordedEvent::Converted { goal, unit, value, key, at, met } => {
                let at = clock.read(at);
                let key = key.map_or_else(|| at.to_string(), Into::into);
                self.conversions.push(Conversion { goal, unit, key, at, value, met });
            }
            RecordedEvent::NotDrawn { trial, at } => self.not_drawn.push((trial, clock.read(at))),
            RecordedEvent::Forget { unit } => self.forget(unit),
        }
    }

    /// What came before is not written; what comes after is.
    fn forget(&mut self, unit: Box<str>) {
        self.exposures.remove(|(_, other)| *other == unit);
        self.returned.remove(&unit);
        self.pages.remove(|other| *other == unit);
        self.conversions.retain(|conversion| conversion.unit != unit);
        self.forget.push(unit);
    }

    /// So many of its events are units to forget, which are taken out.
    pub(crate) fn forgot(&mut self, units: usize) {
        self.events = self.events.saturating_sub(units);
    }

    /// How many rows it writes or changes.
    pub(crate) fn rows(&self) -> usize {
        self.exposures.len() + self.returned.len() + self.pages.len() + self.conversions.len()
    }

    /// Takes the first half of its rows out; what is written first stays first.
    pub(crate) fn half(&mut self) -> Self {
        let mut rows = self.rows() / 2;
        let exposures = self.exposures.take(rows);
        rows -= exposures.len();
        let returned: HashSet<_> = self.returned.iter().take(rows).cloned().collect();
        self.returned.retain(|unit| !returned.contains(unit));
        rows -= returned.len();
        let pages = self.pages.take(rows);
        rows -= pages.len();
        let conversions = self.conversions.drain(..rows.min(self.conversions.len())).collect();
        self.part(Self { exposures, returned, pages, conversions, ..Self::default() })
    }

    /// Takes the rows of a unit out.
    pub(crate) fn take_unit(&mut self, unit: &str) -> Self {
        let exposures = self.exposures.take_if(|(_, other)| **other == *unit);
        let returned = self.returned.take(unit).into_iter().collect();
        let pages = self.pages.take_if(|other| **other == *unit);
        let conversions = self.conversions.extract_if(.., |row| *row.unit == *unit).collect();
        self.part(Self { exposures, returned, pages, conversions, ..Self::default() })
    }

    /// A part that was taken out stands for as many events as it has rows.
    fn part(&mut self, mut part: Self) -> Self {
        part.events = part.rows().min(self.events);
        self.events -= part.events;
        part
    }

    /// The units of its rows.
    pub(crate) fn units(&self) -> impl Iterator<Item = &str> {
        let exposed = self.exposures.keys().map(|(_, unit)| &**unit);
        let seen = self.returned.iter().chain(self.pages.keys()).map(|unit| &**unit);
        exposed.chain(seen).chain(self.conversions.iter().map(|row| &*row.unit))
    }

    /// How many events it holds.
    pub(crate) fn events(&self) -> usize {
        self.events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_batches_hold_every_row() {
        let (mut batch, mut clock) = (Batch::default(), Clock::after(0));
        for i in 0..5_i64 {
            batch.add(RecordedEvent::Page { unit: format!("u{i}").into(), at: i }, &mut clock);
            batch.add(RecordedEvent::Page { unit: "u0".into(), at: 10 + i }, &mut clock);
            batch.add(RecordedEvent::Returned { unit: format!("u{i}").into() }, &mut clock);
            let (goal, unit) = ("g".into(), format!("u{i}").into());
            batch.add(RecordedEvent::Converted { goal, unit, value: None, key: None, at: i, met: None }, &mut clock);
        }
        let all = batch.rows();
        let (mut small, mut whole) = (vec![batch], Vec::new());
        while let Some(mut one) = small.pop() {
            if one.rows() > 1 {
                let half = one.half();
                assert!(half.rows() > 0 && one.rows() > 0);
                small.extend([one, half]);
            } else {
                whole.push(one);
            }
        }
        assert_eq!((whole.len(), all), (20, 20));
        assert_eq!(whole.iter().map(Batch::events).sum::<usize>(), 20);
        assert!(whole.iter().all(|one| one.units().count() == 1));
    }

    #[test]
    fn what_came_before_forgetting_is_not_written() {
        let (mut batch, mut clock) = (Batch::default(), Clock::after(0));
        let page = |unit: &str, at| RecordedEvent::Page { unit: unit.into(), at };
        batch.add(page("a", 1), &mut clock);
        batch.add(page("b", 2), &mut clock);
        batch.add(RecordedEvent::Forget { unit: "a".into() }, &mut clock);
        batch.add(page("a", 3), &mut clock);
        batch.add(page("a", 4), &mut clock);
        let mut pages: Vec<_> = batch.pages.iter().flatten().map(|(unit, at)| (&**unit, *at)).collect();
        pages.sort_unstable();
        assert_eq!(pages, [("a", 3), ("a", 4), ("b", 2)]);
        assert_eq!((batch.forget.len(), batch.events()), (1, 5));
    }
}
