//! Settings as rooms and faces take them.

use std::path::Path;

use anyhow::Context;
use flagstaff_flags::Problem;
use flagstaff_ledger as ledger;
use flagstaff_sidecar as sidecar;
use flagstaff_source::StateFolder;
use flagstaff_tag as tag;

use super::{Settings, token, typed};

/// The variable that holds signing keys, with commas between.
pub(super) const KEYS: &str = "FLAGSTAFF_KEYS";

/// The place of a ledger that is switched off.
pub(crate) const NO_LEDGER: &str = "none";
/// The place of a state folder that is switched off.
pub(super) const NO_STATE: &str = "none";
/// The state folder's name, where it is not said.
const STATE: &str = "flagstaff-state";
/// Rows that are kept for less are gone before anybody looks at them.
const SHORTEST: std::time::Duration = std::time::Duration::from_secs(60 * 60);

/// Where what happened is kept; none when nothing is.
///
/// # Errors
/// When the place is none, or the time makes no sense.
pub(crate) fn ledger(typed: &typed::Settings) -> Result<Option<ledger::Settings>, Vec<Problem>> {
    if typed.ledger == NO_LEDGER {
        return Ok(None);
    }
    let place = ledger::Place::new(&typed.ledger).map_err(|error| {
        let problem = Problem::new(["ledger"], error.to_string());
        vec![problem.help("or \"none\", to keep nothing")]
    })?;
    if typed.ledger_keep.is_some_and(|keep| keep < SHORTEST) {
        let problem = Problem::new(["ledger_keep"], "what happened is kept for an hour at least");
        return Err(vec![problem.help("such as \"400d\"; without it, all is kept")]);
    }
    Ok(Some(ledger::Settings { keep: typed.ledger_keep, ..ledger::Settings::new(place) }))
}

/// Where the last good flags and the last known facts are kept; none when they are not. Without a word it is beside the ledger, and
/// beside the flags where the ledger is no file.
pub(crate) fn state(typed: &typed::Settings) -> Option<StateFolder> {
    match typed.state.as_deref() {
        Some(NO_STATE) => None,
        Some(said) => Some(StateFolder::new(Path::new(said))),
        None => {
            let place = ledger(typed).ok().flatten().map(|ledger| ledger.place);
            let file = place.as_ref().and_then(ledger::Place::path).unwrap_or(Path::new(&typed.flags));
            Some(StateFolder::new(&file.with_file_name(STATE)))
        }
    }
}

/// What the tagger is to be made of.
///
/// # Errors
/// When a file with keys cannot be read, or a key of tokens is neither file nor secret.
pub(crate) fn tagger_settings(settings: &Settings) -> anyhow::Result<tag::Settings> {
    let typed = &settings.typed;
    let keys = keys(typed)?;
    let identify = typed.user.identify.unwrap_or(!keys.is_empty());
    let usual = tag::UserSettings::default();
    let jwt =
        typed.user.jwt.as_ref().map(token::settings).transpose().map_err(|problems| settings.report(problems))?;
    Ok(tag::Settings {
        headers: tag::HeaderSettings {
            send: match typed.headers.send {
                typed::Send::Both => tag::SendFlags::Both,
                typed::Send::Each => tag::SendFlags::Each,
                typed::Send::Compact => tag::SendFlags::Compact,
            },
            off: typed.headers.off,
            waffle: typed.headers.waffle,
            sign: typed.headers.sign,
        },
        visitor: tag::VisitorSettings {
            cookie: typed.visitor.cookie.clone(),
            domain: typed.visitor.domain.clone(),
            secure: typed.visitor.secure,
            max_age: typed.visitor.max_age,
            consent_cookie: typed.visitor.consent_cookie.clone(),
            same_site: match typed.visitor.same_site {
                typed::SameSite::Lax => tag::SameSite::Lax,
                typed::SameSite::Strict => tag::SameSite::Strict,
                typed::SameSite::None => tag::SameSite::None,
            },
            issue_to: match typed.visitor.issue_to {
                typed::IssueTo::Documents => tag::IssueTo::Documents,
                typed::IssueTo::All => tag::IssueTo::All,
            },
        },
        user: tag::UserSettings {
            header: typed.user.header.clone(),
            groups: typed.user.groups.clone(),
            roles: typed.user.roles.clone(),
            jwt,
            identify,
            max_age: typed.user.max_age.unwrap_or(usual.max_age),
        },
        trust: tag::TrustSettings { country_header: typed.trust.country_header.clone() },
        cache: tag::CacheSettings {
            when_flags_differ: match typed.cache.when_flags_differ {
                typed::WhenFlagsDiffer::Vary => tag::WhenFlagsDiffer::Vary,
                typed::WhenFlagsDiffer::Private => tag::WhenFlagsDiffer::Private,
                typed::WhenFlagsDiffer::Ignore => tag::WhenFlagsDiffer::Ignore,
            },
        },
        exclude: tag::ExcludeSettings {
            paths: typed.exclude.paths.0.clone(),
            addresses: typed.exclude.addresses.0.clone(),
            user_agents: typed.exclude.user_agents.0.clone(),
            prefetch_headers: typed.exclude.prefetch_headers.0.clone(),
        },
        count: tag::CountSettings { user_agents: typed.count.user_agents.0.clone() },
        keys,
    })
}

