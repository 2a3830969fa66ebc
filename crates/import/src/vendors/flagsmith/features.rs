//! Features of Flagsmith: on or off, with a value, for everybody, for segments and for single people.

use super::segments::{Conditions, Split, splits};
use super::{id, segment_name};
use crate::chain::{Arms, Chain, Draw, Get, Pick, Step, simplified};
use crate::input::Node;
use crate::model::{Condition, Flag, Hash, Share};
use crate::options::Options;

/// Flagsmith's numbers are 0 to 9998, of 9998.
const GRID: f64 = 9998.0;

/// Reads features of one environment.
pub(super) struct Features<'a> {
    pub(super) document: &'a Node,
    pub(super) segments: &'a [Node],
    pub(super) options: &'a Options,
}

impl Features<'_> {
    /// A feature, with what segments and people have instead.
    pub(super) fn flag(&self, state: &Node) -> Flag {
        let Some(name) = state.at(&["feature", "name"]).and_then(Node::text) else {
            return Flag::refused("?", "It has no name.");
        };
        let mut flag = Flag::new(name);
        let unit = self.options.unit("identifier", &mut flag.notes);
        let mut reading = State { unit, prefix: self.prefix(&mut flag), arms: Arms::default() };
        let default = reading.get(state);
        let control = reading.control(state);
        let mut steps = self.people(name, &mut reading, &flag);
        steps.extend(self.of_segments(name, &mut reading, &mut flag));
        steps.push(Step::new(Condition::Always, default));
        Chain { arms: reading.arms.0, control, drawn: Vec::new(), steps }.into_flag(&mut flag);
        flag
    }

    /// What stands before a person's id where it is hashed.
    fn prefix(&self, flag: &mut Flag) -> String {
        if self.document.truth_at("use_identity_composite_key_for_hashing") == Some(false) {
            flag.lost(
                "Flagsmith's API draws people by the number they have in its database, which is not in the document. \
                 Its SDKs with local evaluation draw as it is here.",
            );
        }
        format!("{}_", self.document.text_at("api_key").unwrap_or_default())
    }

    /// Single people who have something else.
    fn people(&self, name: &str, reading: &mut State, flag: &Flag) -> Vec<Step> {
        let mut steps: Vec<(Get, Vec<String>)> = Vec::new();
        for person in self.document.items_at("identity_overrides") {
            let own = person.items_at("identity_features").iter().find(|state| is_of(state, name));
            let (Some(own), Some(identifier)) = (own, person.get("identifier").and_then(Node::word)) else {
                continue;
            };
            let get = Get::arm(reading.plain(own));
            match steps.iter_mut().find(|(same, _)| *same == get) {
                Some((_, people)) => people.push(identifier),
                None => steps.push((get, vec![identifier])),
            }
        }
        let mut unheard = flag.notes.clone();
        let key = self.options.key("identifier", &mut unheard);
        steps.into_iter().map(|(get, people)| Step::new(Condition::words(key.clone(), people), get)).collect()
    }

    /// Segments that have something else: the one with the lowest number first.
    fn of_segments(&self, name: &str, reading: &mut State, flag: &mut Flag) -> Vec<Step> {
        let mut found: Vec<(f64, Step)> = Vec::new();
        for segment in self.segments {
            for state in segment.items_at("feature_states").iter().filter(|state| is_of(state, name)) {
                let priority = state.get("feature_segment").and_then(|of| of.number_at("priority"));
                let step = self.of_segment(segment, state, reading, flag);
                found.push((priority.unwrap_or(f64::INFINITY), step));
            }
        }
        found.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        found.into_iter().map(|(_, step)| step).collect()
    }

    fn of_segment(&self, segment: &Node, state: &Node, reading: &mut State, flag: &mut Flag) -> Step {
        // Reading it says what is not mapped.
        let condition =
            Conditions { document: self.document, options: self.options, notes: &mut flag.notes }.of(segment);
        let condition = match simplified(condition) {
            same @ (Condition::Always | Condition::Never) => same,
            _ => Condition::Segment(segment_name(segment)),
        };
        let get = reading.get(state);
        let splits = splits(segment);
        let Some(split) = splits.first() else { return Step::new(condition, get) };
        let unknown = |why: &str| Step::new(Condition::Unknown(why.to_owned()), Get::arm(0));
        let Get::Pick(pick) = get else {
            return unknown("a segment with a percentage split has variants by percentage");
        };
        if splits.len() > 1 {
            return unknown("a segment has several percentage splits");
        }
        // The conditions of the segment leave the share out: the rule draws it.
        Step::new(condition, self.share(split, &id(segment), reading, flag).below(pick))
    }

    fn share(&self, split: &Split, segment: &str, reading: &State, flag: &mut Flag) -> Below {
        let hash = Hash::new("flagsmith").text("key", segment);
        let draw = match split.property.as_deref() {
            None => Draw { hash: hash.text("prefix", &reading.prefix), unit: reading.unit.clone() },
            Some("$.identity.identifier") => Draw { hash, unit: reading.unit.clone() },
            Some(attribute) => Draw { hash, unit: self.options.unit(attribute, &mut flag.notes) },
        };
        Below { draw, share: up_to(split.percent) }
    }
}

