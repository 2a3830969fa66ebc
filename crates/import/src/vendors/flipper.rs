//! Flipper: its export as JSON (`Flipper.export`).

use crate::chain::{Chain, Draw, Get, OFF, ON, Pick, Step, on_and_off};
use crate::error::ImportError;
use crate::input::{self, Node};
use crate::looked_at::{Compared, LookedAt, Place};
use crate::model::{Condition, Flag, Hash, Imported, Share};
use crate::options::Options;

/// What stands before the id of a user whose class is `User`.
const USER: &str = "User;";

/// Reads an export.
pub(crate) fn read(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let export = input::json(bytes)?;
    let Some(Node::Table(features)) = export.get("features") else {
        let why = "there is no table `features`; write Flipper.export.contents to a file";
        return Err(ImportError::shape("an export of Flipper", why));
    };
    let prefix = prefix(features);
    let flags = features.iter().map(|(name, gates)| flag(name, gates, &prefix, options)).collect();
    Ok(Imported { flags, ..Imported::default() })
}

/// What stands before ids: what most actors of the export have in common.
fn prefix(features: &[(String, Node)]) -> String {
    let actors = features.iter().flat_map(|(_, gates)| gates.items_at("actors")).filter_map(Node::text);
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for actor in actors.take(10_000) {
        let before = actor.split_inclusive(';').next().filter(|before| before.ends_with(';')).unwrap_or_default();
        match counts.iter().position(|(other, _)| *other == before) {
            Some(place) => counts.iter_mut().skip(place).take(1).for_each(|(_, count)| *count += 1),
            None if counts.len() < 50 => counts.push((before, 1)),
            None => {}
        }
    }
    counts.iter().max_by_key(|(_, count)| *count).map_or(USER, |(before, _)| before).to_owned()
}

fn flag(name: &str, gates: &Node, prefix: &str, options: &Options) -> Flag {
    let mut flag = Flag::new(name);
    let percent = |key| gates.get(key).and_then(Node::word).and_then(|word| word.trim().parse::<f64>().ok());
    let of_actors = percent("percentage_of_actors").filter(|percent| *percent > 0.0);
    let of_time = percent("percentage_of_time").filter(|percent| *percent > 0.0);
    let mut steps = Vec::new();
    if gates.get("boolean").and_then(Node::word).is_some_and(|word| word == "true") {
        steps.push(Step::new(Condition::Always, Get::arm(ON)));
    }
    steps.extend(actors(gates, prefix, options, &mut flag));
    steps.extend(groups(gates, &mut flag));
    if let Some(expression) = gates.get("expression").filter(|expression| !expression.entries().is_empty()) {
        let condition = Expressions { options, flag: &mut flag }.of(expression, 0);
        steps.push(Step::new(condition, Get::arm(ON)));
    }
    if let Some(percent) = of_actors {
        if of_time.is_some() {
            flag.lost("It has a percentage of actors and one of time: that of time, which is drawn anew each time, is left out.");
        }
        flag.remark(format!(
            "Flipper hashes the class and the id of an actor: `{prefix}` stands before the user's id here. Change `prefix` where \
             actors have another class."
        ));
        let draw = Draw { hash: Hash::new("flipper").text("key", name).text("prefix", prefix), unit: "user".into() };
        steps.push(Step::new(Condition::Always, Get::below(draw, Share::percent(percent), Pick::Arm(ON))));
    }
    Chain { arms: on_and_off(), control: OFF, drawn: Vec::new(), steps }.into_flag(&mut flag);
    if let (Some(percent), None) = (of_time, of_actors)
        && flag.percent == Some(Share::NOBODY)
    {
        flag.percent = Some(Share::percent(percent));
        flag.bucket_by = Some("request".into());
    }
    flag
}

/// People named one by one.
fn actors(gates: &Node, prefix: &str, options: &Options, flag: &mut Flag) -> Option<Step> {
    let (of_users, others): (Vec<_>, Vec<_>) =
        gates.items_at("actors").iter().filter_map(Node::word).partition(|actor| actor.starts_with(prefix));
    for actor in others.iter().take(3) {
        flag.lost(format!("The actor `{actor}` is no user whose id begins with `{prefix}`."));
    }
    if others.len() > 3 {
        flag.lost(format!("So are {} other actors.", others.len() - 3));
    }
    let ids: Vec<String> = of_users.iter().filter_map(|actor| actor.strip_prefix(prefix)).map(Into::into).collect();
    let key = options.key("user", &mut flag.notes);
    (!ids.is_empty()).then(|| Step::new(Condition::words(key, ids), Get::arm(ON)))
}

/// Groups, each of which is a block of code in the app.
fn groups(gates: &Node, flag: &mut Flag) -> Option<Step> {
    let names: Vec<String> = gates.items_at("groups").iter().filter_map(Node::word).collect();
    if names.is_empty() {
        return None;
    }
    flag.lost(format!(
        "The app's code says who is in the {} {}. Let it tell Flagstaff the groups of a user: the rule stands here.",
        if names.len() == 1 { "group" } else { "groups" },
        names.join(", ")
    ));
    Some(Step::new(Condition::words("group", names), Get::arm(ON)))
}

/// Expressions are nested so far.
const DEEPEST: usize = 50;

struct Expressions<'a> {
    options: &'a Options,
    flag: &'a mut Flag,
}

impl Expressions<'_> {
    fn of(&mut self, expression: &Node, depth: usize) -> Condition {
        let (Some((name, arguments)), true) = (expression.entries().first(), depth < DEEPEST) else {
            return Condition::Unknown("an expression is too deep, or is none".into());
        };
        let arguments =
            if let Node::List(list) = arguments { list.as_slice() } else { std::slice::from_ref(arguments) };
        match name.as_str() {
            "Any" => Condition::Any(arguments.iter().map(|one| self.of(one, depth + 1)).collect()),
            "All" => Condition::All(arguments.iter().map(|one| self.of(one, depth + 1)).collect()),
            "Boolean" if arguments.first().and_then(Node::truth) == Some(true) => Condition::Always,
            "Boolean" => Condition::Never,
            compared => self.compared(compared, arguments),
        }
    }

    /// A property of the actor, compared with a value.
    fn compared(&mut self, name: &str, arguments: &[Node]) -> Condition {
        let unknown = || Condition::Unknown(format!("an expression says `{name}`"));
        let [left, right] = arguments else { return unknown() };
        let property = left.get("Property").map(|of| of.items().first().unwrap_or(of)).and_then(Node::text);
        let value = ["String", "Number", "Boolean"].into_iter().find_map(|kind| right.get(kind)).unwrap_or(right);
        let value = value.items().first().unwrap_or(value);
        let (Some(property), Some(word)) = (property, value.word()) else { return unknown() };
        let looked_at = LookedAt(self.options.key(property, &mut self.flag.notes));
        let number = |compared| value.number().map_or_else(unknown, |number| looked_at.number(compared, number));
        match name {
            "Equal" => looked_at.has(Place::Whole, [word]),
            "NotEqual" => looked_at.has(Place::Whole, [word]).negated(),
            "GreaterThan" => number(Compared::Above),
            "GreaterThanOrEqualTo" => number(Compared::AtLeast),
            "LessThan" => number(Compared::Below),
            "LessThanOrEqualTo" => number(Compared::UpTo),
            _ => unknown(),
        }
    }
}
