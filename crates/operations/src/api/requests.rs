//! Bodies and queries of the JSON API.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::toml_text::toml_text;
use crate::{Error, json};

/// A change of keys of a flag.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequest {
    /// Keys and their values: `{"percent": 20, "guard.errors": "5xx"}`. A key is a path with dots. A string is read as on the command
    /// line: `growth` is a word, `20` a number.
    #[serde(with = "json::pairs")]
    #[schemars(with = "BTreeMap<String, Value>", extend("minProperties" = 1))]
    pub set: Vec<(String, Value)>,
    /// Make the edit whatever it undoes.
    #[serde(default)]
    pub yes: bool,
}

impl ChangeRequest {
    /// Keys and values as texts.
    ///
    /// # Errors
    /// When there is no key, or a value is one that a flag file does not have.
    pub fn texts(&self) -> Result<Vec<(String, String)>, Error> {
        if self.set.is_empty() {
            return Err(Error::Input("nothing is to be set; name a key and its value".into()));
        }
        texts(&self.set)
    }
}

/// An edit that is only asked about.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// The flag.
    pub flag: String,
    /// Keys and their values, as of a [`ChangeRequest`].
    #[serde(default, with = "json::pairs")]
    #[schemars(with = "BTreeMap<String, Value>")]
    pub set: Vec<(String, Value)>,
    /// A switch in place of keys.
    #[serde(default)]
    pub switch: Option<Switch>,
}

/// A switch of a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// Off for everyone.
    Off,
    /// On again, as it was before it was switched off.
    On,
    /// On for everyone.
    Everyone,
}

impl PreviewRequest {
    /// Keys and values as texts; none are needed.
    ///
    /// # Errors
    /// When a value is one that a flag file does not have.
    pub fn texts(&self) -> Result<Vec<(String, String)>, Error> {
        texts(&self.set)
    }
}

fn texts(set: &[(String, Value)]) -> Result<Vec<(String, String)>, Error> {
    let text = |(key, value): &(String, Value)| {
        let text = toml_text(value);
        let text = text.ok_or_else(|| Error::Input(format!("`{key}` cannot be null; write a value")))?;
        Ok((key.clone(), text))
    };
    set.iter().map(text).collect()
}

/// A flag that is to be added.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRequest {
    /// Its name.
    pub name: String,
    /// The flag that it is a copy of; the copy is off, and draws visitors of its own.
    #[serde(default)]
    pub like: Option<String>,
    /// Keys and their values, as in a change of keys.
    #[serde(with = "json::pairs", default)]
    #[schemars(with = "BTreeMap<String, Value>", default)]
    pub set: Vec<(String, Value)>,
}

impl CreateRequest {
    /// Keys and values as texts.
    ///
    /// # Errors
    /// When a value is one that a flag file does not have.
    pub fn texts(&self) -> Result<Vec<(String, String)>, Error> {
        texts(&self.set)
    }
}

/// A flag that is to be deleted.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeleteQuery {
    /// The revision of the files that the refusal named: the flag may go although it was not ended.
    pub confirm: Option<String>,
    /// Delete it although it was not ended.
    pub yes: bool,
}

/// A switch of a flag.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OrderRequest {
    /// Make the edit whatever it undoes.
    pub yes: bool,
}

/// The end of an experiment.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EndRequest {
    /// The variant everybody gets from now on; the one that it was ended with before, where none is named.
    pub winner: Option<String>,
    /// Take the flag out of the file.
    pub remove: bool,
    /// Also where something speaks against it.
    pub force: bool,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// The chance of a wrong result; 0.05 where none is said.
    pub alpha: Option<f64>,
    /// The number of visitors at which the test for every day is most precise; 5,000 where none is said.
    pub planned: Option<u32>,
}

/// A visitor with one request, to be told which variants they get and why.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExplainRequest {
    /// The visitor's id; a new one where none is given.
    pub visitor: Option<String>,
    /// The user's id.
    pub user: Option<String>,
    /// The user's groups.
    pub groups: Vec<String>,
    /// The user's roles.
    pub roles: Vec<String>,
    /// Header fields of the request, cookies among them.
    pub headers: Vec<HeaderField>,
    /// Its method; `GET` where none is said.
    pub method: Option<String>,
    /// Its path and query, or a whole URL; `/` where none is said.
    pub path: Option<String>,
    /// The visitor's address; `127.0.0.1` where none is said.
    #[schemars(with = "Option<String>")]
    pub ip: Option<IpAddr>,
    /// The visitor's country.
    pub country: Option<String>,
    /// Variants remembered from before, by flag.
    #[serde(with = "json::pairs")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub sticky: Vec<(String, String)>,
    /// Flags whose guards are supposed to have tripped.
    pub tripped: Vec<String>,
    /// The time of the decision; now where none is said.
    #[serde(with = "json::optional_text")]
    #[schemars(with = "Option<String>")]
    pub at: Option<jiff::Timestamp>,
    /// The flags of this revision, as they were when it came; those in force where none is named.
    pub revision: Option<String>,
}

