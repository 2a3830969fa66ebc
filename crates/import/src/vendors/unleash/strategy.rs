//! Activation strategies.

use super::constraints;
use super::document::{Document, Feature};
use super::variants::Variants;
use crate::input::Node;
use crate::known_id;
use crate::model::{Condition, Hash, Matcher, Note, Share};
use crate::options::Options;
use crate::vendors::plan::WithoutId;

/// A strategy: for whom, and how many of them.
pub(super) struct Strategy {
    pub(super) condition: Condition,
    pub(super) share: Share,
    pub(super) group: String,
    /// `userId`, `sessionId`, `random`, or an attribute.
    pub(super) stickiness: String,
    pub(super) variants: Variants,
    pub(super) title: Option<String>,
}

impl Strategy {
    /// What a feature without strategies has.
    pub(super) fn everybody(name: &str) -> Self {
        Self {
            condition: Condition::Always,
            share: Share::EVERYBODY,
            group: name.to_owned(),
            stickiness: "default".into(),
            variants: Variants::default(),
            title: None,
        }
    }

    pub(super) fn read(
        node: &Node,
        feature: &Feature<'_>,
        document: &Document<'_>,
        options: &Options,
        notes: &mut Vec<Note>,
    ) -> Self {
        let mut strategy =
            Self { variants: Variants::read(node.items_at("variants")), ..Self::everybody(feature.name) };
        strategy.title = node.text_at("title").filter(|title| !title.is_empty()).map(ToOwned::to_owned);
        let parameter =
            |key: &str| node.at(&["parameters", key]).and_then(Node::word).filter(|text| !text.is_empty());
        if let Some(group) = parameter("groupId") {
            strategy.group = group;
        }
        let name = node.text_at("name").or_else(|| node.text_at("strategyName")).unwrap_or_default();
        let condition = strategy.parameters(name, &parameter, options, notes);
        let condition = condition.and(strategy.who_has_its_id(options, notes));
        let segments = document.segments(node).into_iter().map(Condition::Segment);
        let constraints = constraints::all(node.items_at("constraints"), options, notes);
        strategy.condition = segments.fold(condition.and(constraints), Condition::and);
        strategy
    }

    /// What the parameters of a kind say: for whom it is, and how it draws.
    fn parameters(
        &mut self,
        name: &str,
        parameter: &dyn Fn(&str) -> Option<String>,
        options: &Options,
        notes: &mut Vec<Note>,
    ) -> Condition {
        let list = |key: &str| {
            let text = parameter(key).unwrap_or_default();
            text.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect::<Vec<_>>()
        };
        let rollout = match name {
            "default" => return Condition::Always,
            "userWithId" => return Condition::words(options.key("userId", notes), list("userIds")),
            "remoteAddress" => {
                return Condition::Test(options.key("remoteAddress", notes), Matcher::Networks(list("IPs")));
            }
            "flexibleRollout" => {
                self.stickiness = parameter("stickiness").unwrap_or_else(|| "default".into());
                parameter("rollout")
            }
            "gradualRolloutUserId" | "gradualRolloutSessionId" | "gradualRolloutRandom" => {
                self.stickiness = match name {
                    "gradualRolloutUserId" => "userId",
                    "gradualRolloutSessionId" => "sessionId",
                    _ => "random",
                }
                .into();
                parameter("percentage")
            }
            other => return Condition::Unknown(format!("the strategy `{other}` is not known here")),
        };
        // Buckets are whole: 12.5 percent are those up to 12.
        self.share = Share::percent(rollout.and_then(|text| text.trim().parse().ok()).unwrap_or(0.0_f64).floor());
        Condition::Always
    }

    /// A rollout to everybody is one to everybody who has the id that it goes by.
    fn who_has_its_id(&self, options: &Options, notes: &mut Vec<Note>) -> Condition {
        match self.share == Share::EVERYBODY && self.needs_id() {
            true => known_id::known(&unit(&self.stickiness, options, notes)),
            false => Condition::Always,
        }
    }

    /// Whether it is for nobody whose id is not known. With stickiness `default` they are drawn at random.
    fn needs_id(&self) -> bool {
        !matches!(self.stickiness.as_str(), "default" | "random")
    }

    /// The id that its draw goes by: that of its variants, where it is for everybody.
    pub(super) fn drawn_by<'a>(&'a self, variants: &'a Variants) -> &'a str {
        let by_variants = variants.stickiness().filter(|_| self.share == Share::EVERYBODY);
        by_variants.unwrap_or(&self.stickiness)
    }

    /// What a draw gives somebody whose id is not known. Those of a strategy for all of them get a variant at random.
    pub(super) fn without_id(&self, drawn_by: &str) -> WithoutId {
        if self.needs_id() {
            return WithoutId::Next;
        }
        let id = if drawn_by == "default" {
            "Its stickiness is `default`: the user's id, else the session's"
        } else {
            "It goes by an id"
        };
        WithoutId::Other(format!(
            "{id}. Who has none is drawn at random in Unleash, and here the flag is off for them. With --unit {drawn_by}=visitor (or session) everybody has an id."
        ))
    }

    /// The formula of this strategy's draw.
    pub(super) fn hash(&self, variants: &Variants, variant_group: &str) -> Hash {
        let hash = Hash::new("unleash").text("group", self.group.clone());
        if variants.is_empty() {
            return hash;
        }
        let hash = if variant_group == self.group { hash } else { hash.text("variant_group", variant_group) };
        match variants.total() {
            1000 => hash,
            total => hash.number("total", total),
        }
    }
}

/// The unit of a stickiness.
pub(super) fn unit(stickiness: &str, options: &Options, notes: &mut Vec<Note>) -> String {
    match stickiness {
        "random" => "request".into(),
        "default" if !options.units.iter().any(|unit| unit.attribute == "default") => options.unit("userId", notes),
        attribute => options.unit(attribute, notes),
    }
}
