//! Rows of waffle's tables.

use std::collections::HashMap;

use crate::error::ImportError;
use crate::input::{self, Node};
use crate::model::Share;

const WHAT: &str = "a dump of django-waffle";

/// The rows that say anything of flags.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WaffleTables {
    /// Flags, in the order of the dump.
    pub flags: Vec<FlagRow>,
    /// Switches.
    pub switches: Vec<SwitchRow>,
    /// Samples.
    pub samples: Vec<SampleRow>,
}

/// A flag of waffle.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlagRow {
    /// Its name.
    pub name: String,
    /// On or off for everybody, whatever else is there.
    pub everyone: Option<bool>,
    /// The share of visitors; none and 0 mean the same.
    pub percent: Option<Share>,
    /// A visitor may choose.
    pub testing: bool,
    /// On for superusers.
    pub superusers: bool,
    /// On for staff.
    pub staff: bool,
    /// On for everybody who is logged in.
    pub authenticated: bool,
    /// On for these languages.
    pub languages: Vec<String>,
    /// Who is out is drawn again in the next session.
    pub rollout: bool,
    /// What somebody wrote of it.
    pub note: String,
    /// The day it was made.
    pub created: Option<String>,
    /// Users, by their primary keys.
    pub users: Named,
    /// Groups, by their names.
    pub groups: Named,
}

/// Whom a flag names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// As the flag file names them.
    pub known: Vec<String>,
    /// What the dump has in their place, where it does not say who is meant.
    pub unknown: Vec<String>,
}

/// A switch of waffle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SwitchRow {
    /// Its name.
    pub name: String,
    /// Whether it is on.
    pub active: bool,
    /// What somebody wrote of it.
    pub note: String,
    /// The day it was made.
    pub created: Option<String>,
}

/// A sample of waffle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleRow {
    /// Its name.
    pub name: String,
    /// How often it is on.
    pub percent: Share,
    /// What somebody wrote of it.
    pub note: String,
    /// The day it was made.
    pub created: Option<String>,
}

/// Groups and users of the same dump.
#[derive(Default)]
struct People {
    groups: HashMap<String, String>,
    users: HashMap<String, String>,
}

/// Which of waffle's models an object is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Flag,
    Switch,
    Sample,
}

impl WaffleTables {
    /// Reads what `manage.py dumpdata` writes.
    ///
    /// # Errors
    /// When it is something else, or has nothing of waffle.
    pub fn read(bytes: &[u8]) -> Result<Self, ImportError> {
        let dump = input::json(bytes)?;
        if !matches!(dump, Node::List(_)) {
            return Err(wrong("it is no list of objects"));
        }
        let people = People::read(dump.items());
        let mut tables = Self::default();
        for object in dump.items() {
            let fields = object.get("fields").unwrap_or(&Node::Null);
            let Some(name) = fields.text_at("name").map(ToOwned::to_owned) else { continue };
            match kind(object, fields) {
                Some(Kind::Flag) => tables.flags.push(flag(name, fields, &people)),
                Some(Kind::Switch) => tables.switches.push(SwitchRow {
                    name,
                    active: truth(fields, "active"),
                    note: note(fields),
                    created: day(fields),
                }),
                Some(Kind::Sample) => tables.samples.push(SampleRow {
                    name,
                    percent: share(fields).unwrap_or_default(),
                    note: note(fields),
                    created: day(fields),
                }),
                None => {}
            }
        }
        if tables.is_empty() {
            return Err(wrong("it has no flag, switch or sample"));
        }
        Ok(tables)
    }

    /// Whether there is nothing at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.flags.is_empty() && self.switches.is_empty() && self.samples.is_empty()
    }

    /// A flag by its name.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<&FlagRow> {
        self.flags.iter().find(|flag| flag.name == name)
    }
}

fn wrong(why: &str) -> ImportError {
    ImportError::shape(WHAT, format!("{why}; write it with `python manage.py dumpdata waffle auth.group`"))
}