/// A header field of a request.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderField {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// How sure results must be.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResultsQuery {
    /// The chance of a wrong result; 0.05 where none is said.
    pub alpha: Option<f64>,
    /// The number of visitors at which the test for every day is most precise; 5,000 where none is said.
    pub planned: Option<u32>,
}

/// How many visitors meet a flag, and at which percentage.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SimulationQuery {
    /// Suppose this percentage.
    #[schemars(range(min = 0, max = 100))]
    pub percent: Option<f64>,
    /// How many visitors, up to 1,000,000; 10,000 where none is said.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub visitors: Option<u32>,
}

impl SimulationQuery {
    /// The most visitors of one question.
    pub const MAX_VISITORS: u32 = 1_000_000;
}

/// What an experiment is to find.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerQuery {
    /// The conversion rate today, from 0 to 1.
    pub baseline: f64,
    /// The relative lift to find: 0.1 turns 0.05 into 0.055.
    pub lift: f64,
    /// Visitors a day who take part, all variants together.
    #[serde(default)]
    pub per_day: Option<f64>,
    /// The number of variants, the control among them; 2 where none is said.
    #[serde(default)]
    pub variants: Option<u32>,
    /// The number of goals, which share the chance of a false alarm; 1 where none is said.
    #[serde(default)]
    pub goals: Option<u32>,
    /// The results will be read while it runs.
    #[serde(default)]
    pub read_daily: bool,
    /// Where they are read while it runs: the `planned` that results will be asked with; 5000 where none is said.
    #[serde(default)]
    pub planned: Option<f64>,
    /// The chance of a false alarm; 0.05 where none is said.
    #[serde(default)]
    pub alpha: Option<f64>,
    /// The chance of finding the lift if it is there; 0.8 where none is said.
    #[serde(default)]
    pub power: Option<f64>,
}

/// Two counts that are compared.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareQuery {
    /// Conversions of the control.
    pub control_conversions: u64,
    /// Visitors of the control.
    pub control_visitors: u64,
    /// Conversions of the treatment.
    pub treatment_conversions: u64,
    /// Visitors of the treatment.
    pub treatment_visitors: u64,
    /// The treatment's share of the visitors of both; 0.5 where none is said.
    #[serde(default)]
    pub share: Option<f64>,
    /// The chance of a wrong result; 0.05 where none is said.
    #[serde(default)]
    pub alpha: Option<f64>,
    /// The number of visitors at which the test for every day is most precise; 5,000 where none is said.
    #[serde(default)]
    pub planned: Option<u32>,
}

/// A visitor whose records are to be deleted.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ForgetRequest {
    /// The visitor's id.
    pub visitor: Option<String>,
    /// Other units, each as the ledger names it: `user:42`.
    pub units: Vec<String>,
}

/// What is exported.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExportQuery {
    /// The flag; all that were recorded where none is named.
    pub flag: Option<String>,
    /// How rows are written.
    pub format: ExportFormat,
    /// What a row is.
    pub per: ExportRows,
}

/// How rows of an export are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// RFC 4180, with a line of names first.
    #[default]
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// What a row of an export is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportRows {
    /// A visitor.
    #[default]
    Visitor,
    /// A day (UTC) and a variant.
    Day,
}

/// A link to be signed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkRequest {
    /// The address that the link opens.
    pub url: String,
    /// The variants that it gives, by flag.
    #[serde(with = "json::pairs")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub variants: Vec<(String, String)>,
    /// How long the link is valid, in seconds; a day where none is said.
    #[serde(default)]
    pub seconds: Option<u32>,
}

/// A signed link.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SignedLink {
    /// The link.
    pub link: String,
}

/// Which revisions are listed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HistoryQuery {
    /// Only revisions that change this flag, and what happened to it.
    pub flag: Option<String>,
    /// How many entries, up to 10,000; 20 where none is said.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u16>,
}

/// Two revisions that are compared.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiffQuery {
    /// The revision before: the beginning of its name, or with `^` behind it the one before that; `now` for the files as they are.
    pub from: String,
    /// The revision after; `now` where none is named.
    #[serde(default)]
    pub to: Option<String>,
}

/// A revision that may be put back.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackQuery {
    /// The revision: the beginning of its name, or with `^` behind it the one before that.
    pub revision: String,
    /// Only this flag.
    #[serde(default)]
    pub flag: Option<String>,
}

/// A revision that is to be put back.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackRequest {
    /// The revision: the beginning of its name, or with `^` behind it the one before that.
    pub revision: String,
    /// Only this flag; later edits of other flags stay.
    #[serde(default)]
    pub flag: Option<String>,
    /// Do it whatever it undoes.
    #[serde(default)]
    pub yes: bool,
}

/// A draft of a flag file.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CheckQuery {
    /// The name of the draft, for messages.
    pub name: Option<String>,
}
