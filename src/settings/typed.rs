//! The settings file as it is typed.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration;
use super::webhooks::Webhooks;

/// `config/flagstaff.toml`: every key is optional.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) listen: OneOrMany,
    pub(crate) upstream: OneOrMany,
    pub(crate) upstream_http2: bool,
    pub(crate) upstream_ca: Option<PathBuf>,
    pub(crate) admin: String,
    pub(crate) flags: String,
    pub(crate) environment: Option<String>,
    pub(crate) ledger: String,
    /// None: beside the ledger, or else beside the flags.
    pub(crate) state: Option<String>,
    /// None: all is kept.
    #[serde(with = "duration::option")]
    pub(crate) ledger_keep: Option<Duration>,
    pub(crate) workers: usize,
    pub(crate) keys_file: Option<PathBuf>,
    pub(crate) upgrade_socket: Option<PathBuf>,
    pub(crate) tls: Option<Tls>,
    pub(crate) headers: Headers,
    pub(crate) visitor: Visitor,
    pub(crate) user: User,
    pub(crate) trust: Trust,
    pub(crate) cache: Cache,
    pub(crate) exclude: Exclude,
    pub(crate) count: Count,
    pub(crate) timeouts: Timeouts,
    pub(crate) limits: Limits,
    pub(crate) webhooks: Webhooks,
    pub(crate) log: Log,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: OneOrMany(vec!["127.0.0.1:8080".into()]),
            upstream: OneOrMany(Vec::new()),
            upstream_http2: false,
            upstream_ca: None,
            admin: "127.0.0.1:8081".into(),
            flags: "flags.toml".into(),
            environment: None,
            ledger: "flagstaff.db".into(),
            state: None,
            ledger_keep: None,
            workers: 0,
            keys_file: None,
            upgrade_socket: None,
            tls: None,
            headers: Headers::default(),
            visitor: Visitor::default(),
            user: User::default(),
            trust: Trust::default(),
            cache: Cache::default(),
            exclude: Exclude::default(),
            count: Count::default(),
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            webhooks: Webhooks::default(),
            log: Log::default(),
        }
    }
}

/// `"a"` or `["a", "b"]`.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct OneOrMany(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = OneOrMany;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text, or a list of texts such as [\"127.0.0.1:8080\"]")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                let all = text.split(',').map(|part| part.trim().to_owned()).filter(|p| !p.is_empty());
                let all: Vec<_> = all.collect();
                if all.is_empty() {
                    // a variable that was not filled in, as likely as not
                    return Err(flagstaff_source::mistake(
                        "it is empty",
                        "write a value, or leave it out altogether",
                    ));
                }
                Ok(OneOrMany(all))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = list.next_element()? {
                    all.push(one);
                }
                Ok(OneOrMany(all))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Send {
    #[default]
    Both,
    Each,
    Compact,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Headers {
    pub(crate) send: Send,
    pub(crate) off: bool,
    pub(crate) waffle: bool,
    pub(crate) sign: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Visitor {
    pub(crate) cookie: String,
    pub(crate) domain: Option<String>,
    pub(crate) secure: Option<bool>,
    #[serde(with = "duration")]
    pub(crate) max_age: Duration,
    pub(crate) consent_cookie: Option<String>,
    pub(crate) same_site: SameSite,
    pub(crate) issue_to: IssueTo,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SameSite {
    #[default]
    Lax,
    Strict,
    None,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum IssueTo {
    #[default]
    Documents,
    All,
}

impl Default for Visitor {
    fn default() -> Self {
        Self {
            cookie: "flagstaff_visitor".into(),
            domain: None,
            secure: None,
            max_age: Duration::from_secs(365 * 86_400),
            consent_cookie: None,
            same_site: SameSite::default(),
            issue_to: IssueTo::default(),
        }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct User {
    pub(crate) header: Option<String>,
    pub(crate) groups: Option<String>,
    pub(crate) roles: Option<String>,
    pub(crate) jwt: Option<Jwt>,
    /// None: where there are keys that outlast the process.
    pub(crate) identify: Option<bool>,
    /// None: a day.
    #[serde(with = "duration::option")]
    pub(crate) max_age: Option<Duration>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Jwt {
    pub(crate) cookie: Option<String>,
    pub(crate) header: Option<String>,
    /// Files with a secret or a public key each.
    pub(crate) key_files: OneOrMany,
    /// Secrets themselves.
    pub(crate) secrets: OneOrMany,
    /// Files and secrets mixed, as it was before: what holds `/` or is there as a file is a file.
    pub(crate) keys: OneOrMany,
    pub(crate) claim: Option<String>,
    pub(crate) groups: Option<String>,
    pub(crate) roles: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Trust {
    pub(crate) addresses: OneOrMany,
    pub(crate) country_header: Option<String>,
    /// What flags may name as upstreams of variants.
    pub(crate) upstreams: OneOrMany,
    pub(crate) forwarded: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WhenFlagsDiffer {
    #[default]
    Vary,
    Private,
    Ignore,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Cache {
    pub(crate) when_flags_differ: WhenFlagsDiffer,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Exclude {
    pub(crate) paths: OneOrMany,
    pub(crate) addresses: OneOrMany,
    pub(crate) user_agents: OneOrMany,
    pub(crate) prefetch_headers: OneOrMany,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Count {
    pub(crate) user_agents: OneOrMany,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Timeouts {
    #[serde(with = "duration")]
    pub(crate) connect: Duration,
    #[serde(with = "duration")]
    pub(crate) head: Duration,
    #[serde(with = "duration")]
    pub(crate) idle: Duration,
    #[serde(with = "duration")]
    pub(crate) body: Duration,
    #[serde(with = "duration")]
    pub(crate) write: Duration,
    #[serde(with = "duration")]
    pub(crate) upstream: Duration,
    #[serde(with = "duration")]
    pub(crate) stream: Duration,
    #[serde(with = "duration")]
    pub(crate) tunnel: Duration,
    #[serde(with = "duration")]
    pub(crate) pool: Duration,
    #[serde(with = "duration")]
    pub(crate) pool_age: Duration,
    #[serde(with = "duration")]
    pub(crate) linger: Duration,
    #[serde(with = "duration")]
    pub(crate) drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let flagstaff_sidecar::Timeouts {
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
        } = flagstaff_sidecar::Timeouts::default();
        Self { connect, head, idle, body, write, upstream, stream, tunnel, pool, pool_age, linger, drain }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) head_bytes: usize,
    pub(crate) headers: usize,
    pub(crate) body_bytes: Option<u64>,
    pub(crate) buffer_body: u64,
    pub(crate) answer_headers: usize,
    pub(crate) answer_head_bytes: usize,
    pub(crate) connections: Option<usize>,
    pub(crate) pool: usize,
    pub(crate) streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let flagstaff_sidecar::Limits {
            head_bytes,
            headers,
            body_bytes,
            buffer_body,
            answer_headers,
            answer_head_bytes,
            connections,
            pool,
            streams,
        } = flagstaff_sidecar::Limits::default();
        Self {
            head_bytes,
            headers,
            body_bytes,
            buffer_body,
            answer_headers,
            answer_head_bytes,
            connections,
            pool,
            streams,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    Off,
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) level: LogLevel,
    pub(crate) format: LogFormat,
    pub(crate) access: bool,
}
