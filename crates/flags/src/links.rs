//! What ties flags to each other, resolved once and checked.

use std::collections::HashMap;

use crate::problem::nearest;
use crate::{
    BucketBy, Flag, FlagId, FlagLayer, Goal, Name, Problem, Segment, Slice, Sticky, Trial, Trigger, VariantId,
};

/// How many problems get a suggestion of what was meant.
const SUGGESTED: usize = 100;

/// The ties of a snapshot's flags.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Flags in an order in which those required come before those that require them.
    pub(crate) order: Vec<FlagId>,
    /// Ties of each flag.
    pub(crate) of: Vec<Ties>,
    /// Some flag draws by session, or remembers for one.
    pub(crate) needs_session: bool,
}

/// The ties of one flag.
#[derive(Debug, Default)]
pub(crate) struct Ties {
    /// Flags it needs, and the variant they must have.
    pub(crate) requires: Vec<(FlagId, Option<VariantId>)>,
    /// The place of its layer, and its slices there.
    pub(crate) layer: Option<(usize, Vec<Slice>)>,
    /// Which experiment it is.
    pub(crate) trial: Trial,
}

/// Places by name.
pub(crate) fn index(flags: &[Flag]) -> HashMap<Name, FlagId> {
    flags.iter().zip(0..).map(|(flag, i)| (flag.name.clone(), FlagId(i))).collect()
}

/// A flag that has slices of a layer is in it, also when it does not say so.
pub(crate) fn join_layers(flags: &mut [Flag], layers: &[FlagLayer]) {
    for flag in flags.iter_mut().filter(|flag| flag.layer.is_none()) {
        let has_slice = |layer: &&FlagLayer| layer.slices.iter().any(|slice| slice.flag == flag.name);
        flag.layer = layers.iter().find(has_slice).map(|layer| layer.name.clone());
    }
}

impl Links {
    /// Resolves all ties.
    ///
    /// # Errors
    /// With every tie that does not hold.
    pub(crate) fn new(
        flags: &[Flag],
        by_name: &HashMap<Name, FlagId>,
        goals: &[Goal],
        segments: &[Segment],
        layers: &[FlagLayer],
    ) -> Result<Self, Vec<Problem>> {
        let mut check = Check { flags, by_name, goals, segments, layers, problems: Vec::new() };
        let of: Vec<Ties> = flags.iter().map(|flag| check.ties(flag)).collect();
        check.layers();
        check.segments();
        let order = check.order(&of);
        if !check.problems.is_empty() {
            return Err(check.problems);
        }
        let by_session = |f: &Flag| f.bucket_by == BucketBy::Session || f.stickiness() == Sticky::Session;
        Ok(Self { order, of, needs_session: flags.iter().any(by_session) })
    }
}

