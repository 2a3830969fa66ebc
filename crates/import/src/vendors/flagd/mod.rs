//! flagd: flag definitions in JSON or YAML (<https://flagd.dev/reference/flag-definitions/>).
//!
//! `logic` reads JSONLogic as conditions, `targeting` follows `if` down to what each branch gives, `fractional` reads a draw.

mod fractional;
mod logic;
mod targeting;

use std::collections::HashMap;

use crate::error::ImportError;
use crate::input::{Node, json_or_yaml};
use crate::model::{Flag, Imported, Note, Share};
use crate::options::Options;
use crate::vendors::beyond_ascii;
use crate::vendors::plan::{Arms, Draw, Given, Plan, Step, one_unit};
use fractional::Fractional;
use targeting::{Branch, Leaf, branches};

const WHAT: &str = "a flag definition of flagd";
/// The version of `fractional` that flagd itself has, as its own tests call it.
const DEFAULT_VERSION: u32 = 2;

/// What the flags of a definition have in common.
pub(super) struct Definition<'a> {
    evaluators: HashMap<&'a str, &'a Node>,
    options: &'a Options,
    /// The version of `fractional`.
    version: u32,
}

/// Reads a flag definition.
pub(crate) fn read(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let version = options.formula_version.unwrap_or(DEFAULT_VERSION);
    let document = json_or_yaml(bytes)?;
    let Some(flags) = document.get("flags") else {
        return Err(ImportError::shape(WHAT, "it has no `flags`"));
    };
    let evaluators = document.entries_at("$evaluators").iter().map(|(name, node)| (name.as_str(), node));
    let definition = Definition { evaluators: evaluators.collect(), options, version };
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
        Shape { variants, default, branches }.put(flag, self)
    }
}

/// What a flag can be, what it is by default, and what targeting makes of it.
struct Shape<'a> {
    variants: &'a [(String, Node)],
    default: String,
    branches: Vec<Branch>,
}

impl Shape<'_> {
    fn put(mut self, mut flag: Flag, definition: &Definition<'_>) -> Flag {
        let mut unit = None;
        let mut steps = Vec::new();
        for Branch { condition, leaf } in std::mem::take(&mut self.branches) {
            let given = match leaf {
                Leaf::Default => Ok(Given::Serve(self.default.clone())),
                Leaf::Variant(name) if self.variants.iter().any(|(variant, _)| *variant == name) => {
                    Ok(Given::Serve(name))
                }
                Leaf::Variant(name) => Err(format!("it gives `{name}`, which is no variant: an error there")),
                Leaf::Fractional(draw) => {
                    one_unit(&mut unit, &draw.attribute, &mut flag.notes);
                    self.drawn(&draw, definition.version, &mut flag.notes)
                }
                Leaf::Unknown(why) => Err(why),
            };
            match given {
                Ok(given) => steps.push(Step::new(condition, given)),
                Err(why) => flag.lost(format!("A rule is not carried: {why}.")),
            }
        }
        flag.bucket_by = unit.map(|attribute| definition.options.unit(&attribute, &mut flag.notes));
        if flag.bucket_by.is_some() {
            flag.notes.push(match definition.options.formula_version {
                Some(version) => Note::remark(told_of(version)),
                None => Note::lost(UNTOLD),
            });
            beyond_ascii::remark(&mut flag, "flagd's providers for JavaScript");
        }
        let arms = Arms::named(self.variants.iter().cloned());
        let rest = Given::Serve(self.default.clone());
        Plan { arms, control: self.default, steps, rest }.put(&mut flag);
        flag
    }
    fn drawn(&self, draw: &Fractional, version: u32, notes: &mut Vec<Note>) -> Result<Given, String> {
        let is_known = |name: &String| self.variants.iter().any(|(known, _)| known == name);
        if let Some((name, _)) = draw.weights.iter().find(|(name, _)| !is_known(name)) {
            return Err(format!("a draw gives `{name}`, which is no variant: an error there"));
        }
        if draw.total() > 100_000 {
            Note::add(notes, Note::lost("Its weights are finer than a thousandth of a percent: they are rounded."));
        }
        let (hash, without_id) = (draw.hash(version), draw.without_id(&self.default));
        Ok(Given::Draw(Draw { share: Share::EVERYBODY, weights: draw.shares(), hash, without_id }))
    }
}

/// The definition does not say which version its programs have.
const UNTOLD: &str = "It is drawn by version 2 of flagd's formula, as no version was chosen. Say which one your programs have: --formula-version 1 (older ones, such as @openfeature/flagd-core 1.3 for JavaScript), 2, or 3 (openfeature-flagd-core 2.0 for Python).";

/// Which programs draw so.
const fn told_of(version: u32) -> &'static str {
    match version {
        1 => {
            "It is drawn by version 1 of flagd's formula (a signed number), as @openfeature/flagd-core 1.3 for JavaScript draws."
        }
        3 => "It is drawn by version 3 of flagd's formula (CBOR), as openfeature-flagd-core 2.0 for Python draws.",
        _ => "It is drawn by version 2 of flagd's formula, as openfeature-flagd-core 1 for Python draws.",
    }
}
