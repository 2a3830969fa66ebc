//! The flags and facts as they were.

use std::sync::Arc;

use flagstaff_flags::{RecordedFacts, Snapshot, Standing};
use flagstaff_ledger::{FactStore, RecordedRevision};
use flagstaff_source::ParseOptions;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::RevisionReference;
use super::reference::{Named, open};
use crate::flags::Explanation;
use crate::workspace::Workspace;
use crate::{Error, json};

/// The flags of a revision, with what had happened to them by then.
#[derive(Debug)]
pub struct FlagsAsOf {
    /// The flags.
    pub snapshot: Arc<Snapshot>,
    /// Steps of rollouts, trips and switches by then.
    pub facts: RecordedFacts,
    /// What this is about.
    pub as_of: AsOf,
}

/// What an answer about the past is about, and what it cannot know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AsOf {
    /// The revision.
    pub revision: RevisionReference,
    /// The time.
    #[serde(with = "json::time")]
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// When another revision followed; none: none did.
    #[serde(with = "json::optional_time")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
    /// What to keep in mind, each in a sentence: above all what is not known of that time.
    pub notes: Vec<String>,
}

/// An explanation, and the time in the past that it is about.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Explained {
    /// The explanation.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// What it is about; none where it is about now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<AsOf>,
}

/// The flags of a revision as they were when it came, or at another time. Environment variables that pin flags are not recorded, so none does.
///
/// # Errors
/// When the name fits no revision or more than one, this version of the program cannot read its text, or the ledger gives no answer.
pub async fn flags_as_of(workspace: &Workspace, revision: &str, at: Option<Timestamp>) -> Result<FlagsAsOf, Error> {
    let mut store = open(workspace).await?;
    let named = Named::find(workspace, &mut store, revision).await?;
    let environment = workspace.source.environment();
    let next = match &named.recorded {
        Some(recorded) => store.numbered(environment, recorded.number + 1).await?,
        None => None,
    };
    store.close().await;
    let reading = ParseOptions { pins: Vec::new(), ..workspace.reading.clone() };
    let loaded =
        workspace.source.parse_texts(&named.texts, &reading).map_err(|report| Error::Flags(Box::new(report)))?;
    let came = named.recorded.as_ref().map(|recorded| recorded.at);
    let at = at.or(came).unwrap_or_else(Timestamp::now);
    let notes = notes(came, next.as_ref(), at);
    let as_of = AsOf { revision: named.reference, at, until: next.map(|next| next.at), notes };
    Ok(FlagsAsOf { snapshot: Arc::new(loaded.snapshot), facts: facts(workspace, at).await?, as_of })
}

/// What had happened to flags by a time.
async fn facts(workspace: &Workspace, at: Timestamp) -> Result<RecordedFacts, Error> {
    let mut facts = RecordedFacts::default();
    let Some(place) = workspace.ledger_that_is_there()? else { return Ok(facts) };
    let mut store = workspace.open_to_read(place, FactStore::open_to_read).await?;
    for (flag, _) in store.newest().await? {
        let mut all = store.facts(&flag, 1).await?;
        all.retain(|fact| fact.at <= at);
        Standing::of(&all).into_iter().for_each(|standing| facts.add(&flag, &standing));
    }
    store.close().await;
    Ok(facts)
}

fn notes(came: Option<Timestamp>, next: Option<&RecordedRevision>, at: Timestamp) -> Vec<String> {
    let early = came.filter(|came| at < *came).map(|came| format!("the revision came later, at {came:.0}"));
    let late = next.filter(|next| at >= next.at);
    let late = late.map(|next| format!("another revision followed before that time, at {:.0}", next.at));
    let pins = "environment variables that pinned flags then are not recorded: none is assumed".to_owned();
    let settings = "settings of the proxy are those of now".to_owned();
    early.into_iter().chain(late).chain([pins, settings]).collect()
}