struct Check<'a> {
    flags: &'a [Flag],
    by_name: &'a HashMap<Name, FlagId>,
    goals: &'a [Goal],
    segments: &'a [Segment],
    layers: &'a [FlagLayer],
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn ties(&mut self, flag: &Flag) -> Ties {
        self.goals_of(flag);
        self.segments_of(flag);
        Ties { requires: self.requires_of(flag), layer: self.layer_of(flag), trial: Trial::of(flag) }
    }

    /// Reports a name that nothing has.
    fn unknown(&mut self, at: &[&str], what: &str, name: &Name, known: &[&Name]) {
        let problem = Problem::new(at.iter().copied(), format!("there is no {what} `{name}`"));
        let some: Vec<_> = known.iter().take(12).map(|n| n.as_str()).collect();
        // Looking for likeness takes every name against every other; nobody reads so many suggestions.
        let few = self.problems.len() < SUGGESTED;
        let near = nearest(name.as_str(), known.iter().filter(|_| few).map(|n| n.as_str()));
        self.problems.push(match (near, known.is_empty()) {
            (Some(near), _) => problem.help(format!("did you mean `{near}`?")),
            (None, true) => problem.help(format!("no {what} is defined; write [{what}s.{name}]")),
            (None, false) => problem.help(format!("there are: {}", some.join(", "))),
        });
    }

    fn requires_of(&mut self, flag: &Flag) -> Vec<(FlagId, Option<VariantId>)> {
        let mut resolved = Vec::new();
        for requirement in &flag.requires {
            let at = ["flags", flag.name.as_str(), "requires", requirement.flag.as_str()];
            let Some(id) = self.by_name.get(&requirement.flag).copied() else {
                let known: Vec<_> = self.flags.iter().map(|f| &f.name).collect();
                self.unknown(&at, "flag", &requirement.flag, &known);
                continue;
            };
            let Some(other) = self.flags.get(id.index()) else {
                continue;
            };
            let variant = requirement.variant.as_deref().map(|name| (name, other.variants.find(name)));
            if let Some((name, None)) = variant {
                let names = other.variants.names().join(", ");
                let problem = Problem::new(at, format!("the flag `{}` has no variant `{name}`", other.name));
                self.problems.push(problem.help(format!("it can be: {names}")));
                continue;
            }
            resolved.push((id, variant.and_then(|(_, id)| id)));
        }
        resolved
    }

    fn goals_of(&mut self, flag: &Flag) {
        let known: Vec<_> = self.goals.iter().map(|goal| &goal.name).collect();
        let guarded = flag.guard.iter().flat_map(|guard| &guard.goals).map(|goal| ("guard", goal));
        for (table, goal) in flag.goals.iter().map(|goal| ("", goal)).chain(guarded) {
            if !known.contains(&goal) {
                let at = ["flags", flag.name.as_str(), table, "goals", goal.as_str()];
                let at: Vec<_> = at.into_iter().filter(|key| !key.is_empty()).collect();
                self.unknown(&at, "goal", goal, &known);
            } else if table == "guard" && self.is_bounce(goal) {
                let at = ["flags", flag.name.as_str(), "guard", "goals", goal.as_str()];
                let problem = Problem::new(at, format!("`{goal}` counts who leaves, which a guard cannot hear"));
                self.problems.push(problem.help("name a goal that is reached by a request or an event"));
            }
        }
    }

    fn is_bounce(&self, name: &Name) -> bool {
        let mut goals = self.goals.iter();
        goals.any(|goal| goal.name == *name && matches!(goal.trigger, Trigger::Bounce { .. }))
    }

    fn segments_of(&mut self, flag: &Flag) {
        let known: Vec<_> = self.segments.iter().map(|segment| &segment.name).collect();
        let audiences = [("allow", &flag.allow), ("deny", &flag.deny)];
        for (key, name) in audiences.iter().flat_map(|(k, a)| a.iter().flat_map(|a| &a.segments).map(move |n| (k, n)))
        {
            if !known.contains(&name) {
                self.unknown(&["flags", flag.name.as_str(), key, "segments", name.as_str()], "segment", name, &known);
            }
        }
        for (i, rule) in flag.rules.iter().enumerate() {
            for name in rule.when.segments().filter(|name| !known.contains(name)) {
                let at = ["flags", flag.name.as_str(), "rules", &i.to_string(), "if", "segment", name.as_str()];
                self.unknown(&at, "segment", name, &known);
            }
        }
    }

    fn layer_of(&mut self, flag: &Flag) -> Option<(usize, Vec<Slice>)> {
        let name = flag.layer.as_ref()?;
        let at = ["flags", flag.name.as_str(), "layer"];
        let Some((place, layer)) = self.layers.iter().enumerate().find(|(_, layer)| layer.name == *name) else {
            let known: Vec<_> = self.layers.iter().map(|layer| &layer.name).collect();
            self.unknown(&at, "layer", name, &known);
            return None;
        };
        let slices: Vec<_> = layer.slices.iter().filter(|slice| slice.flag == flag.name).cloned().collect();
        if slices.is_empty() {
            let problem = Problem::new(at, format!("the layer `{name}` has no slice for `{}`", flag.name));
            self.problems.push(problem.help(format!("add {} = [from, to] to the layer's slices", flag.name)));
        }
        if flag.salt() == layer.name.as_str() {
            let message =
                format!("`{}` and its layer `{name}` would use one draw: their salts are the same", flag.name);
            let problem = Problem::new(at, message);
            self.problems.push(problem.help("call the layer something else, or give the flag a `salt` of its own"));
        }
        Some((place, slices))
    }

    fn layers(&mut self) {
        for layer in self.layers {
            self.problems.extend(layer.problems());
            let mut units: Vec<(&BucketBy, &Name)> = Vec::new();
            for slice in &layer.slices {
                let at = ["layers", layer.name.as_str(), "slices", slice.flag.as_str()];
                let Some(flag) = self.flags.iter().find(|flag| flag.name == slice.flag) else {
                    let known: Vec<_> = self.flags.iter().map(|flag| &flag.name).collect();
                    self.unknown(&at, "flag", &slice.flag, &known);
                    continue;
                };
                if let Some(other) = flag.layer.as_ref().filter(|other| **other != layer.name) {
                    let message = format!("the flag `{}` is in the layer `{other}` already", flag.name);
                    let help = "a flag is in one layer: take this slice out, or the flag's `layer`";
                    self.problems.push(Problem::new(at, message).help(help));
                }
                units.push((&flag.bucket_by, &flag.name));
            }
            self.one_unit(layer, &units);
        }
    }

    /// Flags of a layer exclude each other only where they draw by the same id.
    fn one_unit(&mut self, layer: &FlagLayer, units: &[(&BucketBy, &Name)]) {
        let Some((first, other)) = units.split_first() else {
            return;
        };
        if let Some((unit, name)) = other.iter().find(|(unit, _)| *unit != first.0) {
            let message =
                format!("`{name}` draws by {unit} and `{}` by {}: a layer needs one bucket_by", first.1, first.0);
            self.problems.push(Problem::new(["layers", layer.name.as_str(), "slices", name.as_str()], message));
        }
    }

    fn segments(&mut self) {
        for segment in self.segments {
            for (i, conditions) in segment.any.iter().enumerate() {
                if conditions.segments().next().is_some() {
                    let at = ["segments", segment.name.as_str(), "any", &i.to_string(), "segment"];
                    let problem = Problem::new(at, "a segment cannot be made of segments");
                    self.problems.push(problem.help("write its conditions out"));
                }
            }
        }
    }

    /// Required flags first. Reports each cycle once.
    fn order(&mut self, ties: &[Ties]) -> Vec<FlagId> {
        let mut walk = Walk {
            ties,
            state: vec![State::New; ties.len()],
            path: Vec::new(),
            order: Vec::new(),
            cycles: Vec::new(),
        };
        for (_, id) in ties.iter().zip(0..) {
            walk.visit(FlagId(id));
        }
        for cycle in walk.cycles {
            let names: Vec<_> =
                cycle.iter().filter_map(|id| self.flags.get(id.index())).map(|f| f.name.as_str()).collect();
            let Some(first) = names.first() else { continue };
            let message = format!("`requires` runs in a circle: {} → {first}", names.join(" → "));
            let problem = Problem::new(["flags", first, "requires"], message);
            self.problems.push(problem.help("take one of these flags out of the other's requires"));
        }
        walk.order
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Done,
}

