//! Names are given, and conditions become tables.

use std::collections::HashMap;

use crate::conditions::{Tables, WrittenTable, normal};
use crate::model::names::Names;
use crate::model::{Condition, Flag, Note, Segment};

/// The most variants a flag file takes.
pub(super) const MOST_VARIANTS: usize = 63;

/// A segment as it is written.
pub(super) struct WrittenSegment {
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) any: Vec<WrittenTable>,
}

/// Names of flags, segments and layers, and the segments so far.
pub(super) struct Settling {
    /// The name of each flag, in the order of the export.
    names: Vec<String>,
    /// The name by the name of the old system.
    flags: HashMap<String, String>,
    /// The name of each variant, by flag and variant of the old system.
    variants: HashMap<String, HashMap<String, String>>,
    segment_names: Names,
    conditions: HashMap<String, Condition>,
    /// The name of each segment of the old system, or why there is none.
    settled: HashMap<String, Result<String, String>>,
    pub(super) segments: Vec<WrittenSegment>,
    /// The beginning of the names of new segments.
    pub(super) prefix: String,
    pub(super) notes: Vec<Note>,
}

impl Settling {
    pub(super) fn new(flags: &[Flag], segments: Vec<Segment>) -> Self {
        let mut given = Names::default();
        let names: Vec<String> = flags.iter().map(|flag| given.give(&flag.origin)).collect();
        let mut by_origin = HashMap::new();
        let mut variants: HashMap<_, HashMap<_, _>> = HashMap::new();
        let is_carried = |flag: &Flag| flag.refused.is_none() && flag.variants.len() <= MOST_VARIANTS;
        for (flag, name) in flags.iter().zip(&names).filter(|(flag, _)| is_carried(flag)) {
            by_origin.entry(flag.origin.clone()).or_insert_with(|| name.clone());
            let mut given = Names::default();
            let named = flag.variants.iter().map(|variant| (variant.name.clone(), given.variant(&variant.name)));
            variants.entry(flag.origin.clone()).or_insert_with(|| named.collect());
        }
        let mut settling = Self {
            names,
            flags: by_origin,
            variants,
            segment_names: Names::default(),
            conditions: segments.iter().map(|s| (s.origin.clone(), s.condition.clone())).collect(),
            settled: HashMap::new(),
            segments: Vec::new(),
            prefix: String::new(),
            notes: Vec::new(),
        };
        segments.into_iter().for_each(|segment| settling.add(segment));
        settling
    }

    /// The name of a flag, by its place in the export.
    pub(super) fn name(&self, place: usize) -> String {
        self.names.get(place).cloned().unwrap_or_default()
    }

    /// The name of a flag, by its name in the old system; none when it is not carried.
    pub(super) fn flag(&self, origin: &str) -> Option<&str> {
        self.flags.get(origin).map(String::as_str)
    }

    /// The name of a variant of a carried flag, by its name in the old system; none when the flag has no such variant.
    pub(super) fn variant(&self, flag: &str, variant: &str) -> Option<&str> {
        let named = self.variants.get(flag)?;
        let ever =
            ["off", "on"].into_iter().find(|known| *known == variant && (variant == "off" || named.is_empty()));
        named.get(variant).map(String::as_str).or(ever)
    }

    fn add(&mut self, segment: Segment) {
        let title = segment.title.as_deref().unwrap_or(&segment.origin).to_owned();
        let condition = self.inlined(&segment.condition, 0);
        self.prefix = title.clone();
        let any = self.tables(&condition);
        // What asks for segments cannot be one, and neither can one of nobody: they are written out where they are asked for.
        let cannot = |any: &[WrittenTable]| any.is_empty() || any.iter().flatten().any(|(key, _)| key == "segment");
        let any = any
            .and_then(|any| if cannot(&any) { Err("it asks for segments, or for nobody".into()) } else { Ok(any) });
        let settled = any.map(|any| {
            let name = self.segment_names.give(&title);
            let is_named = name == title;
            self.segments.push(WrittenSegment { name: name.clone(), title: (!is_named).then_some(title), any });
            name
        });
        let settled = settled.map_err(|why| format!("the segment `{}`: {why}", segment.origin));
        self.settled.insert(segment.origin, settled);
    }

    /// The tables of a tree, of which one must hold; a rule each. None at all: nobody is meant.
    pub(super) fn tables(&mut self, condition: &Condition) -> Result<Vec<WrittenTable>, String> {
        match self.plain_tables(condition) {
            // Two segments at once do not fit into a table: their conditions do.
            Err(_) if names_segment(condition) => {
                let inlined = self.inlined(condition, 0);
                self.plain_tables(&inlined)
            }
            tables => tables,
        }
    }

    fn plain_tables(&mut self, condition: &Condition) -> Result<Vec<WrittenTable>, String> {
        let mut tables = Vec::new();
        for alternative in normal(condition)? {
            tables.extend(self.table(&alternative)?);
        }
        // An alternative without tests is everybody.
        Ok(match tables.iter().find(|table| table.is_empty()) {
            Some(_) => vec![WrittenTable::new()],
            None => tables,
        })
    }

    /// The tree with the conditions of segments in place of their names.
    fn inlined(&self, condition: &Condition, depth: usize) -> Condition {
        let of = |list: &[Condition]| list.iter().map(|one| self.inlined(one, depth)).collect();
        match condition {
            Condition::Segment(name) if depth > 8 => Condition::Unknown(format!("the segment `{name}` names itself")),
            Condition::Segment(name) => match self.conditions.get(name) {
                Some(condition) => self.inlined(condition, depth + 1),
                None => Condition::Segment(name.clone()),
            },
            Condition::All(list) => Condition::All(of(list)),
            Condition::Any(list) => Condition::Any(of(list)),
            Condition::Not(inner) => self.inlined(inner, depth).negated(),
            other => other.clone(),
        }
    }
}

fn names_segment(condition: &Condition) -> bool {
    match condition {
        Condition::Segment(_) => true,
        Condition::All(list) | Condition::Any(list) => list.iter().any(names_segment),
        Condition::Not(inner) => names_segment(inner),
        _ => false,
    }
}

impl Tables for Settling {
    fn segment(&mut self, origin: &str) -> Result<String, String> {
        let missing = || Err(format!("there is no segment `{origin}` in the export"));
        self.settled.get(origin).cloned().unwrap_or_else(missing)
    }

    fn new_segment(&mut self, table: WrittenTable) -> String {
        let any = vec![table];
        if let Some(same) = self.segments.iter().rev().take(100).find(|segment| segment.any == any) {
            return same.name.clone();
        }
        let name = self.segment_names.give(&format!("{}_part", self.prefix));
        self.segments.push(WrittenSegment { name: name.clone(), title: None, any });
        name
    }
}
