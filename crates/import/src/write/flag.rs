//! What stands under the heading of a flag.

use std::collections::HashMap;

use super::groups::{formula, table};
use super::settle::{MOST_VARIANTS, Settling};
use super::toml;
use crate::conditions::WrittenTable;
use crate::model::names::Names;
use crate::model::{Audience, Flag, Hash, Note, Outcome, Rule, Share, Variant};
use crate::report::{Carried, FlagReport};

/// Values are not deeper: the flag file reads 32, and they stand in three.
const DEEPEST_VALUE: usize = 24;

/// A flag as it is written: notes above it, keys, rules.
pub(super) fn written(title: &str, place: usize, flag: Flag, settling: &mut Settling) -> (String, FlagReport) {
    if flag.variants.len() > MOST_VARIANTS {
        let why = format!("it has {} variants, and a flag has at most {MOST_VARIANTS}", flag.variants.len());
        return refused(&flag.origin, why);
    }
    let name = settling.name(place);
    let mut notes = flag.notes.clone();
    if name != flag.origin {
        notes.insert(0, Note::remark(format!("Was `{}` in {title}. Code must ask for `{name}`.", flag.origin)));
    }
    settling.prefix.clone_from(&name);
    let variants = VariantNames::new(&flag.variants, &mut notes);
    let mut writing = Writing { name: &name, variants: &variants, notes, settling, keys: String::new() };
    writing.keys(&flag);
    let rules: String = flag.rules.iter().map(|rule| writing.rule(rule)).collect();
    let Writing { notes, keys, .. } = writing;
    let comments: String = notes.iter().map(|note| toml::comment(note.text())).collect();
    let text = format!("\n{comments}[flags.{name}]\n{keys}{rules}");
    (text, reported(flag.origin, name, &notes))
}

/// A flag of which nothing is carried: a comment.
pub(super) fn refused(origin: &str, why: String) -> (String, FlagReport) {
    let text = format!("\n{}", toml::comment(&format!("Not carried: {origin}: {why}")));
    let (name, lost) = (None, vec![why]);
    (text, FlagReport { origin: origin.to_owned(), name, carried: Carried::Not, lost, remarks: Vec::new() })
}

fn reported(origin: String, name: String, notes: &[Note]) -> FlagReport {
    let of = |wanted: bool| {
        let fits = move |note: &&Note| matches!(note, Note::Lost(_)) == wanted;
        notes.iter().filter(fits).map(|note| note.text().to_owned()).collect::<Vec<_>>()
    };
    let (lost, remarks) = (of(true), of(false));
    let carried = if lost.is_empty() { Carried::Exactly } else { Carried::InPart };
    FlagReport { origin, name: Some(name), carried, lost, remarks }
}

/// Names of variants here, by those of the old system.
struct VariantNames(HashMap<String, String>);

impl VariantNames {
    fn new(variants: &[Variant], notes: &mut Vec<Note>) -> Self {
        let mut given = Names::default();
        let mut names = HashMap::new();
        for variant in variants {
            let name = given.variant(&variant.name);
            if name != variant.name {
                let there =
                    if variant.name.is_empty() { "without a name".into() } else { format!("`{}`", variant.name) };
                Note::add(
                    notes,
                    Note::remark(format!("The variant {there} is `{name}` here, and code is told that name.")),
                );
            }
            names.insert(variant.name.clone(), name);
        }
        Self(names)
    }

    fn of(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    fn weights(&self, weights: &[(String, Share)]) -> String {
        let entries: Vec<_> = weights.iter().map(|(name, share)| (self.of(name), share.to_string())).collect();
        toml::inline(&entries)
    }
}

/// A flag while it is written.
struct Writing<'a> {
    name: &'a str,
    variants: &'a VariantNames,
    notes: Vec<Note>,
    settling: &'a mut Settling,
    keys: String,
}