struct Below {
    draw: Draw,
    share: Share,
}

impl Below {
    fn below(self, pick: Pick) -> Get {
        Get::below(self.draw, self.share, pick)
    }
}

/// The share of those whose number is at most a percentage: one number more than those below it.
fn up_to(percent: f64) -> Share {
    if percent < 0.0 {
        return Share::NOBODY;
    }
    let last = (percent / 100.0 * GRID + 1e-9).floor();
    Share::percent((last + 1.0) / GRID * 100.0)
}

fn is_of(state: &Node, name: &str) -> bool {
    state.at(&["feature", "name"]).and_then(Node::text) == Some(name)
}

/// Reads what a feature gives.
struct State {
    unit: String,
    prefix: String,
    arms: Arms,
}

impl State {
    /// What it gives: off, a value, or values by percentage.
    fn get(&mut self, state: &Node) -> Get {
        let plain = self.plain(state);
        if state.truth_at("enabled") != Some(true) {
            return Get::arm(plain);
        }
        let mut options: Vec<&Node> = state.items_at("multivariate_feature_state_values").iter().collect();
        options.sort_by_key(|option| priority(option));
        if options.is_empty() {
            return Get::arm(plain);
        }
        let mut weights = Vec::new();
        let mut left = 100_000;
        for option in options {
            let share = Share::percent(option.number_at("percentage_allocation").unwrap_or_default());
            let share = Share::thousandths(share.as_thousandths().min(left));
            left -= share.as_thousandths();
            weights.push((self.option(option), share));
        }
        weights.push((plain, Share::thousandths(left)));
        let hash = Hash::new("flagsmith").text("key", key(state)).text("prefix", &self.prefix);
        Get::weighted(Draw { hash, unit: self.unit.clone() }, weights)
    }

    /// What it gives whom no id is known of.
    fn control(&mut self, state: &Node) -> usize {
        self.plain(state)
    }

    /// Off, or its value.
    fn plain(&mut self, state: &Node) -> usize {
        if state.truth_at("enabled") != Some(true) {
            return self.arms.of(&Node::Bool(false));
        }
        match state.get("feature_state_value") {
            None => self.arms.of(&Node::Bool(true)),
            Some(Node::Text(text)) if text.is_empty() => self.arms.of(&Node::Bool(true)),
            // A value of false is not the same as being off.
            Some(Node::Bool(truth)) => self.value(&format!("value-{truth}"), &Node::Bool(*truth)),
            Some(value) => self.arms.of(value),
        }
    }

    fn option(&mut self, option: &Node) -> usize {
        let nothing = Node::Null;
        let value = option.at(&["multivariate_feature_option", "value"]).unwrap_or(&nothing);
        match option.at(&["multivariate_feature_option", "key"]).and_then(Node::text) {
            Some(key) => self.value(key, value),
            None if matches!(value, Node::Bool(_) | Node::Null) => self.value("value", value),
            None => self.arms.of(value),
        }
    }

    /// The arm of this name and value.
    fn value(&mut self, name: &str, value: &Node) -> usize {
        let same = |arm: &crate::chain::Arm| arm.name == name && arm.value.as_ref() == Some(value);
        self.arms.0.iter().position(same).unwrap_or_else(|| self.arms.named(name, value.clone()))
    }
}

/// What a feature hashes.
fn key(state: &Node) -> String {
    ["django_id", "featurestate_uuid"]
        .into_iter()
        .find_map(|key| state.get(key).and_then(Node::word))
        .unwrap_or_default()
}

/// Where an option lies: by its number, else by its id, which is a number of 128 bits.
fn priority(option: &Node) -> u128 {
    let number = option.get("id").and_then(Node::whole).and_then(|id| u128::try_from(id).ok()).filter(|id| *id > 0);
    number.unwrap_or_else(|| {
        let uuid = option.text_at("mv_fs_value_uuid").unwrap_or_default().replace('-', "");
        u128::from_str_radix(&uuid, 16).unwrap_or(u128::MAX)
    })
}
