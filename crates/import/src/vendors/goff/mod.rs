//! GO Feature Flag: its flag file, YAML, JSON or TOML.

mod query;
mod words;

use crate::chain::{Arm, Chain, Draw, Get, Pick, Step};
use crate::error::ImportError;
use crate::input::{self, Node};
use crate::model::{Condition, Flag, Hash, Imported, Share, weights};
use crate::options::Options;

/// Reads a file.
pub(crate) fn read(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let file = input::any(bytes)?;
    let Node::Table(flags) = &file else {
        return Err(ImportError::shape("a flag file of GO Feature Flag", "it is no table of flags by name"));
    };
    let is_flag = |node: &Node| node.get("variations").is_some();
    if !flags.is_empty() && !flags.iter().any(|(_, node)| is_flag(node)) {
        return Err(ImportError::shape("a flag file of GO Feature Flag", "no flag in it has `variations`"));
    }
    let flags = flags.iter().map(|(name, node)| flag(name, node, options)).collect();
    Ok(Imported { flags, ..Imported::default() })
}

fn flag(name: &str, node: &Node, options: &Options) -> Flag {
    let variations = node.entries_at("variations");
    if variations.is_empty() {
        return Flag::refused(name, "It has no variations.");
    }
    let mut flag = Flag::new(name);
    flag.enabled = node.truth_at("disable") != Some(true);
    flag.description = node.at(&["metadata", "description"]).and_then(Node::text).map(Into::into);
    if let Some(metadata) = node.get("metadata") {
        flag.metadata.extend(metadata.entries().iter().filter(|(key, _)| key != "description").cloned());
    }
    if !node.items_at("scheduledRollout").is_empty() {
        flag.lost("Changes at certain times (scheduledRollout) are left out.");
    }
    let arms =
        variations.iter().map(|(name, value)| Arm { name: name.clone(), value: Some(value.clone()) }).collect();
    let unit = options.unit(node.text_at("bucketingKey").unwrap_or("targetingKey"), &mut flag.notes);
    let mut reading = Rules { name, arms, unit, now: jiff::Timestamp::now() };
    let nothing = Node::Null;
    let default = node.get("defaultRule").unwrap_or(&nothing);
    let mut steps = reading.outside(node);
    for rule in node.items_at("targeting").iter().filter(|rule| rule.truth_at("disable") != Some(true)) {
        let condition =
            rule.text_at("query").map_or(Condition::Always, |query| query::read(query, options, &mut flag.notes));
        if let Some(get) = reading.get(rule, &mut flag) {
            steps.push(Step::new(condition, get));
        }
    }
    match reading.get(default, &mut flag) {
        Some(get) => steps.push(Step::new(Condition::Always, get)),
        None => flag.lost(
            "Its default rule gives nothing that is known: those whom no other rule is for get its first variation.",
        ),
    }
    let control = reading.control(default);
    Chain { arms: reading.arms, control, drawn: Vec::new(), steps }.into_flag(&mut flag);
    flag
}

/// Reads the rules of one flag.
struct Rules<'a> {
    name: &'a str,
    arms: Vec<Arm>,
    unit: String,
    now: jiff::Timestamp,
}

