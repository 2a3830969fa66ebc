//! What the proxy is told to do: [`RawSettings`] as typed, [`ProxySettings`] as checked.

mod check;
pub(crate) mod upstream_policy;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use flagstaff_flags::{Problem, typed};
use flagstaff_tag::TrustSettings;
use http::header::HeaderName;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::address::{Listen, Origin};
use upstream_policy::{UpstreamPattern, UpstreamPolicy};

/// The format of the access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLog {
    /// One line of text per answer.
    Text,
    /// One JSON object per answer.
    Json,
}

/// Certificate chain and private key in PEM files; both are read again when they change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key of the first certificate.
    pub key: PathBuf,
}

/// How long something may take. Zero is refused everywhere except where it says what zero means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// Name resolution, connecting to the upstream and its TLS handshake. Default 5 s.
    #[serde(with = "typed::duration")]
    pub connect: Duration,
    /// A client's TLS handshake, and a request's head from its first byte. Default 10 s.
    #[serde(with = "typed::duration")]
    pub head: Duration,
    /// A client's connection without a request. Default 60 s.
    #[serde(with = "typed::duration")]
    pub idle: Duration,
    /// Silence in the middle of a request's body. Default 30 s.
    #[serde(with = "typed::duration")]
    pub body: Duration,
    /// A small body ([`Limits::buffer_body`]), which is read whole before the app is asked. Default 60 s.
    #[serde(with = "typed::duration")]
    pub buffer_body: Duration,
    /// A client that takes no bytes. Default 30 s.
    #[serde(with = "typed::duration")]
    pub write: Duration,
    /// From sending a request to the head of its answer, with everything that is tried for it. Default 60 s.
    #[serde(with = "typed::duration")]
    pub upstream: Duration,
    /// Silence in the middle of an answer's body; zero: no limit. Default 5 min.
    #[serde(with = "typed::duration")]
    pub stream: Duration,
    /// Silence in both directions of an upgraded connection; zero: no limit. Default 5 min.
    #[serde(with = "typed::duration")]
    pub tunnel: Duration,
    /// How long an unused connection to the upstream is kept. Default 4 s: Node closes its own after 5.
    #[serde(with = "typed::duration")]
    pub pool: Duration,
    /// How long a connection to the upstream is used at all, so that a name that moves is followed; zero: no limit. Default 30 s.
    #[serde(with = "typed::duration")]
    pub pool_age: Duration,
    /// After the signal to stop, how long connections may still bring requests. Default 700 ms.
    #[serde(with = "typed::duration")]
    pub linger: Duration,
    /// After the signal to stop, when what is left is cut off. Default 30 s.
    #[serde(with = "typed::duration")]
    pub drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            head: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            body: Duration::from_secs(30),
            buffer_body: Duration::from_secs(60),
            write: Duration::from_secs(30),
            upstream: Duration::from_secs(60),
            stream: Duration::from_secs(300),
            tunnel: Duration::from_secs(300),
            pool: Duration::from_secs(4),
            pool_age: Duration::from_secs(30),
            linger: Duration::from_millis(700),
            drain: Duration::from_secs(30),
        }
    }
}

/// How much of something there may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a request's head, 8,192 to 1,048,576. Default 32,768.
    pub head_bytes: usize,
    /// Header fields of a request, 1 to 1,000. Default 100.
    pub headers: usize,
    /// Bytes of a request's body; none: any size. Default none.
    pub body_bytes: Option<u64>,
    /// Bytes of a request's body that are read whole before the app is asked, where `Content-Length` says that it has no more; 0
    /// to 16,777,216. Default 65,536.
    pub buffer_body: u64,
    /// Header fields of an answer, 1 to 4,000, and never fewer than `headers`. Default 256.
    pub answer_headers: usize,
    /// Bytes of an answer's head, 8,192 to 16,777,216. Default 131,072.
    pub answer_head_bytes: usize,
    /// Clients' connections at once; none: what the limit on open files allows. Default none.
    pub connections: Option<usize>,
    /// Unused connections kept per worker and upstream address. Default 256.
    pub pool: usize,
    /// Requests at once on one HTTP/2 connection, 1 to 10,000. Default 128.
    pub streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 32_768,
            headers: 100,
            body_bytes: None,
            buffer_body: 65_536,
            answer_headers: 256,
            answer_head_bytes: 131_072,
            connections: None,
            pool: 256,
            streams: 128,
        }
    }
}

/// Everything that can be set, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct RawSettings {
    /// Addresses for visitors: `127.0.0.1:8080`, `http://…` or, with certificates, `https://…`.
    pub listen: Vec<String>,
    /// Addresses of the app: `HOST:PORT`, `http://…` or `https://…`; none when another service answers.
    pub upstream: Vec<String>,
    /// Speak HTTP/2 to the upstream (with prior knowledge, or by ALPN behind TLS).
    pub upstream_http2: bool,
    /// Certificates to trust behind `https://` upstreams, in a PEM file; none: the system's.
    pub upstream_ca: Option<PathBuf>,
    /// Worker threads; 0: one per core.
    pub workers: usize,
    /// Certificates for `https://` addresses.
    pub tls: Option<CertificateFiles>,
    /// Names of the header fields by which trusted addresses name the user. They are never accepted in trailers.
    pub vouched: Vec<String>,
    /// The address for operators: no upstream.
    pub operators: Option<SocketAddr>,
    /// Which addresses are trusted, and with what.
    pub trust: TrustSettings,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// How much there may be.
    pub limits: Limits,
    /// Write an access log to standard output.
    pub access_log: Option<AccessLog>,
    /// The socket over which a new binary takes the listening sockets from this one. Its folder must be ours alone.
    pub upgrade_socket: Option<PathBuf>,
    /// Take the listening sockets over from a running process, which has to get SIGQUIT meanwhile.
    pub upgrade: bool,
}

