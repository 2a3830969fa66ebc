//! Every flag with its state, percentage, owner, expiry and origin.

use std::collections::BTreeMap;

use flagstaff_flags::{Flag, FlagMode, Formula, Hash, Origin, Percent, Snapshot, VariantId};
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::de::IntoDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::workspace::find;
use crate::{Error, json};

/// A flag as it is now.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ListedFlag {
    /// Its name.
    pub name: String,
    /// Whether its file says that it is on.
    pub enabled: bool,
    /// The share of visitors that holds now (0 to 100): of its rollout's step, or as written. 0 where it was rolled back or switched off;
    /// 0 or 100 where it is pinned.
    #[serde(with = "json::percent")]
    #[schemars(with = "f64")]
    pub percent: Percent,
    /// What it can be.
    pub variants: Choice,
    /// The formula by which it is drawn: `sha256`, or that of another system, such as `unleash`.
    pub formula: String,
    /// Its owner.
    pub owner: Option<String>,
    /// When it expires.
    #[serde(with = "json::optional_text")]
    #[schemars(with = "Option<String>")]
    pub expires: Option<Date>,
    /// What it does: `off`, `on`, `split`, `targeted`, `rollout` or `tripped`.
    #[schemars(with = "String")]
    pub state: ListedState,
    /// Where what holds was said.
    pub origin: String,
    /// It is past its expiry.
    pub expired: bool,
    /// It has been at 0 or 100 percent for 30 days.
    pub stale: bool,
    /// What it is for.
    pub description: Option<String>,
    /// Its ticket.
    pub ticket: Option<String>,
    /// When it was made.
    #[serde(with = "json::optional_text")]
    #[schemars(with = "Option<String>")]
    pub created: Option<Date>,
    /// The fingerprint of what decides about visitors.
    pub definition: String,
    /// The share of visitors who are held out of it (0 to 100); none where it is no experiment now, or nobody is held out.
    pub held_out: Option<f64>,
}

/// What a flag can be.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Choice {
    /// A flag without variants of its own.
    OffAndOn([String; 2]),
    /// Variants with their weights (percent), in the order of the file.
    Named(
        #[serde(with = "json::percents")]
        #[schemars(with = "BTreeMap<String, f64>")]
        Vec<(String, Percent)>,
    ),
}

/// What a flag does, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedState {
    /// As its file says, or a pin.
    AsWritten(FlagMode),
    /// A person switched it off beside its file.
    SwitchedOff,
    /// Its guard rolled it back.
    Tripped,
}

impl ListedState {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AsWritten(state) => state.as_str(),
            Self::SwitchedOff => FlagMode::Off.as_str(),
            Self::Tripped => "tripped",
        }
    }
}

impl Serialize for ListedState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A word for both ways to be off is read as that of the file.
impl<'de> Deserialize<'de> for ListedState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        if word == Self::Tripped.as_str() {
            return Ok(Self::Tripped);
        }
        FlagMode::deserialize(word.into_deserializer()).map(Self::AsWritten)
    }
}

/// The share of visitors who are held out of all experiments.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct HeldOut {
    /// The share (0 to 100); none where nobody is held out.
    pub percent: Option<f64>,
}

/// The share of visitors who are held out of all experiments.
#[must_use]
pub fn held_out(snapshot: &Snapshot) -> HeldOut {
    HeldOut { percent: snapshot.holdout().map(|holdout| holdout.percent().as_f64()) }
}

/// One flag, as it is at a time.
///
/// # Errors
/// [`Error::NoFlag`] when there is no such flag.
pub fn one(snapshot: &Snapshot, name: &str, now: Timestamp, today: Date) -> Result<ListedFlag, Error> {
    let (_, flag) = find(snapshot, name)?;
    Ok(listed(snapshot, flag, now, today))
}

/// Every flag of a snapshot, as it is at a time; `today` says which are expired or stale.
#[must_use]
pub fn list(snapshot: &Snapshot, now: Timestamp, today: Date) -> Vec<ListedFlag> {
    snapshot.flags().iter().map(|flag| listed(snapshot, flag, now, today)).collect()
}

fn listed(snapshot: &Snapshot, flag: &Flag, now: Timestamp, today: Date) -> ListedFlag {
    let id = snapshot.find(flag.name.as_str());
    let share = id.map_or(Percent::ZERO, |id| snapshot.share(id, now));
    let switched_off = id.and_then(|id| snapshot.switched_off(id));
    let is_tripped = id.is_some_and(|id| snapshot.is_tripped(id));
    let pinned = flag.pin.as_ref().map(|pin| pin.variant != VariantId::OFF);
    let is_tried = flag.enabled && flag.pin.is_none() && flag.is_experiment(share);
    ListedFlag {
        name: flag.name.to_string(),
        enabled: flag.enabled,
        percent: match pinned {
            Some(true) => Percent::ALL,
            Some(false) => Percent::ZERO,
            None if is_tripped || switched_off.is_some() => Percent::ZERO,
            None => share,
        },
        variants: choice(flag),
        formula: formula_of(flag).as_str().into(),
        owner: flag.owner.clone(),
        expires: flag.expires,
        state: match flag.mode() {
            _ if pinned == Some(true) => ListedState::AsWritten(FlagMode::On),
            _ if pinned == Some(false) => ListedState::AsWritten(FlagMode::Off),
            _ if switched_off.is_some() => ListedState::SwitchedOff,
            _ if is_tripped && flag.enabled => ListedState::Tripped,
            state => ListedState::AsWritten(state),
        },
        origin: switched_off.filter(|_| flag.pin.is_none()).map_or_else(|| origin(flag), Into::into),
        expired: flag.is_expired(today),
        stale: flag.is_stale(today),
        description: flag.description.clone(),
        ticket: flag.ticket.clone(),
        created: flag.created,
        definition: flag.definition.to_string(),
        held_out: snapshot.holdout().filter(|_| is_tried).map(|holdout| holdout.percent().as_f64()),
    }
}

fn formula_of(flag: &Flag) -> Formula {
    flag.hash.as_ref().map_or(Formula::Sha256, Hash::formula)
}

fn choice(flag: &Flag) -> Choice {
    if !flag.variants.are_named() {
        return Choice::OffAndOn(["off".into(), "on".into()]);
    }
    Choice::Named(flag.variants.weights().map(|(id, weight)| (flag.variants.name(id).to_owned(), weight)).collect())
}

/// Where what holds of a flag was said: a pin beats an overlay, which beats the file.
#[must_use]
pub fn origin(flag: &Flag) -> String {
    match (&flag.pin, &flag.origin) {
        (Some(pin), _) => format!("pinned to {} by {}", flag.variants.name(pin.variant), pin.variable),
        (None, Origin::Overlay(environment)) => format!("overlay {environment}"),
        (None, Origin::File) => "file".into(),
    }
}
