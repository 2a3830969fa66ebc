//! TLS: certificates from files, read again when they change; and what upstreams are trusted by.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use flagstaff_flags::Problem;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, ServerConfig};

use crate::drain::Stop;
use crate::meters::METERS;
use crate::settings::{CertificateFiles, ProxySettings};

const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";
/// How often the files are read. They are small, and reading sees every kind of replacement, symlinks too.
const PERIOD: Duration = Duration::from_secs(1);

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{key}: cannot read {path}")]
    Read {
        /// The key that names it, as in the settings file.
        key: &'static str,
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{key}: {path}: {message}")]
    Content {
        /// The key that names it, as in the settings file.
        key: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it.
        message: String,
    },
}

const CERTIFICATE: &str = "tls.certificate";
const KEY: &str = "tls.key";
const ROOTS: &str = "upstream_ca";

impl TlsError {
    fn into_problem(self) -> Problem {
        match self {
            Self::Read { key, path, source } => Problem::new(key.split('.'), format!("cannot read {path}: {source}")),
            Self::Content { key, path, message } => Problem::new(key.split('.'), format!("{path}: {message}")),
        }
    }
}

impl ProxySettings {
    /// Reads the certificates and keys that are named, to tell what is wrong before anything listens.
    ///
    /// # Errors
    ///
    /// All problems at once, under `tls.certificate`, `tls.key` and `upstream_ca`.
    pub fn check_files(&self) -> Result<(), Vec<Problem>> {
        let problems = problems(self);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

/// What is wrong with each of the files that settings name.
fn problems(settings: &ProxySettings) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(files) = &settings.tls {
        let chain = read(CERTIFICATE, &files.certificate).and_then(|pem| chain(&files.certificate, &pem));
        let key = read(KEY, &files.key).and_then(|pem| key(&files.key, &pem));
        match (chain, key) {
            (Ok(chain), Ok(key)) => problems.extend(config(files, chain, key).err()),
            (chain, key) => problems.extend(chain.err().into_iter().chain(key.err())),
        }
    }
    let mut problems: Vec<_> = problems.into_iter().map(TlsError::into_problem).collect();
    // Without a file the system's certificates count, which only upstreams behind TLS need.
    if settings.upstream_ca.is_some() || settings.upstream.iter().any(|origin| origin.tls) {
        let wrong = client(settings.upstream_ca.as_deref(), settings.upstream_http2).err();
        problems.extend(wrong.map(|message| Problem::new([ROOTS], message)));
    }
    problems
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { key, path: path.display().to_string(), source })
}

fn wrong(key: &'static str, path: &Path, message: impl Into<String>) -> TlsError {
    TlsError::Content { key, path: path.display().to_string(), message: message.into() }
}

fn chain(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|e| wrong(CERTIFICATE, path, e.to_string()))?;
    if chain.is_empty() {
        return Err(wrong(CERTIFICATE, path, "holds no certificate in PEM form"));
    }
    Ok(chain)
}

fn key(path: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|e| match e {
        pem::Error::NoItemsFound => wrong(KEY, path, "holds no private key in PEM form"),
        other => wrong(KEY, path, other.to_string()),
    })
}

fn config(
    files: &CertificateFiles,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|e| match e {
            rustls::Error::InconsistentKeys(_) => {
                let message = format!("does not fit the certificate in {}", files.certificate.display());
                wrong(KEY, &files.key, message)
            }
            other => wrong(KEY, &files.key, other.to_string()),
        })?;
    config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
    if let Ok(ticketer) = ring::Ticketer::new() {
        config.ticketer = ticketer;
    }
    Ok(Arc::new(config))
}

/// What both files hold.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Pair {
    fn read(files: &CertificateFiles) -> Result<Self, TlsError> {
        Ok(Self { certificate: read(CERTIFICATE, &files.certificate)?, key: read(KEY, &files.key)? })
    }

    fn config(&self, files: &CertificateFiles) -> Result<Arc<ServerConfig>, TlsError> {
        let chain = chain(&files.certificate, &self.certificate)?;
        config(files, chain, key(&files.key, &self.key)?)
    }
}

/// The certificates in use, replaced while connections go on.
#[derive(Debug)]
pub(crate) struct Certificates {
    files: CertificateFiles,
    /// What is in use, and the last pair that was looked at.
    pairs: Mutex<(Pair, Option<Pair>)>,
    current: ArcSwap<ServerConfig>,
    now: Notify,
}

impl Certificates {
    pub(crate) fn load(files: CertificateFiles) -> Result<Self, TlsError> {
        let first = Pair::read(&files)?;
        let current = ArcSwap::new(first.config(&files)?);
        METERS.certificate_loads.increment(1);
        Ok(Self { files, pairs: Mutex::new((first, None)), current, now: Notify::new() })
    }

    /// For one handshake.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load_full())
    }

    /// Has the files looked at now rather than with the next round.
    pub(crate) fn look(&self) {
        self.now.notify_one();
    }

    /// Follows the files.
    pub(crate) async fn follow(self: Arc<Self>, stop: Stop) {
        loop {
            tokio::select! {
                () = stop.finishing() => return,
                () = tokio::time::sleep(PERIOD) => {}
                () = self.now.notified() => {}
            }
            if let Ok(pair) = Pair::read(&self.files) {
                self.take(pair);
            }
        }
    }

    /// Uses a pair that is new. One that cannot be used changes nothing; it may be half replaced and is read again.
    fn take(&self, pair: Pair) {
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        let (used, seen) = &mut *pairs;
        if pair == *used || Some(&pair) == seen.as_ref() {
            return;
        }
        match pair.config(&self.files) {
            Ok(config) => {
                self.current.store(config);
                METERS.certificate_loads.increment(1);
                tracing::info!(certificate = %self.files.certificate.display(), "certificates replaced");
                *used = pair.clone();
            }
            Err(error) => {
                METERS.certificate_failures.increment(1);
                tracing::warn!(%error, "changed certificates cannot be used; the old ones stay");
            }
        }
        *seen = Some(pair);
    }
}

/// Random bits, as good as keys need them.
pub(crate) fn random() -> io::Result<u64> {
    let mut bytes = [0; 8];
    let filled = provider().secure_random.fill(&mut bytes);
    filled.map_err(|_| io::Error::other("the system has no random bytes"))?;
    Ok(u64::from_ne_bytes(bytes))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// How upstreams behind TLS are spoken to: trusted by the certificates in `roots`, or by the system's.
pub(crate) fn client(roots: Option<&Path>, http2: bool) -> Result<ClientConfig, String> {
    let mut store = RootCertStore::empty();
    match roots {
        Some(path) => {
            let wrong = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
            let pem = fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                store.add(certificate.map_err(|e| wrong(&e))?).map_err(|e| wrong(&e))?;
            }
        }
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if store.is_empty() {
        return Err(match roots {
            Some(path) => format!("{}: holds no certificate in PEM form", path.display()),
            None => "the system has no certificates to trust; name a PEM file".to_owned(),
        });
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = vec![if http2 { HTTP2 } else { HTTP1 }.to_vec()];
    Ok(config)
}