/// A walk, depth first, without recursion: a file may chain thousands of flags.
struct Walk<'a> {
    ties: &'a [Ties],
    state: Vec<State>,
    path: Vec<(FlagId, usize)>,
    order: Vec<FlagId>,
    cycles: Vec<Vec<FlagId>>,
}

impl Walk<'_> {
    fn visit(&mut self, root: FlagId) {
        self.enter(root);
        while let Some((id, next)) = self.path.last_mut() {
            let (id, place) = (*id, *next);
            *next += 1;
            match self.ties.get(id.index()).and_then(|ties| ties.requires.get(place)) {
                Some((required, _)) => self.enter(*required),
                None => {
                    self.set(id, State::Done);
                    self.order.push(id);
                    self.path.pop();
                }
            }
        }
    }

    fn enter(&mut self, id: FlagId) {
        match self.state.get(id.index()) {
            Some(State::New) => {
                self.set(id, State::Open);
                self.path.push((id, 0));
            }
            Some(State::Open) => {
                let from = self.path.iter().position(|(on_path, _)| *on_path == id).unwrap_or(0);
                self.cycles.push(self.path.iter().skip(from).map(|(id, _)| *id).collect());
            }
            _ => {}
        }
    }

    fn set(&mut self, id: FlagId, state: State) {
        if let Some(slot) = self.state.get_mut(id.index()) {
            *slot = state;
        }
    }
}
