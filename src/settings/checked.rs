//! Settings as rooms and faces take them.

use std::path::Path;

use anyhow::Context;
use flagstaff_flags::Problem;
use flagstaff_ledger as ledger;
use flagstaff_sidecar as sidecar;
use flagstaff_source::{FlagSource, StateFolder};
use flagstaff_tag as tag;

use super::{Settings, token, typed};

/// The variable that holds signing keys, with commas between.
pub(super) const KEYS: &str = "FLAGSTAFF_KEYS";

/// The location of a ledger that is switched off.
pub(crate) const NO_LEDGER: &str = "none";
/// The state folder is beside this where neither ledger nor flags are files: in the folder in which the program was started.
const NO_FILE: &str = "flags.toml";
/// The location of a state folder that is switched off.
pub(super) const NO_STATE: &str = "none";
/// A server is not asked more often.
const MIN_FLAGS_POLL: std::time::Duration = std::time::Duration::from_secs(1);
/// Connections that questions and edits may have. An edit can have two.
const LEDGER_CONNECTIONS: std::ops::RangeInclusive<usize> = 2..=100;
/// Rows that are kept for less are gone before anybody looks at them.
const MIN_LEDGER_KEEP: std::time::Duration = std::time::Duration::from_secs(60 * 60);

/// Where what happened is kept; none when nothing is.
///
/// # Errors
/// When the location is none, or the time makes no sense.
pub(crate) fn ledger(typed: &typed::SettingsFile) -> Result<Option<ledger::LedgerSettings>, Vec<Problem>> {
    if typed.ledger == NO_LEDGER {
        return Ok(None);
    }
    let location = ledger::Location::new(&typed.ledger).map_err(|error| {
        let problem = Problem::new(["ledger"], error.to_string());
        vec![problem.help("or \"none\", to keep nothing")]
    })?;
    if typed.ledger_keep.is_some_and(|keep| keep < MIN_LEDGER_KEEP) {
        let problem = Problem::new(["ledger_keep"], "what happened is kept for an hour at least");
        return Err(vec![problem.help("such as \"400d\"; without it, all is kept")]);
    }
    Ok(Some(ledger::LedgerSettings { keep: typed.ledger_keep, ..ledger::LedgerSettings::new(location) }))
}

/// Where operators ask and edit: the ledger, which all they open share, and its replica.
pub(crate) struct LedgerLocations {
    pub(crate) ledger: Option<ledger::Location>,
    pub(crate) replica: Option<ledger::Replica>,
}

/// Where operators ask and edit.
///
/// # Errors
/// As [`ledger()`]; and when there is a replica of something that has none, or the limit makes no sense.
pub(crate) fn ledger_locations(settings: &Settings) -> Result<LedgerLocations, Vec<Problem>> {
    let typed = &settings.typed;
    let ledger = ledger(typed)?.map(|ledger| ledger.location);
    let most = typed.ledger_connections;
    if !LEDGER_CONNECTIONS.contains(&most) {
        let (least, most) = (*LEDGER_CONNECTIONS.start(), *LEDGER_CONNECTIONS.end());
        let problem = Problem::new(["ledger_connections"], format!("this can be from {least} to {most}"));
        return Err(vec![problem.help("8 is enough for a dozen people who look at pages")]);
    }
    // an option names another ledger, of which the settings know no replica
    let replica = typed.ledger_read.as_deref().filter(|_| !settings.is_option("ledger"));
    let replica = replica.map(|text| replica_of(ledger.as_ref(), text)).transpose()?;
    let shared = |location: ledger::Location| location.with_connections(most);
    Ok(LedgerLocations { ledger: ledger.map(shared), replica: replica.map(shared).map(ledger::Replica::new) })
}

fn replica_of(of: Option<&ledger::Location>, text: &str) -> Result<ledger::Location, Vec<Problem>> {
    let problem = |message: &str, help: &str| vec![Problem::new(["ledger_read"], message).help(help)];
    let copy = "a replica is a PostgreSQL that follows that of `ledger`, such as \"postgres://user:password@replica/database\"";
    let location = ledger::Location::new(text).map_err(|error| problem(&error.to_string(), copy))?;
    if location.path().is_some() {
        return Err(problem("a file is no replica", copy));
    }
    if of.is_none_or(|ledger| ledger.path().is_some()) {
        return Err(problem(
            "only a ledger in PostgreSQL has a replica",
            "set `ledger` to its address, or take this out",
        ));
    }
    Ok(location)
}

