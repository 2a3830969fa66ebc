//! Conditions of ConfigCat. A missing attribute passes none of them.

use super::segment_name;
use crate::input::Node;
use crate::looked_at::{Compared, LookedAt, Place};
use crate::model::{Condition, Flag};
use crate::options::Options;

/// Reads the conditions of one flag.
pub(super) struct Conditions<'a> {
    pub(super) options: &'a Options,
    pub(super) segments: &'a [Node],
    pub(super) flag: &'a mut Flag,
}

impl Conditions<'_> {
    /// All of these hold.
    pub(super) fn all(&mut self, list: &[Node]) -> Condition {
        let all: Vec<_> = list.iter().map(|condition| self.one(condition)).collect();
        if all.is_empty() { Condition::Always } else { Condition::All(all) }
    }

    fn one(&mut self, condition: &Node) -> Condition {
        if let Some(user) = condition.get("u") {
            return self.of_user(user);
        }
        if let Some(segment) = condition.get("s") {
            return self.of_segment(segment);
        }
        let flag = condition.get("p").and_then(|flag| flag.text_at("f")).unwrap_or("another flag");
        Condition::Unknown(format!("it asks for the value of `{flag}`"))
    }

    /// People in a segment, or people who have the attributes that it asks for and are not in it.
    fn of_segment(&mut self, condition: &Node) -> Condition {
        let place = condition.get("s").and_then(Node::whole).and_then(|place| usize::try_from(place).ok());
        let Some((place, segment)) = place.and_then(|place| Some((place, self.segments.get(place)?))) else {
            return Condition::Unknown("it asks for a segment that is not in the config".into());
        };
        // Read once more, so that this flag's report says what is not mapped.
        let conditions: Vec<_> = segment.items_at("r").iter().map(|condition| self.of_user(condition)).collect();
        match condition.get("c").and_then(Node::whole) {
            Some(0) => Condition::Segment(segment_name(place)),
            Some(1) => {
                let keys = segment.items_at("r").iter().filter_map(|condition| condition.text_at("a"));
                let there: Vec<_> =
                    keys.map(|key| LookedAt(self.options.key(key, &mut self.flag.notes)).present()).collect();
                drop(conditions);
                Condition::All(there).and(Condition::Segment(segment_name(place)).negated())
            }
            _ => Condition::Unknown("it asks for a segment in a way that is not known".into()),
        }
    }

    /// A condition on an attribute.
    pub(super) fn of_user(&mut self, condition: &Node) -> Condition {
        let (Some(attribute), Some(comparator)) = (condition.text_at("a"), condition.get("c").and_then(Node::whole))
        else {
            return Condition::Unknown("a condition has no attribute or comparator".into());
        };
        let looked_at = LookedAt(self.options.key(attribute, &mut self.flag.notes));
        Compare { looked_at, condition }.by(comparator)
    }
}

/// One comparison.
struct Compare<'a> {
    looked_at: LookedAt,
    condition: &'a Node,
}

impl Compare<'_> {
    fn by(&self, comparator: i64) -> Condition {
        let has = |place| self.looked_at.has(place, self.texts());
        let not = |condition| self.looked_at.but_not(condition);
        match comparator {
            0 | 28 => has(Place::Whole),
            1 | 29 => not(has(Place::Whole)),
            2 => has(Place::Anywhere),
            3 => not(has(Place::Anywhere)),
            30 => has(Place::Start),
            31 => not(has(Place::Start)),
            32 => has(Place::End),
            33 => not(has(Place::End)),
            4 => self.versions(),
            5 => not(self.versions()),
            6 => self.version(Compared::Below),
            7 => self.version(Compared::UpTo),
            8 => self.version(Compared::Above),
            9 => self.version(Compared::AtLeast),
            10 => self.number(Compared::Is),
            11 => not(self.number(Compared::Is)),
            12 => self.number(Compared::Below),
            13 => self.number(Compared::UpTo),
            14 => self.number(Compared::Above),
            15 => self.number(Compared::AtLeast),
            34 if self.looked_at.is_list() => has(Place::Whole),
            35 if self.looked_at.is_list() => not(has(Place::Whole)),
            16 | 17 | 20..=27 => self.unknown("with texts of which the config has only hashes (\"confidential\")"),
            18 | 19 => self.unknown("as a point in time"),
            34 | 35 => self.unknown("as a list"),
            _ => self.unknown(&format!("by comparator {comparator}")),
        }
    }

    fn unknown(&self, how: &str) -> Condition {
        Condition::Unknown(format!("`{}` is compared {how}", self.condition.text_at("a").unwrap_or_default()))
    }

    /// The texts it is compared with: one, or a list of them.
    fn texts(&self) -> Vec<String> {
        let one = self.condition.text_at("s").map(Into::into);
        one.into_iter().chain(self.condition.items_at("l").iter().filter_map(Node::word)).collect()
    }

    fn version(&self, compared: Compared) -> Condition {
        self.looked_at.version(compared, self.condition.text_at("s").unwrap_or_default())
    }

    fn versions(&self) -> Condition {
        let texts = self.texts();
        let versions = texts.iter().filter(|text| !text.trim().is_empty());
        Condition::Any(versions.map(|version| self.looked_at.version(Compared::Is, version)).collect())
    }

    fn number(&self, compared: Compared) -> Condition {
        match self.condition.number_at("d") {
            Some(number) => self.looked_at.number(compared, number),
            None => self.unknown("with no number"),
        }
    }
}
