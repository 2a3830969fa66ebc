//! A plan in the making.

use std::sync::Arc;

use jiff::Timestamp;

use super::compiled::{Course, Plan};
use super::group::{Group, Layer, Row};
use super::lists::Lists;
use crate::{
    Allocation, BucketBy, Decision, DecisionList, DecisionStep, Flag, FlagId, Percent, Reason, Rollout, Slice,
    VariantId,
};

/// A plan in the making, to which flags are added in the order in which they are decided.
pub(crate) struct Draft<'a> {
    beginning: Vec<Decision>,
    courses: Vec<Course>,
    units: Vec<Rows<'a>>,
    by_steps: Vec<FlagId>,
    starts: Vec<(Timestamp, FlagId)>,
    lists: Arc<Lists>,
}

/// The rows of one unit, with the salts that they draw it with.
struct Rows<'a> {
    bucket_by: &'a BucketBy,
    salts: Vec<&'a str>,
    rows: Vec<Row>,
}

impl<'a> Draft<'a> {
    /// A plan for so many flags.
    pub(crate) fn new(flags: usize, lists: &Arc<Lists>) -> Self {
        Self {
            beginning: vec![Decision::UNKNOWN; flags],
            courses: vec![Course::BySteps; flags],
            units: Vec::new(),
            by_steps: Vec::new(),
            starts: Vec::new(),
            lists: Arc::clone(lists),
        }
    }

    /// The flag has this decision, whatever a request brings.
    pub(crate) fn settle(&mut self, id: FlagId, decision: Decision) {
        self.set(id, Course::Settled, decision);
    }

    /// The flag is decided step by step.
    pub(crate) fn ask_steps(&mut self, id: FlagId) {
        self.by_steps.push(id);
    }

    /// The flag is decided by its share, in its slices of a layer when it has a layer; before the start of its rollout step by step.
    pub(crate) fn share(&mut self, id: FlagId, flag: &'a Flag, layer: Option<(&'a str, &[Slice])>, percent: Percent) {
        let start = flag.rollout.as_ref().and_then(Rollout::start);
        self.starts.extend(start.map(|start| (start, id)));
        let settled = settled_share(flag, percent);
        let needs_unit = settled.is_none() || (percent > Percent::ZERO && !flag.bucket_by.is_of_every_request());
        match (layer, settled) {
            (None, Some(decision)) if !needs_unit => return self.set(id, Course::Open, decision),
            (None, _) => self.set(id, Course::Open, Decision::without_unit(DecisionStep::Percent)),
            (Some(_), _) => self.set(id, Course::Open, Decision::without_unit(DecisionStep::Layer)),
        }
        let unit = self.unit(&flag.bucket_by);
        let slices = |slices: &[Slice]| {
            slices.iter().map(|slice| (slice.from.thousandths(), slice.to.thousandths())).collect()
        };
        let layer = layer.map(|(salt, all)| Box::new(Layer { draw: unit.draw(salt), slices: slices(all) }));
        let row = Row { flag: id, layer, is_experiment: flag.is_experiment(percent), ..drawn(flag, percent) };
        let row = match settled {
            // positions are never below 0, so all are out
            Some(decision) => Row { below: 0, out_and_in: [decision; 2], arms: Box::default(), ..row },
            None => Row { draw: unit.draw(flag.salt()), ..row },
        };
        unit.rows.push(row);
    }

    /// The plan.
    pub(crate) fn finish(self) -> Plan {
        let group = |unit: Rows<'_>| Group::new(unit.bucket_by.clone(), &unit.salts, unit.rows);
        Plan {
            beginning: DecisionList::new(&self.beginning),
            courses: self.courses.into(),
            groups: self.units.into_iter().map(group).collect(),
            by_steps: self.by_steps.into(),
            starts: self.starts.into(),
            lists: self.lists,
        }
    }

    fn set(&mut self, id: FlagId, course: Course, decision: Decision) {
        if let (Some(slot), Some(known)) = (self.courses.get_mut(id.index()), self.beginning.get_mut(id.index())) {
            (*slot, *known) = (course, decision);
        }
    }

    fn unit(&mut self, bucket_by: &'a BucketBy) -> &mut Rows<'a> {
        let found = self.units.iter().position(|unit| unit.bucket_by == bucket_by);
        let at = found.unwrap_or_else(|| {
            self.units.push(Rows { bucket_by, salts: Vec::new(), rows: Vec::new() });
            self.units.len() - 1
        });
        &mut self.units[at]
    }
}

impl<'a> Rows<'a> {
    /// The number of a draw with this salt.
    fn draw(&mut self, salt: &'a str) -> u32 {
        let number = u32::try_from(self.salts.len()).unwrap_or(u32::MAX);
        self.salts.push(salt);
        number
    }
}

/// The decision of a share that every unit has alike; none when it is drawn.
fn settled_share(flag: &Flag, percent: Percent) -> Option<Decision> {
    if percent == Percent::ZERO {
        let is_written = flag.percent.is_some() || flag.rollout.is_some();
        let reason = if is_written { Reason::Static } else { Reason::Default };
        return Some(Decision::new(flag.variants.control(), reason, DecisionStep::Percent));
    }
    let is_for_all = percent == Percent::ALL && !flag.variants.are_named();
    is_for_all.then(|| Decision::new(VariantId::ON, Reason::Static, DecisionStep::Percent))
}

/// The variants' ranges as they lie, which need not be the order in which they are written.
fn along_the_draw(flag: &Flag) -> Vec<Allocation> {
    let mut ranges = flag.variants.ranges().to_vec();
    ranges.sort_by_key(|range| (range.from, range.to));
    ranges
}

/// A row of a flag that draws.
fn drawn(flag: &Flag, percent: Percent) -> Row {
    let split = |variant| Decision::new(variant, Reason::Split, DecisionStep::Percent);
    let control = flag.variants.control();
    let arm = |range: Allocation| (range.to, split(range.variant).counted());
    let is_named = flag.variants.are_named();
    // of a flag of off and on those outside are the control of those inside; named variants have their own
    let out = if is_named { split(control) } else { split(control).counted() };
    Row {
        flag: FlagId(0),
        draw: 0,
        below: percent.thousandths(),
        out_and_in: [out, split(VariantId::ON).counted()],
        arms: if is_named { along_the_draw(flag).into_iter().map(arm).collect() } else { Box::default() },
        layer: None,
        control,
        has_goals: !flag.goals.is_empty(),
        is_experiment: false,
    }
}
