//! Environment variables and options laid over the settings file.
//!
//! Every key `a.b` of the file has a variable `FLAGSTAFF_A_B`. The names come from the types themselves, so none is forgotten.

use std::borrow::Cow;

use flagstaff_flags::{MASK, Problem, is_secret, nearest, without_userinfo};
use flagstaff_sidecar::CertificateFiles;
use flagstaff_source::PIN_PREFIX;
use flagstaff_tag::JwtSettings;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{SECRETS, typed};

/// What the names of all our variables begin with.
const PREFIX: &str = "FLAGSTAFF_";
/// No key of the file: it says which running program commands ask.
pub(crate) const URL: &str = "FLAGSTAFF_URL";

/// Tables that are absent by default, as they would be.
fn optional() -> [(&'static str, Value); 3] {
    [
        ("tls", tree(&CertificateFiles::default())),
        ("user.jwt", tree(&JwtSettings::default())),
        ("webhooks", tree(&flagstaff_webhook::HookSettings::default())),
    ]
}

/// A value for one key, from outside the file.
#[derive(Clone, Debug)]
pub(crate) struct Override {
    /// The key, dotted.
    pub(crate) key: String,
    /// What the user calls the place: a variable or an option.
    pub(crate) place: String,
    /// The value as text.
    pub(crate) text: String,
}

impl Override {
    /// The value as it may be printed.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        match is_secret(&self.key) {
            true => MASK.into(),
            false => without_userinfo(&self.text),
        }
    }
}

/// A key that must not be empty by a slip: without an upstream, visitors would get the demo shop.
const NEVER_EMPTY: &str = "upstream";

/// The overrides in an environment; a value of nothing counts as none, but for an upstream.
pub(crate) fn from_environment(get: impl Fn(&str) -> Option<String>) -> Vec<Override> {
    let of = |key: String| {
        let place = variable(&key);
        let text = get(&place).filter(|text| !text.is_empty() || key == NEVER_EMPTY)?;
        Some(Override { key, place, text })
    };
    keys().into_iter().filter_map(of).collect()
}

/// Variables among these that look like ours and are no key's, each with the one that was probably meant.
pub(crate) fn misspelt(names: impl Iterator<Item = String>) -> Vec<(String, Option<String>)> {
    let mut known: Vec<_> = keys().iter().map(|key| variable(key)).collect();
    known.extend(SECRETS.map(|(_, variable)| variable.into()));
    known.push(URL.into());
    let strange = |name: &String| {
        // Kubernetes tells every container of a Service called flagstaff, as FLAGSTAFF_SERVICE_HOST and FLAGSTAFF_PORT_80_TCP.
        let of_others = name.contains("_SERVICE_") || name.contains("_PORT");
        let pins = name.starts_with(PIN_PREFIX);
        name.starts_with(PREFIX) && !of_others && !pins && !known.contains(name)
    };
    // What all have in common would make any two seem alike.
    let bare = |name: &str| name.trim_start_matches(PREFIX).to_owned();
    let words: Vec<_> = known.iter().map(|name| bare(name)).collect();
    let mut found: Vec<_> = names.filter(strange).collect();
    found.sort();
    let with_nearest = |name: String| {
        let near = nearest(&bare(&name), words.iter().map(String::as_str));
        let near = near.map(|near| format!("{PREFIX}{near}"));
        (name, near)
    };
    found.into_iter().map(with_nearest).collect()
}

/// `timeouts.connect` → `FLAGSTAFF_TIMEOUTS_CONNECT`.
pub(crate) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_ascii_uppercase())
}

/// Every key of the settings file, dotted.
pub(crate) fn keys() -> Vec<String> {
    let mut keys = Vec::new();
    collect("", &tree(&typed::SettingsFile::default()), &mut keys);
    for (table, default) in optional() {
        keys.retain(|key| key != table);
        collect(table, &default, &mut keys);
    }
    keys
}

fn tree(settings: &impl Serialize) -> Value {
    serde_json::to_value(settings).unwrap_or_default()
}

fn collect(prefix: &str, value: &Value, keys: &mut Vec<String>) {
    let Value::Object(table) = value else {
        keys.push(prefix.into());
        return;
    };
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        collect(&key, value, keys);
    }
}