impl Rules<'_> {
    fn place(&self, variation: &str) -> Option<usize> {
        self.arms.iter().position(|arm| arm.name == variation)
    }

    /// What those get of whom no id is known: what everybody gets by default, else what is false, else the first variation.
    fn control(&self, default: &Node) -> usize {
        let fixed = default.text_at("variation").and_then(|name| self.place(name));
        let is_false = |arm: &Arm| arm.value == Some(Node::Bool(false));
        fixed.or_else(|| self.arms.iter().position(is_false)).unwrap_or(0)
    }

    /// Before and after an experiment the flag is off.
    fn outside(&mut self, node: &Node) -> Vec<Step> {
        let time = |key| node.at(&["experimentation", key]).and_then(Node::text).and_then(point);
        let all: Vec<_> =
            [time("start").map(Condition::Before), time("end").map(Condition::After)].into_iter().flatten().collect();
        if all.is_empty() {
            return Vec::new();
        }
        let is_off = |arm: &Arm| arm.name == "off" || arm.value == Some(Node::Bool(false));
        let off = self.arms.iter().position(is_off).unwrap_or_else(|| {
            self.arms.push(Arm { name: "off".into(), value: Some(Node::Bool(false)) });
            self.arms.len() - 1
        });
        vec![Step::new(Condition::Any(all), Get::arm(off))]
    }

    /// What a rule gives: a variation, or variations by percentage.
    fn get(&self, rule: &Node, flag: &mut Flag) -> Option<Get> {
        if let Some(progress) = rule.get("progressiveRollout") {
            return self.progressive(progress, flag);
        }
        if let Some(Node::Table(percentages)) = rule.get("percentage") {
            return self.percentages(percentages, flag);
        }
        self.place(&rule.get("variation").and_then(Node::word)?).map(Get::arm)
    }

    fn draw(&self, total: u32) -> Draw {
        let hash = Hash::new("goff").text("key", self.name);
        let hash = if total == 100_000 { hash } else { hash.number("total", total.into()) };
        Draw { hash, unit: self.unit.clone() }
    }

    /// Variations lie along the number in the reverse order of their names.
    fn percentages(&self, percentages: &[(String, Node)], flag: &mut Flag) -> Option<Get> {
        let mut sorted: Vec<(usize, &str, f64)> = Vec::new();
        for (name, percent) in percentages {
            let Some(arm) = self.place(name) else {
                flag.lost(format!("A rule gives the variation `{name}`, which is not there."));
                continue;
            };
            sorted.push((arm, name, percent.number().unwrap_or_default().max(0.0)));
        }
        sorted.sort_by(|one, other| other.1.cmp(one.1));
        let percents: Vec<f64> = sorted.iter().map(|(_, _, percent)| *percent).collect();
        let total = percents.iter().sum::<f64>() * 1000.0;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let total = total.clamp(0.0, f64::from(u32::MAX)) as u32;
        let shares = weights(&percents);
        let all = sorted.iter().zip(shares).map(|((arm, ..), share)| (*arm, share));
        (total > 0).then(|| Get::weighted(self.draw(total), all))
    }

    /// A percentage that rises with the time: the flag file has steps, so it stays where it stands now.
    fn progressive(&self, progress: &Node, flag: &mut Flag) -> Option<Get> {
        let end = |which: &str, key: &str| progress.at(&[which, key]).cloned();
        let arm = |which: &str| end(which, "variation").and_then(|name| self.place(&name.word()?));
        let percent =
            |which: &str, default: f64| end(which, "percentage").and_then(|node| node.number()).unwrap_or(default);
        let date =
            |which: &str| end(which, "date").and_then(|node| point(node.text()?)?.parse::<jiff::Timestamp>().ok());
        let (initial, last) = (arm("initial")?, arm("end")?);
        let (from, to) = (date("initial")?, date("end")?);
        let (low, high) = (percent("initial", 0.0), percent("end", 100.0));
        let length = to.duration_since(from).as_secs_f64();
        let passed = self.now.duration_since(from).as_secs_f64();
        let part = if length > 0.0 { (passed / length).clamp(0.0, 1.0) } else { 1.0 };
        let share = Share::percent(low + (high - low) * part);
        if part < 1.0 {
            flag.lost(format!(
                "Its percentage rises from {low} to {high} until {to}. It stands at {share} here: raise it by hand, or write a rollout."
            ));
        }
        Some(Get::below(self.draw(100_000), share, Pick::Arm(last)).or_else(Pick::Arm(initial)))
    }
}

/// A point in time, as RFC 3339 writes it.
fn point(text: &str) -> Option<String> {
    text.trim().parse::<jiff::Timestamp>().ok().map(|time| time.to_string())
}
