//! The settings file as it is typed: the tables of the parts, and the keys above them.

use std::path::PathBuf;
use std::time::Duration;

use flagstaff_flags::typed::{list, optional_duration};
use flagstaff_sidecar::{CertificateFiles, Limits, Timeouts};
use flagstaff_tag::{
    CacheSettings, CountSettings, ExcludeSettings, HeaderSettings, TrustSettings, UserSettings, VisitorSettings,
};
use serde::{Deserialize, Serialize};

use super::protocols::{Ofrep, Unleash};
use super::telemetry::TelemetryTable;
use super::webhooks::Webhooks;

/// `config/flagstaff.toml`: every key is optional.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SettingsFile {
    #[serde(deserialize_with = "list")]
    pub(crate) listen: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) upstream: Vec<String>,
    pub(crate) upstream_http2: bool,
    pub(crate) upstream_ca: Option<PathBuf>,
    pub(crate) admin: String,
    pub(crate) admin_token_file: Option<PathBuf>,
    pub(crate) admin_read_token_file: Option<PathBuf>,
    #[serde(deserialize_with = "list")]
    pub(crate) admin_hosts: Vec<String>,
    pub(crate) admin_author_header: Option<String>,
    pub(crate) flags: String,
    /// None: as often as fits where they are.
    #[serde(with = "optional_duration")]
    pub(crate) flags_poll: Option<Duration>,
    pub(crate) environment: Option<String>,
    pub(crate) ledger: String,
    /// None: results are read from the ledger itself.
    pub(crate) ledger_read: Option<String>,
    pub(crate) ledger_connections: usize,
    /// None: beside the ledger, or else beside the flags.
    pub(crate) state: Option<String>,
    /// None: all is kept.
    #[serde(with = "optional_duration")]
    pub(crate) ledger_keep: Option<Duration>,
    /// 0: none are.
    pub(crate) recent_requests: usize,
    pub(crate) workers: usize,
    pub(crate) keys_file: Option<PathBuf>,
    pub(crate) upgrade_socket: Option<PathBuf>,
    pub(crate) tls: Option<CertificateFiles>,
    pub(crate) headers: HeaderSettings,
    pub(crate) visitor: VisitorSettings,
    pub(crate) user: UserSettings,
    pub(crate) trust: TrustSettings,
    pub(crate) cache: CacheSettings,
    pub(crate) exclude: ExcludeSettings,
    pub(crate) count: CountSettings,
    pub(crate) timeouts: Timeouts,
    pub(crate) limits: Limits,
    pub(crate) webhooks: Webhooks,
    pub(crate) ofrep: Ofrep,
    pub(crate) unleash: Unleash,
    pub(crate) telemetry: TelemetryTable,
    pub(crate) log: Log,
}

impl Default for SettingsFile {
    fn default() -> Self {
        Self {
            listen: vec!["127.0.0.1:8080".into()],
            upstream: Vec::new(),
            upstream_http2: false,
            upstream_ca: None,
            admin: "127.0.0.1:8081".into(),
            admin_token_file: None,
            admin_read_token_file: None,
            admin_hosts: Vec::new(),
            admin_author_header: None,
            flags: "flags.toml".into(),
            flags_poll: None,
            environment: None,
            ledger: "flagstaff.db".into(),
            ledger_read: None,
            ledger_connections: 8,
            state: None,
            ledger_keep: None,
            recent_requests: 5_000,
            workers: 0,
            keys_file: None,
            upgrade_socket: None,
            tls: None,
            headers: HeaderSettings::default(),
            visitor: VisitorSettings::default(),
            user: UserSettings::default(),
            trust: TrustSettings::default(),
            cache: CacheSettings::default(),
            exclude: ExcludeSettings::default(),
            count: CountSettings::default(),
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            webhooks: Webhooks::default(),
            ofrep: Ofrep::default(),
            unleash: Unleash::default(),
            telemetry: TelemetryTable::default(),
            log: Log::default(),
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