/// Lays overrides over settings, in order.
///
/// # Errors
/// With a problem for each override whose value does not fit its key.
pub(crate) fn apply(
    settings: &typed::SettingsFile,
    overrides: &[Override],
) -> Result<typed::SettingsFile, Vec<Problem>> {
    let mut tree = tree(settings);
    let mut problems = Vec::new();
    for one in overrides {
        match attempt(&tree, one) {
            Ok(next) => tree = next,
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    half_told(&tree)?;
    serde_json::from_value(tree).map_err(|e| vec![Problem::new(["settings"], e.to_string())])
}

/// A table that is not there by default needs more than one of its keys.
fn half_told(tree: &Value) -> Result<(), Vec<Problem>> {
    let needed = [("/tls", "tls.certificate"), ("/tls", "tls.key"), ("/webhooks", "webhooks.url")];
    let missing = needed.into_iter().filter(|(table, key)| {
        let table = tree.pointer(table).and_then(Value::as_object);
        table.is_some_and(|table| key.rsplit('.').next().is_some_and(|key| !table.contains_key(key)))
    });
    let problem = |(_, key): (_, &str)| {
        Problem::new([variable(key).as_str()], "this is missing")
            .help(format!("set it too, or write {key} in the settings file"))
    };
    let problems: Vec<_> = missing.map(problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The tree with one override in it, when that reads as settings. A text that could be a number or a truth value is tried as
/// such first, because only the type of the key knows.
fn attempt(tree: &Value, one: &Override) -> Result<Value, Problem> {
    if one.key == "webhooks.url" && tree.get("webhooks").and_then(Value::as_array).is_some_and(|all| all.len() > 1) {
        let problem =
            Problem::new([one.place.as_str()], "this is one address, and the settings file has several webhooks");
        return Err(problem.help("write the addresses in the file"));
    }
    let as_typed = serde_json::from_str::<Value>(&one.text).ok().filter(|v| !v.is_object());
    let truth = flagstaff_source::truth(&one.text).map(Value::Bool);
    let candidates = as_typed.into_iter().chain([Value::String(one.text.clone())]).chain(truth);
    let mut why = String::new();
    for candidate in candidates {
        let mut next = tree.clone();
        insert(&mut next, &one.key, &candidate);
        match serde_json::from_value::<typed::SettingsFile>(fill(next.clone())) {
            Ok(_) => return Ok(next),
            Err(error) => why = error.to_string(),
        }
    }
    // a type that checks what it reads says the mend on a line of its own
    let (why, mend) = why.split_once('\n').map_or((why.as_str(), None), |(why, mend)| (why, Some(mend)));
    let (shown, why) = (one.shown(), why.replace(&one.text, &one.shown()));
    let problem = Problem::new([one.place.as_str()], format!("`{shown}` does not fit {}: {why}", one.key));
    Err(match mend {
        Some(mend) => problem.help(mend),
        None => problem,
    })
}

/// Puts a value where a key leads, in each table of a list of tables.
fn insert(tree: &mut Value, key: &str, value: &Value) {
    if let Value::Array(tables) = tree
        && !tables.is_empty()
    {
        return tables.iter_mut().for_each(|table| insert(table, key, value));
    }
    if !tree.is_object() {
        *tree = Value::Object(Map::new());
    }
    let Value::Object(table) = tree else { return };
    match key.split_once('.') {
        Some((name, rest)) => insert(table.entry(name).or_insert(Value::Null), rest, value),
        None => {
            table.insert(key.into(), value.clone());
        }
    }
}

/// A certificate without its key is judged when both had their turn.
fn fill(mut tree: Value) -> Value {
    if let Some(Value::Object(tls)) = tree.get_mut("tls") {
        for key in ["certificate", "key"] {
            tls.entry(key).or_insert_with(|| Value::String(String::new()));
        }
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(key: &str, text: &str) -> Override {
        Override { key: key.into(), place: variable(key), text: text.into() }
    }

    #[test]
    fn every_key_has_a_variable() {
        let keys = keys();
        for key in [
            "listen",
            "timeouts.connect",
            "visitor.domain",
            "tls.key",
            "user.jwt.claim",
            "webhooks.secret",
            "log.access",
        ] {
            assert!(keys.iter().any(|k| k == key), "{key} in {keys:?}");
        }
        assert_eq!(variable("timeouts.connect"), "FLAGSTAFF_TIMEOUTS_CONNECT");
    }

    #[test]
    fn texts_become_what_their_key_needs() {
        let overrides = [
            over("listen", "127.0.0.1:1, 127.0.0.1:2"),
            over("workers", "3"),
            over("timeouts.connect", "250ms"),
            over("headers.waffle", "true"),
            over("headers.send", "compact"),
            over("environment", "42"),
            over("tls.certificate", "a.pem"),
            over("tls.key", "b.pem"),
        ];
        let settings = apply(&typed::SettingsFile::default(), &overrides).unwrap();
        assert_eq!(settings.listen, ["127.0.0.1:1", "127.0.0.1:2"]);
        assert_eq!(settings.workers, 3);
        assert_eq!(settings.timeouts.connect.as_millis(), 250);
        assert!(settings.headers.waffle);
        assert_eq!(settings.headers.send, flagstaff_tag::SendFlags::Compact);
        assert_eq!(settings.environment.as_deref(), Some("42"));
        assert_eq!(settings.tls.unwrap().key.to_str(), Some("b.pem"));
    }

    #[test]
    fn variables_of_webhooks_count_for_all_but_an_address_for_one() {
        let webhooks = |json: &str, overrides: &[Override]| {
            let typed = typed::SettingsFile {
                webhooks: serde_json::from_str(json).unwrap(),
                ..typed::SettingsFile::default()
            };
            apply(&typed, overrides).map(|typed| serde_json::to_value(typed.webhooks).unwrap())
        };
        let (url, secret) = (over("webhooks.url", "http://a/"), over("webhooks.secret", "s"));
        let events = over("webhooks.events", "trip,step");
        let one = webhooks("null", &[url.clone(), events]).unwrap();
        assert_eq!((&one["url"], &one["events"][1]), (&"http://a/".into(), &"step".into()));
        let several = r#"[{ "url": "http://b/" }, { "url": "http://c/" }]"#;
        let both = webhooks(several, &[secret]).unwrap();
        assert_eq!(
            (&both[0]["secret"], &both[1]["secret"], &both[1]["url"]),
            (&"s".into(), &"s".into(), &"http://c/".into())
        );
        assert_eq!(webhooks(several, &[url]).unwrap_err()[0].at, ["FLAGSTAFF_WEBHOOKS_URL"]);
    }

    #[test]
    fn misspelt_variables_are_told_from_those_of_others() {
        let names = [
            "FLAGSTAFF_LISTN",
            "FLAGSTAFF_TIMEOUT_CONNECT",
            "FLAGSTAFF_ZEBRA",
            "FLAGSTAFF_LISTEN",
            "FLAGSTAFF_TLS_KEY",
            "FLAGSTAFF_FLAG_NEW_FORM",
            "FLAGSTAFF_KEYS",
            "FLAGSTAFF_ADMIN_TOKEN",
            "FLAGSTAFF_ADMIN_READ_TOKEN",
            "FLAGSTAFF_ADMIN_TOKEN_FILE",
            "FLAGSTAFF_URL",
            "FLAGSTAFF_SERVICE_HOST",
            "FLAGSTAFF_SERVICE_PORT_HTTP",
            "FLAGSTAFF_PORT",
            "FLAGSTAFF_PORT_8080_TCP_ADDR",
            "FLAGSTAFF_ADMIN_SERVICE_HOST",
            "PATH",
        ];
        let told = misspelt(names.into_iter().map(Into::into));
        let told: Vec<_> = told.iter().map(|(name, near)| (&**name, near.as_deref())).collect();
        assert_eq!(
            told,
            [
                ("FLAGSTAFF_LISTN", Some("FLAGSTAFF_LISTEN")),
                ("FLAGSTAFF_TIMEOUT_CONNECT", Some("FLAGSTAFF_TIMEOUTS_CONNECT")),
                ("FLAGSTAFF_ZEBRA", None),
            ]
        );
    }

    #[test]
    fn half_a_table_names_the_other_half() {
        let missing = |key, text| {
            let problems = apply(&typed::SettingsFile::default(), &[over(key, text)]).unwrap_err();
            problems.into_iter().map(|p| p.at[0].clone()).collect::<Vec<_>>()
        };
        assert_eq!(missing("tls.certificate", "a.pem"), ["FLAGSTAFF_TLS_KEY"]);
        assert_eq!(missing("tls.key", "a.pem"), ["FLAGSTAFF_TLS_CERTIFICATE"]);
        assert_eq!(missing("webhooks.secret", "s3cret"), ["FLAGSTAFF_WEBHOOKS_URL"]);
    }

    #[test]
    fn what_does_not_fit_names_its_variable() {
        let wrong = [
            over("workers", "many"),
            over("headers.send", "all"),
            over("timeouts.idle", "5 parsecs"),
            over("log.level", "loud"),
        ];
        let problems = apply(&typed::SettingsFile::default(), &wrong).unwrap_err();
        let secret = [over("user.jwt.keys", "{\"S3CRET\": 1}"), over("webhooks.secret", "[\"S3CRET\"]")];
        for problem in apply(&typed::SettingsFile::default(), &secret).err().into_iter().flatten() {
            assert!(!problem.to_string().contains("S3CRET"), "{problem}");
        }
        let places: Vec<_> = problems.iter().map(|p| p.at[0].as_str()).collect();
        assert_eq!(
            places,
            ["FLAGSTAFF_WORKERS", "FLAGSTAFF_HEADERS_SEND", "FLAGSTAFF_TIMEOUTS_IDLE", "FLAGSTAFF_LOG_LEVEL"]
        );
    }
}