/// The model by its name, or by its fields: WAFFLE_FLAG_MODEL and its like may name models of the app's own.
fn kind(object: &Node, fields: &Node) -> Option<Kind> {
    let has = |keys: &[&str]| keys.iter().all(|key| fields.entries().iter().any(|(name, _)| name == key));
    match object.text_at("model").unwrap_or_default().to_ascii_lowercase().as_str() {
        "waffle.flag" => Some(Kind::Flag),
        "waffle.switch" => Some(Kind::Switch),
        "waffle.sample" => Some(Kind::Sample),
        _ if has(&["everyone", "superusers", "testing", "percent"]) => Some(Kind::Flag),
        other if other.ends_with("switch") && has(&["active", "note", "modified"]) => Some(Kind::Switch),
        other if other.ends_with("sample") && has(&["percent", "note", "modified"]) => Some(Kind::Sample),
        _ => None,
    }
}

fn flag(name: String, fields: &Node, people: &People) -> FlagRow {
    FlagRow {
        name,
        everyone: fields.get("everyone").and_then(truth_of),
        percent: share(fields).filter(|share| *share > Share::NOBODY),
        testing: truth(fields, "testing"),
        superusers: truth(fields, "superusers"),
        staff: truth(fields, "staff"),
        authenticated: truth(fields, "authenticated"),
        languages: languages(fields.text_at("languages").unwrap_or_default()),
        rollout: truth(fields, "rollout"),
        note: note(fields),
        created: day(fields),
        users: people.named(fields.items_at("users"), &people.users, true),
        groups: people.named(fields.items_at("groups"), &people.groups, false),
    }
}

impl People {
    fn read(objects: &[Node]) -> Self {
        let mut people = Self::default();
        for object in objects {
            let (Some(fields), Some(key)) = (object.get("fields"), object.get("pk").and_then(Node::word)) else {
                continue;
            };
            let model = object.text_at("model").unwrap_or_default();
            if model == "auth.group" {
                people.groups.extend(fields.text_at("name").map(|name| (key, name.to_owned())));
            } else if let Some(name) = fields.text_at("username") {
                // by a natural key a dump has the name, and the flag file wants the key
                people.users.insert(name.to_owned(), key);
            }
        }
        people
    }

    /// Whom a flag names: by keys, or by natural keys, which are lists. A user's key is known without more, a group's name is not.
    fn named(&self, items: &[Node], known: &HashMap<String, String>, by_key: bool) -> Named {
        let mut named = Named::default();
        for item in items {
            let (text, is_natural) = match item {
                Node::List(parts) => (parts.first().and_then(Node::word), true),
                other => (other.word(), false),
            };
            let Some(text) = text else { continue };
            match known.get(&text) {
                Some(found) if is_natural == by_key => named.known.push(found.clone()),
                _ if is_natural != by_key => named.known.push(text),
                _ => named.unknown.push(text),
            }
        }
        named
    }
}

fn note(fields: &Node) -> String {
    fields.text_at("note").unwrap_or_default().trim().to_owned()
}

/// `2026-11-29T05:32:43.201Z` as `2026-11-29`.
fn day(fields: &Node) -> Option<String> {
    fields.text_at("created").and_then(|text| text.get(..10)).map(ToOwned::to_owned)
}

fn truth(fields: &Node, key: &str) -> bool {
    fields.get(key).and_then(truth_of).unwrap_or_default()
}

/// true and false, which SQLite keeps as numbers.
fn truth_of(node: &Node) -> Option<bool> {
    node.truth().or_else(|| node.whole().map(|number| number != 0))
}

/// A percentage, which a dump has as a text and a database as a number.
fn share(fields: &Node) -> Option<Share> {
    let node = fields.get("percent")?;
    let number = node.number().or_else(|| node.text()?.trim().parse().ok())?;
    Some(Share::percent(number))
}

fn languages(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|language| !language.is_empty()).map(ToOwned::to_owned).collect()
}
