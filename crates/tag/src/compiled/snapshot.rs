//! What a snapshot means for headers: made once, shared by all requests.

use std::sync::Arc;

use bytes::Bytes;
use flagstaff_flags::{
    AskedKeys, BucketBy, Decisions, ExperimentId, Flag, FlagId, Goal, Snapshot, Sticky, VariantId,
};
use http::Method;
use http::header::{HeaderName, HeaderValue};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::compiled::blocks::{HeaderBlock, HeaderBlocks, ReadyBlock};
use crate::compiled::differing::{Differing, DiffersBy, IdentitySources};
use crate::compiled::goals::{NotReached, SnapshotGoals};
use crate::compiled::interned;
use crate::compiled::repeats::{RepeatRules, Repeats};
use crate::compiled::unknown_names::UnknownNames;
use crate::waffle_cookies::{WaffleCookies, WaffleFlags};

/// One snapshot with everything that depends on it alone: names and values of headers, texts for browsers, what cookies are
/// needed. [`Tagger::compile`](crate::Tagger::compile) makes it.
#[derive(Debug)]
pub struct CompiledSnapshot {
    snapshot: Arc<Snapshot>,
    flags: Vec<CompiledFlag>,
    needs_request_id: bool,
    remembers: bool,
    gated: Vec<FlagId>,
    monitored: Vec<FlagId>,
    by_attribute: Vec<FlagId>,
    differing: Differing,
    blocks: HeaderBlocks,
    repeats: Option<Repeats>,
    goals: SnapshotGoals,
    asked: Option<Arc<AskedKeys>>,
    unknown: Arc<UnknownNames>,
    waffle: WaffleFlags,
}

/// One flag, ready to be written.
#[derive(Debug)]
struct CompiledFlag {
    header: Option<HeaderName>,
    /// By variant.
    values: Vec<HeaderValue>,
    /// `name=variant` of the dictionary, by variant.
    members: Vec<Box<str>>,
    /// `"name":{"value":…,"variant":…}` by variant, when browsers may see the flag.
    client: Option<Vec<Box<str>>>,
}

impl CompiledSnapshot {
    pub(crate) fn new(
        snapshot: Arc<Snapshot>,
        unknown: Arc<UnknownNames>,
        waffle: &WaffleCookies,
        sources: &IdentitySources,
    ) -> Self {
        let flags = || snapshot.flags().iter();
        Self {
            flags: flags().map(|flag| CompiledFlag::new(flag)).collect(),
            needs_request_id: flags().any(|flag| flag.bucket_by == BucketBy::Request),
            remembers: flags().any(|flag| sticky_scope(flag) != Sticky::None),
            gated: flags_with(&snapshot, |flag| flag.gate.is_some()),
            monitored: flags_with(&snapshot, |flag| {
                let moves = flag.guard.is_some() || flag.rollout.is_some();
                moves && flag.bucket_by != BucketBy::Request
            }),
            by_attribute: flags_with(&snapshot, |flag| is_by_attribute(&flag.bucket_by)),
            differing: Differing::new(&snapshot, sources),
            blocks: HeaderBlocks::new(snapshot.flags().len()),
            repeats: None,
            goals: SnapshotGoals::new(&snapshot),
            asked: None,
            unknown,
            waffle: WaffleFlags::new(&snapshot, waffle),
            snapshot,
        }
    }

    /// The same, for an observer that looks at [`Flags::values`](crate::Flags::values).
    #[must_use]
    pub fn keeping_values(mut self) -> Self {
        self.asked = Some(Arc::new(self.snapshot.asked_keys()));
        self
    }

    /// The same, for requests of connections that bring the same again and again.
    pub(crate) fn repeating(mut self, rules: &RepeatRules) -> Self {
        // an id of each request, and what django-waffle's cookies say on some days, are never the same
        let may_repeat = !self.needs_request_id && self.waffle.take_no_cookies();
        self.repeats = may_repeat.then(|| Repeats::new(&self.snapshot, rules));
        self
    }

    /// What of a head has to be the same for the same flags; `None` where they never are for sure.
    pub(crate) const fn repeats(&self) -> Option<&Repeats> {
        self.repeats.as_ref()
    }

    /// What conditions look at; `None` where no observer wants to know.
    pub(crate) const fn asked(&self) -> Option<&Arc<AskedKeys>> {
        self.asked.as_ref()
    }

    /// The snapshot it was made from.
    #[must_use]
    pub const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// For each kind of unit that flags with this goal draw by, one of these flags.
    #[must_use]
    pub fn counted_for(&self, goal: &Goal) -> &[FlagId] {
        self.goals.of(&self.snapshot, goal)
    }

    /// The experiments in which a goal counts.
    #[must_use]
    pub fn experiments_with(&self, goal: &Goal) -> Option<&Arc<[ExperimentId]>> {
        self.goals.experiments(&self.snapshot, goal)
    }

    /// Counts an event that does not reach a goal. The log says so at most once a minute for each goal and reason.
    pub fn refuse(&self, goal: &Goal, why: NotReached, now: Timestamp) {
        self.goals.refuse(&self.snapshot, goal, why, now);
    }

    /// For each kind of unit that flags with a goal of bounces draw by, one of these flags.
    #[must_use]
    pub fn counted_for_bounces(&self) -> &[FlagId] {
        self.goals.bounces()
    }

