//! The flags that the draw of one unit decides.

use super::salts::Salts;
use crate::{BucketBy, Decision, DecisionStep, Draw, FlagId, Reason, Subject, VariantId};

/// Draws that hardly need any room, and those that need no allocation.
const FEW: usize = 8;
const INLINE: usize = 64;

/// The flags that one unit decides, and all the salts that they draw it with.
#[derive(Debug)]
pub(super) struct Group {
    bucket_by: BucketBy,
    salts: Salts,
    simple: Box<[SimpleRow]>,
    /// All the others.
    rows: Box<[Row]>,
}

/// One flag for which a position decides between off and on, and nothing else matters.
#[derive(Debug)]
struct SimpleRow {
    flag: FlagId,
    draw: u32,
    below: u32,
    out_and_in: [Decision; 2],
}

impl SimpleRow {
    const fn of(row: &Row) -> Self {
        let Row { flag, draw, below, out_and_in, .. } = *row;
        Self { flag, draw, below, out_and_in }
    }
}

/// One flag, for a subject whose unit is known, and whom nothing that comes before the draw decides for.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) flag: FlagId,
    /// The place of its salt.
    pub(crate) draw: u32,
    /// Positions below it are in.
    pub(crate) below: u32,
    /// Decisions for those who are out, and for those who are in.
    pub(crate) out_and_in: [Decision; 2],
    /// Decisions for those who are in, each with the split below which it is theirs, the last one for all who are left. None for a flag
    /// of off and on.
    pub(crate) arms: Box<[(u32, Decision)]>,
    /// Its slices of a layer.
    pub(crate) layer: Option<Box<Layer>>,
    pub(crate) control: VariantId,
    /// It has goals, so nobody held out is counted for it.
    pub(crate) has_goals: bool,
    /// It is an experiment, so those held out get the control.
    pub(crate) is_experiment: bool,
}

/// A draw of a layer, and the positions of one flag in it.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// The place of its salt.
    pub(crate) draw: u32,
    /// From and to, in thousandths of a percent.
    pub(crate) slices: Box<[(u32, u32)]>,
}

fn at(draws: &[Draw], place: u32) -> Draw {
    draws.get(place as usize).copied().unwrap_or(Draw::FIRST)
}

impl Row {
    fn is_simple(&self) -> bool {
        self.arms.is_empty() && self.layer.is_none() && !self.has_goals && !self.is_experiment
    }

    #[inline]
    fn decision(&self, draws: &[Draw]) -> Decision {
        if self.layer.as_ref().is_some_and(|layer| !layer.holds(draws)) {
            return Decision::new(self.control, Reason::Split, DecisionStep::Layer);
        }
        let draw = at(draws, self.draw);
        let is_in = draw.position() < self.below;
        // looked up, not branched on: half of the time the processor would guess wrong
        let [first @ .., last] = &*self.arms else {
            return self.out_and_in[usize::from(is_in)];
        };
        let passed = first.iter().filter(|(below, _)| draw.split() >= *below).count();
        let (_, inside) = self.arms.get(passed).unwrap_or(last);
        *[&self.out_and_in[0], inside][usize::from(is_in)]
    }

    /// The decision where somebody is held out: this subject, or another one.
    fn beside_holdout(&self, decision: Decision, is_held_out: bool) -> Decision {
        let decision = match (is_held_out, self.is_experiment) {
            (true, true) => Decision::new(self.control, Reason::Split, DecisionStep::Holdout),
            (true, false) if self.has_goals => decision.uncounted(),
            _ => decision,
        };
        if self.is_experiment { decision.in_experiment() } else { decision }
    }
}

impl Layer {
    fn holds(&self, draws: &[Draw]) -> bool {
        let position = at(draws, self.draw).position();
        self.slices.iter().any(|(from, to)| (*from..*to).contains(&position))
    }
}

impl Group {
    /// Rows whose draws are numbered by the salts of this list.
    pub(super) fn new(bucket_by: BucketBy, salts: &[&str], mut rows: Vec<Row>) -> Self {
        let (salts, places) = Salts::new(salts);
        let place = |draw: &mut u32| *draw = places.get(*draw as usize).copied().unwrap_or_default();
        for row in &mut rows {
            place(&mut row.draw);
            row.layer.iter_mut().for_each(|layer| place(&mut layer.draw));
        }
        let (simple, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(Row::is_simple);
        Self { bucket_by, salts, simple: simple.iter().map(SimpleRow::of).collect(), rows: rows.into() }
    }

    /// Decides its flags. `is_held_out` is none where nobody is held out.
    pub(super) fn fill(&self, subject: &Subject<'_>, is_held_out: Option<bool>, all: &mut [Decision]) {
        let Some(unit) = self.bucket_by.unit(subject) else {
            return self.decide_without_unit(is_held_out, all);
        };
        let draws = self.salts.len();
        if draws <= FEW {
            self.decide(unit, is_held_out, &mut [Draw::FIRST; FEW], all);
        } else if draws <= INLINE {
            self.decide(unit, is_held_out, &mut [Draw::FIRST; INLINE], all);
        } else {
            self.decide(unit, is_held_out, &mut vec![Draw::FIRST; draws], all);
        }
    }

    /// Decides its flags for a unit, with room for as many draws as there are salts.
    fn decide(&self, unit: &str, is_held_out: Option<bool>, room: &mut [Draw], all: &mut [Decision]) {
        let draws = room.get_mut(..self.salts.len()).unwrap_or_default();
        self.salts.draw(unit, draws);
        for row in &self.simple {
            let is_in = at(draws, row.draw).position() < row.below;
            set(all, row.flag, row.out_and_in[usize::from(is_in)]);
        }
        for row in &self.rows {
            set(all, row.flag, row.decision(draws));
        }
        if let Some(is_held_out) = is_held_out {
            for row in self.rows.iter().filter(|row| row.has_goals) {
                let decision = all.get(row.flag.index()).copied().unwrap_or(Decision::UNKNOWN);
                set(all, row.flag, row.beside_holdout(decision, is_held_out));
            }
        }
    }

    /// The plan begins with what is decided without a unit. Only the holdout comes before it.
    fn decide_without_unit(&self, is_held_out: Option<bool>, all: &mut [Decision]) {
        if is_held_out == Some(true) {
            for row in self.rows.iter().filter(|row| row.is_experiment) {
                set(all, row.flag, Decision::new(row.control, Reason::Split, DecisionStep::Holdout));
            }
        }
    }
}

fn set(all: &mut [Decision], flag: FlagId, decision: Decision) {
    if let Some(slot) = all.get_mut(flag.index()) {
        *slot = decision;
    }
}
