//! Whether what flags name exists and fits: every mistake between parts that are each valid.

use std::collections::{HashMap, HashSet};

use super::links::{Link, Links};
use super::required_first::required_first;
use crate::{
    BucketBy, ExclusionLayer, Flag, FlagId, Goal, Name, Problem, ProblemKind, Segment, Slice, Trigger, VariantId,
    nearest,
};

/// How many problems get a suggestion of what was meant.
const SUGGESTED: usize = 100;

/// Resolves all links.
///
/// # Errors
/// With every link that leads nowhere or does not fit.
pub(super) fn check(
    flags: &[Flag],
    by_name: &HashMap<Name, FlagId>,
    goals: &[Goal],
    segments: &[Segment],
    layers: &[ExclusionLayer],
) -> Result<Links, Vec<Problem>> {
    let known = Known::new(goals, segments, layers);
    let mut check = Check { flags, by_name, goals, segments, layers, known, problems: Vec::new() };
    let links: Vec<Link> = flags.iter().map(|flag| check.link(flag)).collect();
    check.layers();
    check.waffle_names();
    check.segments();
    let (order, circles) = required_first(&links);
    check.circles(&circles);
    if check.problems.is_empty() { Ok(Links::new(flags, links, order)) } else { Err(check.problems) }
}

struct Check<'a> {
    flags: &'a [Flag],
    by_name: &'a HashMap<Name, FlagId>,
    goals: &'a [Goal],
    segments: &'a [Segment],
    layers: &'a [ExclusionLayer],
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
    fn new(goals: &'a [Goal], segments: &'a [Segment], layers: &'a [ExclusionLayer]) -> Self {
        let mut slices: HashMap<_, Vec<_>> = HashMap::new();
        for (layer, slice) in layers.iter().flat_map(|layer| layer.slices.iter().map(move |slice| (layer, slice))) {
            slices.entry((&layer.name, &slice.flag)).or_default().push(slice);
        }
        Self {
            goals: goals.iter().map(|goal| (&goal.name, goal)).collect(),
            segments: segments.iter().map(|segment| &segment.name).collect(),
            layers: layers.iter().enumerate().map(|(index, layer)| (&layer.name, index)).collect(),
            slices,
        }
    }
}

impl Check<'_> {
    fn link(&mut self, flag: &Flag) -> Link {
        self.goals_of(flag);
        self.segments_of(flag);
        Link { requires: self.requires_of(flag), layer: self.layer_of(flag), experiment: flag.experiment_id() }
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
            let message =
                format!("django-waffle already uses `{}` for the flag `{}`", named.waffle_name(), rest.name);
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
                let problem =
                    Problem::new(at, format!("`{goal}` counts visitors who leave, which a guard cannot watch"));
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
        let Some(index) = self.known.layers.get(name).copied() else {
            self.unknown(&at, "layer", name);
            return None;
        };
        let slices = self.known.slices.get(&(name, &flag.name));
        let slices: Vec<_> = slices.into_iter().flatten().map(|slice| (*slice).clone()).collect();
        if slices.is_empty() {
            let problem = Problem::new(at, format!("the layer `{name}` has no slice for `{}`", flag.name))
                .kind(ProblemKind::NoSlice { layer: name.clone() });
            self.problems.push(problem.help(format!("add {} = [from, to] to the layer's slices", flag.name)));
        }
        let layer = self.layers.get(index).map(|layer| layer.drawn_with().kept_as());
        if layer == Some(flag.drawn_with().kept_as()) {
            let message =
                format!("`{}` and its layer `{name}` would use one draw: their salts are the same", flag.name);
            let problem = Problem::new(at, message);
            self.problems.push(problem.help("call the layer something else, or give the flag a `salt` of its own"));
        }
        Some((index, slices))
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
    fn one_unit(&mut self, layer: &ExclusionLayer, units: &[(&BucketBy, &Name)]) {
        let Some((first, other)) = units.split_first() else {
            return;
        };
        if let Some((unit, name)) = other.iter().find(|(unit, _)| *unit != first.0) {
            let message =
                format!("`{name}` draws by {unit} and `{}` by {}: a layer needs one bucket_by", first.1, first.0);
            let at = ["layers", layer.name.as_str(), "slices", name.as_str()];
            self.problems.push(Problem::new(at, message).kind(ProblemKind::UnitsDiffer));
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

    /// Reports each circle of `requires` once.
    fn circles(&mut self, circles: &[Vec<FlagId>]) {
        for circle in circles {
            let names: Vec<_> =
                circle.iter().filter_map(|id| self.flags.get(id.index())).map(|f| f.name.as_str()).collect();
            let Some(first) = names.first() else { continue };
            let message = format!("`requires` runs in a circle: {} → {first}", names.join(" → "));
            let problem = Problem::new(["flags", first, "requires"], message);
            self.problems.push(problem.help("take one of these flags out of the other's requires"));
        }
    }
}
