//! Vercel Flags: the definitions that its SDK fetches (the datafile).

mod conditions;

use crate::chain::{Arm, Arms, Chain, Draw, Get, Pick, Step};
use crate::error::ImportError;
use crate::input::{self, Node};
use crate::model::{Condition, Flag, Hash, Imported, Segment, Share, weights};
use crate::options::Options;
use conditions::Conditions;

/// An environment may be that of another one, so often.
const MOST_REUSES: usize = 10;

/// Reads definitions.
pub(crate) fn read(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let file = input::json(bytes)?;
    // `vercel-flags prepare` writes a table by keys of the SDK.
    let inner = || file.entries().first().map(|(_, node)| node).filter(|node| node.get("definitions").is_some());
    let data = if file.get("definitions").is_some() { Some(&file) } else { inner() };
    let Some((data, Node::Table(definitions))) = data.and_then(|data| Some((data, data.get("definitions")?))) else {
        let why = "there is no table `definitions`; write what the SDK's getDatafile() gives to a file";
        return Err(ImportError::shape("definitions of Vercel Flags", why));
    };
    let environment = options.environment.as_deref().or_else(|| data.text_at("environment")).unwrap_or("production");
    let reading = Reading { environment, options };
    let flags = definitions.iter().map(|(name, definition)| reading.flag(name, definition)).collect();
    let segments = data.entries_at("segments").iter().map(|(id, node)| reading.segment(id, node)).collect();
    Ok(Imported { flags, segments, ..Imported::default() })
}

struct Reading<'a> {
    environment: &'a str,
    options: &'a Options,
}

impl Reading<'_> {
    fn segment(&self, id: &str, segment: &Node) -> Segment {
        let condition = Conditions { options: self.options, notes: &mut Vec::new() }.segment(segment);
        Segment { origin: id.into(), title: None, condition }
    }

    fn flag(&self, name: &str, definition: &Node) -> Flag {
        let Some(config) = self.config(definition) else {
            return Flag::refused(
                name,
                format!("It has no environment `{}`: say which with --environment.", self.environment),
            );
        };
        let mut flag = Flag::new(name);
        let mut arms = Arms::default();
        for (place, value) in definition.items_at("variants").iter().enumerate() {
            let id = definition.items_at("variantIds").get(place).and_then(Node::word);
            let name = match value {
                Node::Bool(truth) => (if *truth { "on" } else { "off" }).to_owned(),
                value => id.or_else(|| value.word()).unwrap_or_else(|| format!("v{}", place + 1)),
            };
            arms.named(&name, value.clone());
        }
        if arms.0.is_empty() {
            return Flag::refused(name, "It has no variants.");
        }
        let mut outcomes = Outcomes { definition, options: self.options, arms: arms.0, flag: &mut flag };
        let (steps, control) = outcomes.steps(config);
        let arms = outcomes.arms;
        Chain { arms, control, drawn: Vec::new(), steps }.into_flag(&mut flag);
        flag
    }

    /// The environment's own configuration, or that of the one it reuses.
    fn config<'a>(&self, definition: &'a Node) -> Option<&'a Node> {
        let environments = definition.get("environments")?;
        let mut config = environments.get(self.environment)?;
        for _ in 0..MOST_REUSES {
            match config.text_at("reuse") {
                Some(other) => config = environments.get(other)?,
                None => return Some(config),
            }
        }
        None
    }
}

/// Reads what a flag gives.
struct Outcomes<'a> {
    definition: &'a Node,
    options: &'a Options,
    arms: Vec<Arm>,
    flag: &'a mut Flag,
}