/// Checked options. Nothing downstream checks them again.
#[derive(Clone, Debug)]
pub struct ProxySettings {
    pub(crate) listen: Vec<Listen>,
    pub(crate) upstream: Vec<Origin>,
    pub(crate) upstream_http2: bool,
    pub(crate) upstream_ca: Option<PathBuf>,
    pub(crate) workers: usize,
    pub(crate) tls: Option<CertificateFiles>,
    pub(crate) trusted: Vec<IpNet>,
    pub(crate) vouched: Vec<HeaderName>,
    pub(crate) policy: UpstreamPolicy,
    pub(crate) forwarded: bool,
    pub(crate) timeouts: Timeouts,
    pub(crate) limits: Limits,
    pub(crate) access_log: Option<AccessLog>,
    pub(crate) upgrade_socket: Option<PathBuf>,
    pub(crate) upgrade: bool,
}

impl ProxySettings {
    /// Checks everything that was typed.
    ///
    /// # Errors
    ///
    /// All problems at once, each with its key.
    pub fn new(options: RawSettings) -> Result<Self, Vec<Problem>> {
        let mut check = check::Check(Vec::new());
        let listen = check.each("listen", &options.listen, Listen::parse);
        let upstream = check.each("upstream", &options.upstream, Origin::parse);
        let trusted = check.each("trust.addresses", &options.trust.addresses, check::range);
        let vouched = check.each("trust", &options.vouched, check::field);
        let listed = check.each("trust.upstreams", &options.trust.upstreams, UpstreamPattern::parse);
        check.listen(&options, &listen);
        check.not_itself(&options, &listen, &upstream);
        check.timeouts(&options.timeouts);
        check.limits(&options.limits);
        check.upgrade(&options);
        check.that("workers", options.workers <= 1024, || "at most 1024".to_owned());
        if !check.0.is_empty() {
            return Err(check.0);
        }
        let own = listen.iter().map(|listen| listen.address).chain(options.operators).collect();
        let policy = UpstreamPolicy { own, own_socket: options.upgrade_socket.clone(), listed };
        Ok(Self {
            listen,
            upstream,
            upstream_http2: options.upstream_http2,
            upstream_ca: options.upstream_ca,
            workers: if options.workers == 0 { cores() } else { options.workers },
            tls: options.tls,
            trusted,
            vouched,
            policy,
            forwarded: options.trust.forwarded,
            timeouts: options.timeouts,
            limits: options.limits,
            access_log: options.access_log,
            upgrade_socket: options.upgrade_socket,
            upgrade: options.upgrade,
        })
    }

    /// Whether there is an app to ask.
    pub fn has_upstream(&self) -> bool {
        !self.upstream.is_empty()
    }

    /// Worker threads that will run.
    pub fn workers(&self) -> usize {
        self.workers
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_reported_at_once() {
        let options = RawSettings {
            listen: vec![
                "127.0.0.1:8080".into(),
                "127.0.0.1:8080".into(),
                "nowhere".into(),
                "https://[::1]:8443".into(),
            ],
            upstream: vec!["ftp://app".into()],
            trust: TrustSettings { addresses: vec!["10.0.0.0/33".into()], ..TrustSettings::default() },
            timeouts: Timeouts { connect: Duration::ZERO, linger: Duration::from_secs(31), ..Timeouts::default() },
            limits: Limits { head_bytes: 100, connections: Some(0), ..Limits::default() },
            upgrade: true,
            ..RawSettings::default()
        };
        let problems = ProxySettings::new(options).unwrap_err();
        let keys: Vec<_> = problems.iter().map(|p| p.at.join(".")).collect();
        assert_eq!(
            keys,
            [
                "listen",
                "upstream",
                "trust.addresses",
                "listen",
                "listen",
                "timeouts.connect",
                "timeouts.linger",
                "limits.head_bytes",
                "limits.connections",
                "upgrade_socket"
            ]
        );
    }

    #[test]
    fn no_address_of_our_own_is_the_app() {
        let keys = |upstream: &str| {
            let options = RawSettings {
                listen: vec!["127.0.0.1:8080".into()],
                operators: Some("127.0.0.1:8081".parse().unwrap()),
                upgrade_socket: Some("/tmp/upgrade.sock".into()),
                upstream: vec![upstream.into()],
                ..RawSettings::default()
            };
            ProxySettings::new(options)
                .map_err(|problems| problems.iter().map(|p| p.at.join(".")).collect::<Vec<_>>())
                .err()
        };
        for own in ["127.0.0.1:8080", "localhost:8081", "http://127.0.0.1:8081", "unix:/tmp/upgrade.sock"] {
            assert_eq!(keys(own), Some(vec!["upstream".to_owned()]), "{own}");
        }
        assert_eq!((keys("127.0.0.1:8000"), keys("unix:/tmp/app.sock")), (None, None));
    }

    #[test]
    fn defaults_with_an_address_are_fine() {
        let trust = TrustSettings { addresses: vec!["::1".into()], ..TrustSettings::default() };
        let options = RawSettings { listen: vec!["127.0.0.1:0".into()], trust, ..RawSettings::default() };
        let settings = ProxySettings::new(options).unwrap();
        assert!(settings.workers() >= 1);
        assert_eq!(settings.trusted.len(), 1);
    }
}