/// Keys from the environment, or else from the file.
fn keys(typed: &typed::Settings) -> anyhow::Result<Vec<String>> {
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
pub(crate) fn proxy(typed: &typed::Settings, upgrade: bool) -> Result<sidecar::Settings, Vec<Problem>> {
    let is_https = |address: &String| address.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"));
    if typed.tls.is_some() && !typed.listen.0.iter().any(is_https) {
        let message =
            "there is a certificate, but no address of `listen` begins with https://, so nothing would be encrypted";
        let problem = Problem::new(["tls"], message);
        return Err(vec![problem.help("write such as listen = [\"https://0.0.0.0:8443\"], or take [tls] out")]);
    }
    let typed::Timeouts { connect, head, idle, body, write, upstream, stream, tunnel, pool, pool_age, linger, drain } =
        typed.timeouts.clone();
    let format = match typed.log.format {
        typed::LogFormat::Text => sidecar::AccessLog::Text,
        typed::LogFormat::Json => sidecar::AccessLog::Json,
    };
    let tls = typed.tls.clone();
    let options = sidecar::Options {
        listen: typed.listen.0.clone(),
        upstream: typed.upstream.0.clone(),
        upstream_http2: typed.upstream_http2,
        upstream_ca: typed.upstream_ca.clone(),
        workers: typed.workers,
        tls: tls.map(|tls| sidecar::CertificateFiles { certificate: tls.certificate, key: tls.key }),
        trusted: typed.trust.addresses.0.clone(),
        vouched: vouched(typed),
        trusted_upstreams: typed.trust.upstreams.0.clone(),
        // What is no address is told where it is bound.
        operators: typed.admin.parse().ok(),
        forwarded: typed.trust.forwarded,
        timeouts: sidecar::Timeouts {
            connect,
            head,
            idle,
            body,
            write,
            upstream,
            stream,
            tunnel,
            pool,
            pool_age,
            linger,
            drain,
        },
        limits: limits(&typed.limits),
        access_log: typed.log.access.then_some(format),
        upgrade_socket: typed.upgrade_socket.clone(),
        upgrade,
    };
    sidecar::Settings::new(options).map_err(of_sidecar)
}

fn limits(typed: &typed::Limits) -> sidecar::Limits {
    sidecar::Limits {
        head_bytes: typed.head_bytes,
        headers: typed.headers,
        body_bytes: typed.body_bytes,
        buffer_body: typed.buffer_body,
        answer_headers: typed.answer_headers,
        answer_head_bytes: typed.answer_head_bytes,
        connections: typed.connections,
        pool: typed.pool,
        streams: typed.streams,
    }
}

/// The header fields by which a trusted proxy says who asks. What is no name is told where the tagger is made of it.
fn vouched(typed: &typed::Settings) -> Vec<String> {
    let user = tag::UserSettings {
        header: typed.user.header.clone(),
        groups: typed.user.groups.clone(),
        roles: typed.user.roles.clone(),
        ..tag::UserSettings::default()
    };
    let token = typed.user.jwt.as_ref().and_then(|jwt| jwt.header.clone());
    let all = user.fields().into_iter().chain(token).chain(typed.trust.country_header.clone());
    all.filter(|name| http::HeaderName::from_bytes(name.as_bytes()).is_ok()).collect()
}

/// The sidecar's problems as problems of the settings.
pub(crate) fn of_sidecar(problems: sidecar::Problems) -> Vec<Problem> {
    let problem = |p: sidecar::Problem| Problem::new(p.key.split('.'), p.message);
    problems.0.into_iter().map(problem).collect()
}
