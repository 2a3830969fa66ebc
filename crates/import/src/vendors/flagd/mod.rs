//! flagd: flag definitions in JSON or YAML (<https://flagd.dev/reference/flag-definitions/>).
//!
//! `logic` reads JSONLogic as conditions, `targeting` follows `if` down to what each branch gives, `fractional` reads a draw.

mod fractional;
mod logic;
mod targeting;

use std::collections::HashMap;

use crate::error::ImportError;
use crate::input::{Node, json_or_yaml};
use crate::model::{Flag, Imported, Note, Outcome, Rule, Share, Variant};
use crate::options::Options;
use fractional::Fractional;
use targeting::{Branch, Leaf, branches};

const WHAT: &str = "a flag definition of flagd";

/// What the flags of a definition have in common.
pub(super) struct Definition<'a> {
    evaluators: HashMap<&'a str, &'a Node>,
    options: &'a Options,
}

/// Reads a flag definition.
pub(crate) fn read(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let document = json_or_yaml(bytes)?;
    let Some(flags) = document.get("flags") else {
        return Err(ImportError::shape(WHAT, "it has no `flags`"));
    };
    let evaluators = document.entries_at("$evaluators").iter().map(|(name, node)| (name.as_str(), node));
    let definition = Definition { evaluators: evaluators.collect(), options };
    let named = flags.entries().iter().map(|(key, node)| (key.as_str(), node));
    let listed = flags.items().iter().map(|node| (node.text_at("key").unwrap_or_default(), node));
    let flags = named.chain(listed).map(|(key, node)| definition.flag(key, node)).collect();
    Ok(Imported { flags, ..Imported::default() })
}

impl Definition<'_> {
    fn flag(&self, key: &str, node: &Node) -> Flag {
        let variants = node.entries_at("variants");
        if variants.is_empty() {
            return Flag::refused(key, "it has no variants");
        }
        let mut flag = Flag::new(key);
        flag.enabled = node.text_at("state") != Some("DISABLED");
        flag.metadata = node.entries_at("metadata").to_vec();
        flag.description = flag.metadata.iter().find(|(name, _)| name == "description").and_then(|(_, d)| d.word());
        flag.metadata.retain(|(name, _)| name != "description");
        let named = node.get("defaultVariant").and_then(Node::word);
        let default = named.filter(|name| variants.iter().any(|(variant, _)| variant == name));
        let default = default.unwrap_or_else(|| {
            flag.lost("It has no default variant, so code's own default counts there. Here it is the first variant.");
            variants.first().map(|(name, _)| name.clone()).unwrap_or_default()
        });
        if !flag.enabled {
            flag.remark("It is disabled: code gets its own default there, and `off` here.");
        }
        let branches = match node.get("targeting") {
            Some(targeting) if !targeting.entries().is_empty() => branches(self, key, targeting, &mut flag.notes),
            _ => Vec::new(),
        };
        Shape { variants, default, branches }.put(flag, self.options)
    }
}

/// What a flag can be, what it is by default, and what targeting makes of it.
struct Shape<'a> {
    variants: &'a [(String, Node)],
    default: String,
    branches: Vec<Branch>,
}

