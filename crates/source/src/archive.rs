//! Flags that were ended: what they were, and what came of them, in `flags.archive.toml` beside the flag file.

use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value};

/// The part of the archive's name; no environment can have it.
pub(crate) const ARCHIVE: &str = "archive";

/// What a new archive begins with.
const HEAD: &str =
    "# Flags that were ended, the latest last. Written by `flagstaff end`: only added to, never changed.\n";

/// The keys of an entry in the order in which they are read best; tables come last.
const KEYS: [&str; 9] = ["flag", "winner", "at", "by", "forced", "revision", "definition", "text", "results"];

/// A flag that was ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// The flag.
    pub flag: String,
    /// The variant everybody gets from then on.
    pub winner: String,
    /// When.
    #[serde(with = "time")]
    pub at: Timestamp,
    /// Who decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The revision of the flag file before.
    pub revision: String,
    /// The definition of the flag before.
    pub definition: String,
    /// It was ended though the results did not support this winner.
    #[serde(default, skip_serializing_if = "is_false")]
    pub forced: bool,
    /// The flag's complete TOML, with its comments. Valid as a flag file once the goals and layers it names are added.
    pub text: String,
    /// What was recorded, in the shape of `flagstaff results --json`; none: nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<Json>,
}

impl Ended {
    /// What django-waffle called it, which code may still ask for.
    #[must_use]
    pub fn waffle_name(&self) -> String {
        let text: Option<DocumentMut> = self.text.parse().ok();
        let flag = text.as_ref().and_then(|text| text.get("flags")?.get(&self.flag));
        let name = flag.and_then(|flag| flag.get("waffle_name")?.as_str());
        name.unwrap_or(&self.flag).to_owned()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(truth: &bool) -> bool {
    !*truth
}

/// A time as TOML writes one.
mod time {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use toml::value::Datetime;

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let at = Datetime::deserialize(deserializer)?;
        at.to_string().parse().map_err(D::Error::custom)
    }
}

/// The archive of a flag file: `flags.toml` → `flags.archive.toml`.
pub(crate) fn path(definitions: &Path) -> PathBuf {
    beside(definitions, ARCHIVE)
}

/// A file beside the definitions with one more part in its name: `flags.toml` → `flags.PART.toml`.
pub(crate) fn beside(definitions: &Path, part: &str) -> PathBuf {
    let mut name = definitions.file_stem().unwrap_or_default().to_os_string();
    name.push(format!(".{part}"));
    if let Some(extension) = definitions.extension() {
        name.push(".");
        name.push(extension);
    }
    definitions.with_file_name(name)
}

/// Why an archive cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    name: String,
    why: String,
}

impl Unreadable {
    pub(crate) fn new(name: &str, why: impl Into<String>) -> Self {
        Self { name: name.into(), why: why.into() }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be read: {}; fix it, or move it away", self.name, self.why)
    }
}

impl std::error::Error for Unreadable {}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Archive {
    ended: Vec<Ended>,
}

/// The latest entry of a flag.
#[must_use]
pub fn latest<'a>(all: &'a [Ended], flag: &str) -> Option<&'a Ended> {
    all.iter().rfind(|one| one.flag == flag)
}

/// The text of an archive; none when there is no file.
pub(crate) fn text(path: &Path) -> Result<Option<String>, Unreadable> {
    let refuse = |why: String| Unreadable::new(&path.display().to_string(), why);
    match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| refuse("it is not UTF-8".into())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(refuse(error.to_string())),
    }
}

/// What is in an archive of this name, the latest last.
///
/// # Errors
/// When it is not an archive.
pub(crate) fn ended(text: &str, name: &str) -> Result<Vec<Ended>, Unreadable> {
    let archive: Result<Archive, _> = toml::from_str(text);
    archive.map(|archive| archive.ended).map_err(|error| Unreadable::new(name, error.message()))
}

/// An archive's text with one more flag.
///
/// # Errors
/// When the text is not an archive, or would not be one.
pub(crate) fn with(before: Option<&str>, one: &Ended, name: &str) -> Result<String, Unreadable> {
    let known = ended(before.unwrap_or_default(), name)?;
    let before = before.filter(|text| !text.trim().is_empty()).unwrap_or(HEAD);
    let gap = if before.ends_with('\n') { "\n" } else { "\n\n" };
    let text = format!("{before}{gap}{}", written(one));
    let read = ended(&text, name)?;
    if read.len() == known.len() + 1 {
        return Ok(text);
    }
    Err(Unreadable::new(name, "it ends in a table of another kind"))
}