/// Where the flags come from, and where the last good ones are kept. Nothing is asked yet.
///
/// # Errors
/// When what names them is neither a file nor an address of flags, or the time makes no sense.
pub(crate) fn source(typed: &typed::SettingsFile) -> Result<FlagSource, Vec<Problem>> {
    let source = FlagSource::new(&typed.flags, typed.environment.as_deref());
    let source = source.map_err(|why| vec![Problem::new(["flags"], why)])?;
    if typed.flags_poll.is_some_and(|poll| poll < MIN_FLAGS_POLL) {
        let problem = Problem::new(["flags_poll"], "flags are looked at once a second at most");
        return Err(vec![problem.help("such as \"10s\"; without it, as often as fits where they are")]);
    }
    let source = source.polled(typed.flags_poll);
    Ok(match state(typed) {
        Some(folder) => source.keeping(folder),
        None => source,
    })
}

/// Where the last good flags and the last known facts are kept; none when they are not. Without a word it is beside the ledger, and
/// beside the flags where the ledger is no file.
pub(crate) fn state(typed: &typed::SettingsFile) -> Option<StateFolder> {
    match typed.state.as_deref() {
        Some(NO_STATE) => None,
        Some(said) => Some(StateFolder::new(Path::new(said))),
        None => {
            let location = ledger(typed).ok().flatten().map(|ledger| ledger.location);
            let flags = if typed.flags.contains("://") { NO_FILE } else { &typed.flags };
            let file = location.as_ref().and_then(ledger::Location::path).unwrap_or(Path::new(flags));
            Some(StateFolder::beside(file))
        }
    }
}

/// What the tagger is to be made of.
///
/// # Errors
/// When a file with keys cannot be read, or a key of tokens is neither file nor secret.
pub(crate) fn tagger_settings(settings: &Settings) -> anyhow::Result<tag::TaggerSettings> {
    let typed = settings.typed.clone();
    let keys = keys(&typed)?;
    let mut user = typed.user;
    user.identify.get_or_insert(!keys.is_empty());
    if let Some(jwt) = &mut user.jwt {
        token::read_keys(jwt).map_err(|problems| settings.report(problems))?;
    }
    Ok(tag::TaggerSettings {
        headers: typed.headers,
        visitor: typed.visitor,
        user,
        trust: typed.trust,
        cache: typed.cache,
        exclude: typed.exclude,
        count: typed.count,
        keys,
    })
}

/// Keys from the environment, or else from the file.
fn keys(typed: &typed::SettingsFile) -> anyhow::Result<Vec<String>> {
    let split = |text: &str, by: &[char]| -> Vec<String> {
        text.split(by).map(str::trim).filter(|key| !key.is_empty() && !key.starts_with('#')).map(Into::into).collect()
    };
    if let Some(text) = super::variable(KEYS) {
        return Ok(split(&text, &[',']));
    }
    let Some(file) = &typed.keys_file else {
        return Ok(Vec::new());
    };
    let mend = || format!("make one: openssl rand -base64 32 > {0} && chmod 600 {0}", file.display());
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read keys_file {} ({})", file.display(), mend()))?;
    let keys = split(&text, &['\n']);
    anyhow::ensure!(!keys.is_empty(), "keys_file {} holds no key ({})", file.display(), mend());
    Ok(keys)
}

/// What the proxy is to be made of.
///
/// # Errors
/// With every problem.
pub(crate) fn proxy(typed: &typed::SettingsFile, upgrade: bool) -> Result<sidecar::ProxySettings, Vec<Problem>> {
    let is_https = |address: &String| address.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"));
    if typed.tls.is_some() && !typed.listen.iter().any(is_https) {
        let message =
            "there is a certificate, but no address of `listen` begins with https://, so nothing would be encrypted";
        let problem = Problem::new(["tls"], message);
        return Err(vec![problem.help("write such as listen = [\"https://0.0.0.0:8443\"], or take [tls] out")]);
    }
    let format = match typed.log.format {
        typed::LogFormat::Text => sidecar::AccessLog::Text,
        typed::LogFormat::Json => sidecar::AccessLog::Json,
    };
    sidecar::ProxySettings::new(sidecar::RawSettings {
        listen: typed.listen.clone(),
        upstream: typed.upstream.clone(),
        upstream_http2: typed.upstream_http2,
        upstream_ca: typed.upstream_ca.clone(),
        workers: typed.workers,
        tls: typed.tls.clone(),
        vouched: vouched(typed),
        // What is no address is told where it is bound.
        operators: typed.admin.parse().ok(),
        trust: typed.trust.clone(),
        timeouts: typed.timeouts.clone(),
        limits: typed.limits.clone(),
        access_log: typed.log.access.then_some(format),
        upgrade_socket: typed.upgrade_socket.clone(),
        upgrade,
    })
}

/// The header fields by which a trusted proxy names the user. One with a name that is not valid is told where the tagger is made of
/// it.
fn vouched(typed: &typed::SettingsFile) -> Vec<String> {
    let token = typed.user.jwt.as_ref().and_then(|jwt| jwt.header.clone());
    let all = typed.user.fields().into_iter().chain(token).chain(typed.trust.country_header.clone());
    all.filter(|name| http::HeaderName::from_bytes(name.as_bytes()).is_ok()).collect()
}