impl Shape<'_> {
    fn put(mut self, mut flag: Flag, options: &Options) -> Flag {
        let (unit, is_plain) = (self.unit(), self.is_plain());
        flag.bucket_by = unit.as_deref().map(|attribute| options.unit(attribute, &mut flag.notes));
        let last = match self.branches.pop() {
            Some(Branch { condition, leaf }) if condition == crate::Condition::Always => Some(leaf),
            other => {
                self.branches.extend(other);
                None
            }
        };
        for Branch { condition, leaf } in std::mem::take(&mut self.branches) {
            if let Some(rule) = self.rule(condition, leaf, unit.as_deref(), is_plain, &mut flag.notes) {
                flag.rules.push(rule);
            }
        }
        if !is_plain {
            flag.variants = self.ordered().map(|(name, value)| self.variant(name, value)).collect();
        }
        self.last(&mut flag, last, unit.as_deref(), is_plain);
        flag
    }

    /// The attribute that is hashed; of several, the first.
    fn unit(&self) -> Option<String> {
        self.branches.iter().find_map(|branch| match &branch.leaf {
            Leaf::Fractional(fractional) => Some(fractional.attribute.clone()),
            _ => None,
        })
    }

    /// Whether it is off and on, and off for those whose id is not known: such a flag needs no variants of its own.
    fn is_plain(&self) -> bool {
        let is = |name: &str, truth| self.variants.iter().any(|(n, value)| n == name && value.truth() == Some(truth));
        let is_drawn = self.branches.iter().any(|branch| matches!(branch.leaf, Leaf::Fractional(_)));
        self.variants.len() == 2 && is("on", true) && is("off", false) && (self.default == "off" || !is_drawn)
    }

    /// The variants, the default one first: it is what those get whose id is not known.
    fn ordered(&self) -> impl Iterator<Item = &(String, Node)> {
        let first = self.variants.iter().filter(|(name, _)| *name == self.default);
        first.chain(self.variants.iter().filter(|(name, _)| *name != self.default))
    }

    fn variant(&self, name: &str, value: &Node) -> Variant {
        let weight = if name == self.default { Share::EVERYBODY } else { Share::NOBODY };
        Variant { name: name.to_owned(), weight, value: Some(value.clone()) }
    }

    fn rule(
        &self,
        condition: crate::Condition,
        leaf: Leaf,
        unit: Option<&str>,
        is_plain: bool,
        notes: &mut Vec<Note>,
    ) -> Option<Rule> {
        match leaf {
            Leaf::Default => Some(Rule::new(condition, Outcome::Serve(self.default.clone()))),
            Leaf::Variant(name) if self.has(&name) => Some(Rule::new(condition, Outcome::Serve(name))),
            Leaf::Fractional(draw) => {
                self.check(&draw, unit, notes);
                let (hash, shares) = (draw.hash(&self.names(is_plain)), draw.shares());
                let outcome = match is_plain {
                    true => Outcome::Percent(draw.share_of("on")),
                    false => Outcome::Variants(shares),
                };
                Some(Rule::new(condition, outcome).drawn(hash))
            }
            Leaf::Variant(name) => {
                Note::add(
                    notes,
                    Note::lost(format!("A rule gives `{name}`, which is no variant: an error there, left out here.")),
                );
                None
            }
            Leaf::Unknown(why) => {
                Note::add(notes, Note::lost(format!("A rule is not carried: {why}.")));
                None
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        self.variants.iter().any(|(variant, _)| variant == name)
    }

    /// The order in which variants are drawn where nothing is said: as they are written, or `on` before `off`.
    fn names(&self, is_plain: bool) -> Vec<String> {
        match is_plain {
            true => vec!["on".into(), "off".into()],
            false => self.ordered().map(|(name, _)| name.clone()).collect(),
        }
    }

    fn check(&self, draw: &Fractional, unit: Option<&str>, notes: &mut Vec<Note>) {
        if unit != Some(draw.attribute.as_str()) {
            let text = format!(
                "A draw hashes `{}`, another one `{}`. A flag hashes one id here: the first counts for both.",
                draw.attribute,
                unit.unwrap_or_default()
            );
            Note::add(notes, Note::lost(text));
        }
        for (name, _) in draw.weights.iter().filter(|(name, _)| !self.has(name)) {
            Note::add(notes, Note::lost(format!("A draw gives `{name}`, which is no variant: an error there.")));
        }
        if draw.total() > 100_000 {
            Note::add(notes, Note::lost("Its weights are finer than a thousandth of a percent: they are rounded."));
        }
    }

    /// What all others get.
    fn last(&self, flag: &mut Flag, leaf: Option<Leaf>, unit: Option<&str>, is_plain: bool) {
        let is_drawn = matches!(leaf, Some(Leaf::Fractional(_)));
        let default = if self.default == "on" { Share::EVERYBODY } else { Share::NOBODY };
        flag.percent = is_plain.then_some(default);
        match leaf {
            None | Some(Leaf::Default) => {}
            Some(Leaf::Variant(name)) if name == self.default => {}
            Some(leaf) => {
                let rule = self.rule(crate::Condition::Always, leaf, unit, is_plain, &mut flag.notes);
                match (rule, is_drawn) {
                    (Some(Rule { outcome: Outcome::Percent(share), hash, .. }), true) => {
                        (flag.percent, flag.hash) = (Some(share), hash);
                    }
                    (Some(Rule { outcome: Outcome::Variants(shares), hash, .. }), true) => {
                        flag.hash = hash;
                        for variant in &mut flag.variants {
                            let share = shares.iter().find(|(name, _)| *name == variant.name);
                            variant.weight = share.map_or(Share::NOBODY, |(_, share)| *share);
                        }
                    }
                    (rule, _) => flag.rules.extend(rule),
                }
            }
        }
    }
}
