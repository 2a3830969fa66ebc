//! Where values of the old system are found here.

use std::fmt;
use std::str::FromStr;

use flagstaff_flags::{BucketBy, Key};
use jiff::civil::Date;

use crate::model::{Note, names};

/// `ATTR=KEY`: an attribute of the old system, and the key of a condition or the unit here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The name there.
    pub attribute: String,
    /// The key here: `user`, `country`, `header.x-plan`, …
    pub key: String,
}

impl FromStr for Mapping {
    type Err = MappingError;

    fn from_str(text: &str) -> Result<Self, MappingError> {
        let (attribute, key) = text.rsplit_once('=').ok_or(MappingError)?;
        let is_whole = !attribute.is_empty() && !key.is_empty();
        is_whole.then(|| Self { attribute: attribute.into(), key: key.into() }).ok_or(MappingError)
    }
}

/// A text that is not `ATTR=KEY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MappingError;

impl fmt::Display for MappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write ATTRIBUTE=KEY, such as plan=header.x-plan")
    }
}

impl std::error::Error for MappingError {}

/// What is asked of an import.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which environment, where an export has several.
    pub environment: Option<String>,
    /// Which unit here an attribute is that is hashed there.
    pub units: Vec<Mapping>,
    /// Which key of a condition here an attribute is that conditions look at there.
    pub attributes: Vec<Mapping>,
    /// django-waffle: the last day on which a visitor keeps the side that their cookie says.
    pub until: Option<Date>,
    /// flagd: which version of its formula draws there.
    pub formula_version: Option<u32>,
}

/// Names of a person's id in the systems that are read.
const IDS: [&str; 12] = [
    "userId",
    "user_id",
    "userID",
    "userid",
    "targetingKey",
    "key",
    "id",
    "distinct_id",
    "Identifier",
    "identifier",
    "user",
    "$targetingKey",
];
/// Names of a session's id.
const SESSIONS: [&str; 3] = ["sessionId", "session_id", "sessionID"];
/// Attributes whose meaning is the same everywhere.
const SAME: [(&str, &str); 10] = [
    ("country", "country"),
    ("Country", "country"),
    ("language", "language"),
    ("locale", "language"),
    ("ip", "ip"),
    ("remoteAddress", "ip"),
    ("userAgent", "user_agent"),
    ("user_agent", "user_agent"),
    ("appVersion", "app_version"),
    ("app_version", "app_version"),
];

fn mapped<'a>(mappings: &'a [Mapping], attribute: &str) -> Option<&'a str> {
    mappings.iter().rev().find(|mapping| mapping.attribute == attribute).map(|mapping| mapping.key.as_str())
}

impl Options {
    /// Whether somebody said where an attribute is found here.
    pub(crate) fn maps(&self, attribute: &str) -> bool {
        mapped(&self.attributes, attribute).is_some()
    }

    /// The key of a condition for an attribute. Where nobody said where it is found here, the flag is not carried exactly: a note
    /// says so, and the condition looks at an attribute of the same name.
    pub fn key(&self, attribute: &str, notes: &mut Vec<Note>) -> String {
        if let Some(key) = mapped(&self.attributes, attribute).or_else(|| mapped(&self.units, attribute)) {
            return key.to_owned();
        }
        if IDS.contains(&attribute) {
            return "user".into();
        }
        if let Some((_, key)) = SAME.iter().find(|(name, _)| *name == attribute) {
            return (*key).into();
        }
        let own = names::attribute(attribute);
        if attribute.trim().is_empty() {
            Note::add(notes, Note::lost("A condition does not say which attribute it looks at."));
            return own;
        }
        Note::add(
            notes,
            Note::lost(format!(
                "Conditions look at the attribute `{attribute}`, here `{own}`. Where it is in a request is not known: say it with --attribute {attribute}=header.NAME, or send `{own}` in the context of OFREP."
            )),
        );
        own
    }

    /// The unit (`bucket_by`) for an attribute that is hashed, and a note where nobody said which it is.
    pub fn unit(&self, attribute: &str, notes: &mut Vec<Note>) -> String {
        if let Some(unit) = mapped(&self.units, attribute) {
            return unit.to_owned();
        }
        if IDS.contains(&attribute) {
            return "user".into();
        }
        if SESSIONS.contains(&attribute) {
            return "session".into();
        }
        if attribute.trim().is_empty() {
            Note::add(notes, Note::lost("A draw does not say which attribute it hashes: the user's id is taken."));
            return "user".into();
        }
        Note::add(
            notes,
            Note::lost(format!(
                "The attribute `{attribute}` is hashed. Which id that is here is not known: the user's is taken. Say it with --unit {attribute}=header.NAME, or visitor, user, session, cookie.NAME."
            )),
        );
        "user".into()
    }

    /// What is wrong with a mapping.
    ///
    /// # Errors
    /// When a key is none of a condition, or a unit is none.
    pub(crate) fn check(&self) -> Result<(), String> {
        for Mapping { attribute, key } in &self.attributes {
            let is_key =
                Key::new(key).is_ok_and(|key| !matches!(&key, Key::Attribute(name) if Key::slip(name).is_some()));
            if !is_key {
                return Err(format!(
                    "--attribute {attribute}={key}: `{key}` is no key of a condition; write user, group, role, country, language, ip, user_agent, header.NAME, cookie.NAME, query.NAME or a name of your own"
                ));
            }
        }
        for Mapping { attribute, key } in &self.units {
            if BucketBy::new(key).is_none() {
                return Err(format!(
                    "--unit {attribute}={key}: `{key}` is no unit; write visitor, user, session, request, header.NAME or cookie.NAME"
                ));
            }
        }
        Ok(())
    }
}
