//! What ties flags to each other, resolved once and checked.

use std::collections::{HashMap, HashSet};

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
    let mut layer_of: HashMap<&Name, &Name> = HashMap::new();
    for (layer, slice) in layers.iter().flat_map(|layer| layer.slices.iter().map(move |slice| (layer, slice))) {
        layer_of.entry(&slice.flag).or_insert(&layer.name);
    }
    for flag in flags.iter_mut().filter(|flag| flag.layer.is_none()) {
        flag.layer = layer_of.get(&flag.name).map(|layer| (*layer).clone());
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
        let known = Known::new(goals, segments, layers);
        let mut check = Check { flags, by_name, goals, segments, layers, known, problems: Vec::new() };
        let of: Vec<Ties> = flags.iter().map(|flag| check.ties(flag)).collect();
        check.layers();
        check.waffle_names();
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
    known: Known<'a>,
    problems: Vec<Problem>,
}

/// What there is, by name: a file may name thousands of things thousands of times.
struct Known<'a> {
    goals: HashMap<&'a Name, &'a Goal>,
    segments: HashSet<&'a Name>,
    layers: HashMap<&'a Name, usize>,
    /// Slices by layer and flag, in their order.
    slices: HashMap<(&'a Name, &'a Name), Vec<&'a Slice>>,
}

impl<'a> Known<'a> {
    fn new(goals: &'a [Goal], segments: &'a [Segment], layers: &'a [FlagLayer]) -> Self {
        let mut slices: HashMap<_, Vec<_>> = HashMap::new();
        for (layer, slice) in layers.iter().flat_map(|layer| layer.slices.iter().map(move |slice| (layer, slice))) {
            slices.entry((&layer.name, &slice.flag)).or_default().push(slice);
        }
        Self {
            goals: goals.iter().map(|goal| (&goal.name, goal)).collect(),
            segments: segments.iter().map(|segment| &segment.name).collect(),
            layers: layers.iter().enumerate().map(|(place, layer)| (&layer.name, place)).collect(),
            slices,
        }
    }
}

impl Check<'_> {
    fn ties(&mut self, flag: &Flag) -> Ties {
        self.goals_of(flag);
        self.segments_of(flag);
        Ties { requires: self.requires_of(flag), layer: self.layer_of(flag), trial: Trial::of(flag) }
    }

    /// Two flags that write one cookie of django-waffle's would contradict each other.
    fn waffle_names(&mut self) {
        if self.flags.iter().all(|flag| flag.waffle_name.is_none()) {
            return;
        }
        let mut taken: HashMap<&str, &Flag> = HashMap::new();
        for flag in self.flags {
            let Some(other) = taken.insert(flag.waffle_name(), flag) else { continue };
            let named = if flag.waffle_name.is_some() { flag } else { other };
            let rest = if flag.waffle_name.is_some() { other } else { flag };
            let at = ["flags", named.name.as_str(), "waffle_name"];
            let message = format!("`{}` is what django-waffle calls `{}` already", named.waffle_name(), rest.name);
            self.problems.push(Problem::new(at, message).help("give each flag a name of its own there"));
        }
    }

    /// Reports a name that nothing has.
    fn unknown(&mut self, at: &[&str], what: &str, name: &Name) {
        let problem = Problem::new(at.iter().copied(), format!("there is no {what} `{name}`"));
        // Looking for likeness takes every name against every other; nobody reads so many suggestions.
        let few = self.problems.len() < SUGGESTED;
        let near = nearest(name.as_str(), self.names(what).filter(|_| few).map(Name::as_str));
        let some: Vec<_> = self.names(what).take(12).map(Name::as_str).collect();
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if some.is_empty() => format!("no {what} is defined; write [{what}s.{name}]"),
            None => format!("there are: {}", some.join(", ")),
        };
        self.problems.push(problem.help(help));
    }

    /// The names of a kind of thing, in their order.
    fn names(&self, what: &str) -> Box<dyn Iterator<Item = &Name> + '_> {
        match what {
            "flag" => Box::new(self.flags.iter().map(|flag| &flag.name)),
            "goal" => Box::new(self.goals.iter().map(|goal| &goal.name)),
            "segment" => Box::new(self.segments.iter().map(|segment| &segment.name)),
            _ => Box::new(self.layers.iter().map(|layer| &layer.name)),
        }
    }

    fn requires_of(&mut self, flag: &Flag) -> Vec<(FlagId, Option<VariantId>)> {
        let mut resolved = Vec::new();
        for requirement in &flag.requires {
            let at = ["flags", flag.name.as_str(), "requires", requirement.flag.as_str()];
            let Some(id) = self.by_name.get(&requirement.flag).copied() else {
                self.unknown(&at, "flag", &requirement.flag);
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
        let guarded = flag.guard.iter().flat_map(|guard| &guard.goals).map(|goal| ("guard", goal));
        for (table, goal) in flag.goals.iter().map(|goal| ("", goal)).chain(guarded) {
            if !self.known.goals.contains_key(goal) {
                let at = ["flags", flag.name.as_str(), table, "goals", goal.as_str()];
                let at: Vec<_> = at.into_iter().filter(|key| !key.is_empty()).collect();
                self.unknown(&at, "goal", goal);
            } else if table == "guard" && self.is_bounce(goal) {
                let at = ["flags", flag.name.as_str(), "guard", "goals", goal.as_str()];
                let problem = Problem::new(at, format!("`{goal}` counts who leaves, which a guard cannot hear"));
                self.problems.push(problem.help("name a goal that is reached by a request or an event"));
            }
        }
    }

    fn is_bounce(&self, name: &Name) -> bool {
        self.known.goals.get(name).is_some_and(|goal| matches!(goal.trigger, Trigger::Bounce { .. }))
    }

    fn segments_of(&mut self, flag: &Flag) {
        let audiences = [("allow", &flag.allow), ("deny", &flag.deny)];
        for (key, name) in audiences.iter().flat_map(|(k, a)| a.iter().flat_map(|a| &a.segments).map(move |n| (k, n)))
        {
            if !self.known.segments.contains(name) {
                self.unknown(&["flags", flag.name.as_str(), key, "segments", name.as_str()], "segment", name);
            }
        }
        for (i, rule) in flag.rules.iter().enumerate() {
            for name in rule.when.segments() {
                if !self.known.segments.contains(name) {
                    let at = ["flags", flag.name.as_str(), "rules", &i.to_string(), "if", "segment", name.as_str()];
                    self.unknown(&at, "segment", name);
                }
            }
        }
    }

    fn layer_of(&mut self, flag: &Flag) -> Option<(usize, Vec<Slice>)> {
        let name = flag.layer.as_ref()?;
        let at = ["flags", flag.name.as_str(), "layer"];
        let Some(place) = self.known.layers.get(name).copied() else {
            self.unknown(&at, "layer", name);
            return None;
        };
        let slices = self.known.slices.get(&(name, &flag.name));
        let slices: Vec<_> = slices.into_iter().flatten().map(|slice| (*slice).clone()).collect();
        if slices.is_empty() {
            let problem = Problem::new(at, format!("the layer `{name}` has no slice for `{}`", flag.name));
            self.problems.push(problem.help(format!("add {} = [from, to] to the layer's slices", flag.name)));
        }
        if flag.salt() == name.as_str() {
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
                let Some(flag) = self.by_name.get(&slice.flag).and_then(|id| self.flags.get(id.index())) else {
                    self.unknown(&at, "flag", &slice.flag);
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