impl Outcomes<'_> {
    /// Targets, rules and what is left; and what those get of whom no id is known.
    fn steps(&mut self, config: &Node) -> (Vec<Step>, usize) {
        let Some(fallthrough) = config.get("fallthrough") else {
            let paused = self.arm(Some(config));
            return (vec![Step::new(Condition::Always, Get::arm(paused))], paused);
        };
        let mut steps = Vec::new();
        for (place, targets) in config.items_at("targets").iter().enumerate() {
            let condition = Conditions { options: self.options, notes: &mut self.flag.notes }.targets(targets);
            steps.push(Step::new(condition, Get::arm(place.min(self.arms.len() - 1))));
        }
        for rule in config.items_at("rules") {
            let mut reading = Conditions { options: self.options, notes: &mut self.flag.notes };
            let condition = reading.all(rule.items_at("conditions"));
            let get = rule.get("outcome").and_then(|outcome| self.get(outcome));
            match get {
                Some(get) => steps.push(Step::new(condition, get)),
                None => self.flag.lost("A rule gives something that is not known here."),
            }
        }
        let control = match fallthrough {
            Node::Number(_) => self.arm(Some(fallthrough)),
            outcome => self.arm(outcome.get("defaultVariant")),
        };
        match self.get(fallthrough) {
            Some(get) => steps.push(Step::new(Condition::Always, get)),
            None => self.flag.lost("What everybody else gets is drawn by an experiment: they get its default here."),
        }
        (steps, control)
    }

    fn arm(&self, node: Option<&Node>) -> usize {
        let place = node.and_then(Node::whole).and_then(|place| usize::try_from(place).ok()).unwrap_or(0);
        place.min(self.arms.len().saturating_sub(1))
    }

    fn get(&mut self, outcome: &Node) -> Option<Get> {
        if outcome.whole().is_some() {
            return Some(Get::arm(self.arm(Some(outcome))));
        }
        match outcome.text_at("type") {
            Some("split") => {
                let draw = self.draw(outcome);
                let list: Vec<f64> =
                    outcome.items_at("weights").iter().map(|one| one.number().unwrap_or_default()).collect();
                let shares = weights(&list).into_iter().enumerate();
                Some(Get::weighted(draw, shares.map(|(arm, share)| (arm.min(self.arms.len() - 1), share))))
            }
            Some("rollout") => Some(self.rollout(outcome)),
            _ => None,
        }
    }

    fn draw(&mut self, outcome: &Node) -> Draw {
        let path = conditions::path(outcome.get("base"));
        let unit = conditions::unit(&path, self.options, &mut self.flag.notes);
        let seed = self.definition.get("seed").and_then(Node::whole).and_then(|seed| u32::try_from(seed).ok());
        if seed.is_none() {
            self.flag.lost("Its seed is no whole number of 32 bits, so people are drawn anew.".to_owned());
        }
        Draw { hash: Hash::new("vercel").number("seed", seed.unwrap_or_default().into()), unit }
    }

    /// A percentage that rises by the clock: the flag file's steps begin when they are read, so it stays where it stands now.
    fn rollout(&mut self, outcome: &Node) -> Get {
        let draw = self.draw(outcome);
        let (from, to) = (self.arm(outcome.get("rollFromVariant")), self.arm(outcome.get("rollToVariant")));
        let start = outcome.get("startTimestamp").and_then(Node::whole).unwrap_or_default();
        let mut passed = jiff::Timestamp::now().as_millisecond().saturating_sub(start);
        let mut share = if passed < 0 || outcome.items_at("slots").is_empty() { Some(0) } else { None };
        for slot in outcome.items_at("slots") {
            let number = |place: usize| slot.items().get(place).and_then(Node::whole).unwrap_or_default();
            passed = passed.saturating_sub(number(1));
            if passed < 0 && share.is_none() {
                share = u32::try_from(number(0)).ok();
            }
        }
        let share = Share::thousandths(share.unwrap_or(100_000));
        if share != Share::EVERYBODY {
            self.flag.lost(format!(
                "Its percentage rises step by step. It stands at {share} here: raise it by hand, or write a rollout."
            ));
        }
        let whole = Share::EVERYBODY.as_thousandths();
        let others = whole - share.as_thousandths();
        let parts =
            if to < from { [(share.as_thousandths(), to), (whole, from)] } else { [(others, from), (whole, to)] };
        Get::parts(draw, parts.into_iter().map(|(upto, arm)| (upto, Some(Pick::Arm(arm)))))
    }
}