    /// The flags that are monitored: a guard asks how their visitors do, a rollout how many come. A flag that is drawn for each request
    /// has no visitors to monitor.
    #[must_use]
    pub fn monitored(&self) -> &[FlagId] {
        &self.monitored
    }

    /// The flags whose unit is a header or cookie of the request.
    pub(crate) fn by_attribute(&self) -> &[FlagId] {
        &self.by_attribute
    }

    /// The flags that have a gate.
    pub(crate) fn gated(&self) -> &[FlagId] {
        &self.gated
    }

    /// The flags by what django-waffle calls them.
    pub(crate) const fn waffle(&self) -> &WaffleFlags {
        &self.waffle
    }

    pub(crate) fn unknown(&self) -> &UnknownNames {
        &self.unknown
    }

    pub(crate) fn needs_session(&self) -> bool {
        self.snapshot.needs_session()
    }

    pub(crate) const fn needs_request_id(&self) -> bool {
        self.needs_request_id
    }

    pub(crate) const fn remembers(&self) -> bool {
        self.remembers
    }

    /// What the app is told of these decisions, where it is ready.
    pub(crate) fn ready(&self, decisions: &Decisions, off: bool) -> Option<ReadyBlock> {
        let block = || HeaderBlock {
            each: self.each(decisions, off).map(|(name, value)| (name.clone(), value.clone())).collect(),
            dictionary: HeaderValue::from_maybe_shared(Bytes::from(self.dictionary(decisions, off))).ok(),
        };
        self.blocks.get(decisions, off, block)
    }

    /// Names and values of a header per flag.
    pub(crate) fn each<'a>(
        &'a self,
        decisions: &'a Decisions,
        off: bool,
    ) -> impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)> {
        let chosen = move |(entry, variant): (&'a CompiledFlag, VariantId)| {
            let value = entry.values.get(variant.index())?;
            (off || variant != VariantId::OFF).then_some((entry.header.as_ref()?, value))
        };
        self.decided(decisions).filter_map(chosen)
    }

    /// All flags in one, a dictionary (RFC 9651, 3.2); empty when all are off.
    pub(crate) fn dictionary(&self, decisions: &Decisions, off: bool) -> String {
        let mut text = String::with_capacity(self.flags.len() * 16);
        for (entry, variant) in self.decided(decisions).filter(|(_, variant)| off || *variant != VariantId::OFF) {
            let Some(member) = entry.members.get(variant.index()) else {
                continue;
            };
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(member);
        }
        text
    }

    /// The flags browsers may see, as a JSON object.
    pub(crate) fn client_json(&self, decisions: &Decisions) -> String {
        let of =
            |(entry, variant): (&'_ CompiledFlag, VariantId)| entry.client.as_ref()?.get(variant.index()).cloned();
        let all: Vec<_> = self.decided(decisions).filter_map(of).collect();
        format!("{{{}}}", all.join(","))
    }

    /// Its flags that differ between visitors.
    pub(crate) const fn differing(&self) -> &Differing {
        &self.differing
    }

    /// By what an answer to this request could be another for another visitor.
    pub(crate) fn differs(&self, method: &Method, path: &str) -> DiffersBy {
        self.differing.on(&self.snapshot, method, path)
    }

    fn decided<'a>(&'a self, decisions: &'a Decisions) -> impl Iterator<Item = (&'a CompiledFlag, VariantId)> {
        self.flags.iter().zip(decisions.iter()).map(|(entry, (_, _, decision))| (entry, decision.variant()))
    }
}

impl CompiledFlag {
    fn new(flag: &Flag) -> Self {
        let names = || flag.variants.names().iter();
        Self {
            header: interned::name(&format!("x-flag-{}", flag.name.as_str().replace('_', "-"))),
            values: names().map(|name| interned::value(name)).collect(),
            members: names().map(|name| format!("{}={}", flag.name, bare(name)).into()).collect(),
            client: flag.client.then(|| client(flag)),
        }
    }
}

/// A token, or a string where the name of a variant does not begin as a token does (RFC 9651, 3.3.4).
fn bare(name: &str) -> String {
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name.into() } else { format!("\"{name}\"") }
}

fn client(flag: &Flag) -> Vec<Box<str>> {
    let of = |name: &Arc<str>| {
        let id = flag.variants.find(name).unwrap_or(VariantId::OFF);
        let entry = json!({ "value": flag.value(id), "variant": &**name });
        format!("{}:{entry}", Value::String(flag.name.as_str().into())).into()
    };
    flag.variants.names().iter().map(of).collect()
}

fn flags_with(snapshot: &Snapshot, wanted: impl Fn(&Flag) -> bool) -> Vec<FlagId> {
    snapshot.ids().filter(|id| snapshot.flag(*id).is_some_and(|flag| wanted(flag))).collect()
}

/// How long the variant of a flag is remembered in our cookie. A flag drawn by something other than the browser has the same answer
/// wherever that is known; a browser that several people share must not mix them.
pub(crate) fn sticky_scope(flag: &Flag) -> Sticky {
    match (&flag.bucket_by, flag.stickiness()) {
        (BucketBy::Visitor, scope) => scope,
        (BucketBy::Session, Sticky::Session) => Sticky::Session,
        _ => Sticky::None,
    }
}

fn is_by_attribute(bucket_by: &BucketBy) -> bool {
    matches!(bucket_by, BucketBy::Header(_) | BucketBy::Cookie(_))
}