/// One `[[ended]]` table.
fn written(one: &Ended) -> String {
    let mut table = Table::new();
    let fields = serde_json::to_value(one).unwrap_or_default();
    for key in KEYS {
        if let Some(item) = fields.get(key).and_then(item) {
            table.insert(key, item);
        }
    }
    if let Some(at) = one.at.to_string().parse().ok().map(|at: toml_edit::Datetime| Item::Value(at.into())) {
        table.insert("at", at);
    }
    let mut tables = ArrayOfTables::new();
    tables.push(table);
    let mut document = DocumentMut::new();
    document.insert("ended", Item::ArrayOfTables(tables));
    document.to_string()
}

fn fill(table: &mut Table, fields: &Json) {
    for (key, value) in fields.as_object().into_iter().flatten() {
        if let Some(item) = item(value) {
            table.insert(key, item);
        }
    }
}

/// Tables get headers, and so do tables in lists. TOML knows no null: what is not known is left out.
fn item(value: &Json) -> Option<Item> {
    let table = |fields: &Json| {
        let mut table = Table::new();
        fill(&mut table, fields);
        table
    };
    match value {
        Json::Object(_) => Some(Item::Table(table(value))),
        Json::Array(list) if !list.is_empty() && list.iter().all(Json::is_object) => {
            let mut tables = ArrayOfTables::new();
            list.iter().for_each(|one| tables.push(table(one)));
            Some(Item::ArrayOfTables(tables))
        }
        other => plain(other).map(Item::Value),
    }
}

fn plain(value: &Json) -> Option<Value> {
    Some(match value {
        Json::Null | Json::Object(_) => return None,
        Json::Bool(truth) => (*truth).into(),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(list) => Value::Array(list.iter().filter_map(plain).collect::<Array>()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, results: Option<Json>) -> Ended {
        Ended {
            flag: "form".into(),
            winner: "on".into(),
            at: "2026-11-20T22:03:11Z".parse().unwrap(),
            by: Some("ada \"the\" first".into()),
            revision: "r".into(),
            definition: "0123456789abcdef".into(),
            forced: true,
            text: text.into(),
            results,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let path = "flags.archive.toml";
        let results = serde_json::json!({
            "goals": [{ "goal": "sent", "interval": [0.5, 1.0], "p": 0.25, "visitors": 12 }, { "goal": "paid", "empty": [] }],
            "verdict": { "kind": "ship", "text": "Ship on." },
        });
        let hard = "# ''' \"\"\" \\ \u{1F600}\r\n[flags.form]\npercent = 5\n\tx = '\u{7f}'";
        let (first, second) = (one(hard, Some(results)), Ended { by: None, forced: false, ..one("", None) });
        let text = with(None, &first, path).unwrap();
        let text = with(Some(&text), &second, path).unwrap();
        assert_eq!(ended(&text, path).unwrap(), [first, second]);
        assert!(text.starts_with(HEAD) && text.contains("at = 2026-11-20T22:03:11Z\n"), "{text}");
        assert_eq!(with(Some("x = [\n"), &one("", None), path).unwrap_err().to_string().matches("fix it").count(), 1);
    }

    #[test]
    fn the_archive_knows_what_waffle_called_a_flag() {
        assert_eq!(one("[flags.form]\nwaffle_name = \"my.Form\"\n", None).waffle_name(), "my.Form");
        for text in ["[flags.form]\npercent = 5\n", "", "not toml = = ", "[flags.other]\nwaffle_name = \"x\"\n"] {
            assert_eq!(one(text, None).waffle_name(), "form", "{text}");
        }
    }

    #[test]
    fn nothing_is_null() {
        let nulls = serde_json::json!({ "lift": null, "list": [1, null], "deep": { "x": null } });
        let text = with(None, &one("x", Some(nulls)), "a").unwrap();
        let read = ended(&text, "a").unwrap().remove(0).results.unwrap();
        assert_eq!(read, serde_json::json!({ "list": [1], "deep": {} }));
    }

    #[test]
    fn it_is_beside_the_flag_file() {
        assert_eq!(path(Path::new("a/flags.toml")), Path::new("a/flags.archive.toml"));
        assert_eq!(path(Path::new("flags")), Path::new("flags.archive"));
    }
}