impl Writing<'_> {
    fn key(&mut self, key: &str, value: impl AsRef<str>) {
        self.keys += &format!("{key} = {}\n", value.as_ref());
    }

    fn text(&mut self, key: &str, text: Option<&String>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.key(key, toml::text(text));
        }
    }

    fn lost(&mut self, text: String) {
        Note::add(&mut self.notes, Note::lost(text));
    }

    fn keys(&mut self, flag: &Flag) {
        self.text("description", flag.description.as_ref());
        self.text("owner", flag.owner.as_ref());
        self.day("created", flag.created.as_ref());
        self.day("expires", flag.expires.as_ref());
        if !flag.enabled {
            self.key("enabled", "false");
        }
        if let Some(percent) = flag.percent {
            self.key("percent", percent.to_string());
        }
        self.variants(&flag.variants);
        if let Some(hash) = &flag.hash {
            let text = self.formula(hash);
            self.key("hash", text);
        }
        self.text("bucket_by", flag.bucket_by.as_ref());
        self.text("sticky", flag.sticky.as_ref());
        self.day("waffle_cookie_until", flag.waffle_cookie_until.as_ref());
        self.text("waffle_name", flag.waffle_name.as_ref());
        self.requires(flag);
        self.people("allow", &flag.allow);
        self.people("deny", &flag.deny);
        if flag.client {
            self.key("client", "true");
        }
        if flag.testing {
            self.key("testing", "true");
        }
        self.values(&flag.variants);
        self.metadata(flag);
    }

    /// A day, or a comment where it is none.
    fn day(&mut self, key: &str, day: Option<&String>) {
        let Some(day) = day else { return };
        match day.parse::<jiff::civil::Date>() {
            Ok(day) => self.key(key, day.to_string()),
            Err(_) => Note::add(&mut self.notes, Note::remark(format!("`{key}` was `{day}`, which is no day."))),
        }
    }

    fn variants(&mut self, variants: &[Variant]) {
        if !variants.is_empty() {
            let weights: Vec<_> = variants.iter().map(|variant| (variant.name.clone(), variant.weight)).collect();
            let text = self.variants.weights(&weights);
            self.key("variants", text);
        }
    }

    fn formula(&self, hash: &Hash) -> String {
        formula(hash, &|name| self.variants.of(name))
    }

    fn values(&mut self, variants: &[Variant]) {
        let means_name = |variant: &Variant| {
            variant.value.as_ref().is_none_or(|value| value.text() == Some(self.variants.of(&variant.name).as_str()))
        };
        if variants.iter().all(means_name) {
            return;
        }
        let mut entries = Vec::new();
        for variant in variants {
            let Some(value) = &variant.value else { continue };
            let name = self.variants.of(&variant.name);
            match toml::value(value, DEEPEST_VALUE) {
                Some(text) => entries.push((name, text)),
                None => self.lost(format!("The value of `{name}` cannot be written: there is no null in TOML.")),
            }
        }
        self.key("values", toml::inline(&entries));
    }

    fn requires(&mut self, flag: &Flag) {
        let mut found = Vec::new();
        for need in &flag.requires {
            let known = self.settling.flag(&need.origin).map(ToOwned::to_owned);
            let Some(name) = known.filter(|name| name != self.name) else {
                self.lost(format!("It needs the flag `{}`, which is not carried.", need.origin));
                continue;
            };
            let variant = need.variant.as_ref().map(|of| (of, self.settling.variant(&need.origin, of)));
            match variant {
                Some((of, None)) => {
                    self.lost(format!("It needs `{}` to be `{of}`, which that flag cannot be here.", need.origin));
                }
                Some((_, Some(variant))) => found.push((name, Some(variant.to_owned()))),
                None => found.push((name, None)),
            }
        }
        found.dedup_by(|a, b| a.0 == b.0);
        if found.is_empty() {
            return;
        }
        let text = match found.iter().any(|(_, variant)| variant.is_some()) {
            true => {
                let variant = |variant: Option<String>| toml::text(&variant.unwrap_or_else(|| "on".into()));
                toml::inline(&found.into_iter().map(|(name, of)| (name, variant(of))).collect::<Vec<_>>())
            }
            false => toml::texts(&found.into_iter().map(|(name, _)| name).collect::<Vec<_>>(), false),
        };
        self.key("requires", text);
    }

    fn people(&mut self, key: &str, people: &Audience) {
        let mut entries = Vec::new();
        let lists = [
            ("users", &people.users),
            ("groups", &people.groups),
            ("roles", &people.roles),
            ("languages", &people.languages),
        ];
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            entries.push((name.to_owned(), toml::texts(list, false)));
        }
        if people.authenticated {
            entries.push(("authenticated".into(), "true".into()));
        }
        let mut segments = Vec::new();
        for origin in &people.segments {
            match crate::conditions::Tables::segment(self.settling, origin) {
                Ok(name) => segments.push(name),
                Err(why) => self.lost(format!("`{key}`: {why}.")),
            }
        }
        if !segments.is_empty() {
            entries.push(("segments".into(), toml::texts(&segments, false)));
        }
        if !entries.is_empty() {
            self.key(key, toml::inline(&entries));
        }
    }

    fn metadata(&mut self, flag: &Flag) {
        let mut entries = Vec::new();
        for (name, node) in &flag.metadata {
            match toml::value(node, DEEPEST_VALUE) {
                Some(text) => entries.push((name.clone(), text)),
                None => Note::add(
                    &mut self.notes,
                    Note::remark(format!("`{name}` of its metadata cannot be written: there is no null in TOML.")),
                ),
            }
        }
        if !entries.is_empty() {
            self.key("metadata", toml::inline(&entries));
        }
    }

    /// A rule for each alternative of its conditions.
    fn rule(&mut self, rule: &Rule) -> String {
        match self.settling.tables(&rule.condition) {
            Ok(tables) => tables.iter().map(|table| self.rule_of(table, rule)).collect(),
            Err(why) => {
                let who = rule.comment.as_ref().map(|of| format!(" ({of})")).unwrap_or_default();
                let what = self.outcome(&rule.outcome).replace('\n', ", ");
                self.lost(format!("A rule{who} is not carried, {}: {why}.", what.trim_end_matches(", ")));
                String::new()
            }
        }
    }

    fn rule_of(&self, conditions: &WrittenTable, rule: &Rule) -> String {
        let mut text = String::from("\n");
        text += &rule.comment.as_deref().map(toml::comment).unwrap_or_default();
        text += &format!("[[flags.{}.rules]]\n", self.name);
        if !conditions.is_empty() {
            text += &format!("if = {}\n", table(conditions));
        }
        text += &self.outcome(&rule.outcome);
        if let Some(hash) = &rule.hash {
            text += &format!("hash = {}\n", self.formula(hash));
        }
        if rule.goes_on {
            text += "otherwise = \"next\"\n";
        }
        text
    }

    fn outcome(&self, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Serve(name) => format!("serve = {}\n", toml::text(&self.variants.of(name))),
            Outcome::Percent(share) => format!("percent = {share}\n"),
            Outcome::Variants(weights) => format!("variants = {}\n", self.variants.weights(weights)),
            Outcome::PercentOfVariants(share, weights) => {
                format!("percent = {share}\nvariants = {}\n", self.variants.weights(weights))
            }
        }
    }
}
