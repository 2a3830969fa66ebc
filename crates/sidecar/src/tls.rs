//! TLS: certificates from files, read again when they change; and what upstreams are trusted by.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::meters::METERS;
use crate::process::drain::Stop;
use crate::settings::CertificateFiles;

const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";
/// How often the files are read. They are small, and reading sees every kind of replacement, symlinks too.
const PERIOD: Duration = Duration::from_secs(1);

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("tls: cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("tls: {path}: {message}")]
    Content {
        /// The file.
        path: String,
        /// What is wrong with it.
        message: String,
    },
}

/// What both files hold.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Pair {
    fn read(files: &CertificateFiles) -> Result<Self, TlsError> {
        let read = |path: &Path| {
            fs::read(path).map_err(|source| TlsError::Read { path: path.display().to_string(), source })
        };
        Ok(Self { certificate: read(&files.certificate)?, key: read(&files.key)? })
    }

    fn config(&self, files: &CertificateFiles) -> Result<Arc<ServerConfig>, TlsError> {
        let wrong = |path: &Path, message: String| TlsError::Content { path: path.display().to_string(), message };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .map_err(|e| wrong(&files.certificate, e.to_string()))?;
        if chain.is_empty() {
            return Err(wrong(&files.certificate, "holds no certificate in PEM form".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|e| wrong(&files.key, e.to_string()))?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|e| wrong(&files.key, e.to_string()))?;
        config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
        if let Ok(ticketer) = ring::Ticketer::new() {
            config.ticketer = ticketer;
        }
        Ok(Arc::new(config))
    }
}

/// The certificates in use, replaced while connections go on.
#[derive(Debug)]
pub(crate) struct Certificates {
    files: CertificateFiles,
    first: Pair,
    current: ArcSwap<ServerConfig>,
}

impl Certificates {
    pub(crate) fn load(files: CertificateFiles) -> Result<Self, TlsError> {
        let first = Pair::read(&files)?;
        let current = ArcSwap::new(first.config(&files)?);
        METERS.certificate_loads.increment(1);
        Ok(Self { files, first, current })
    }

    /// For one handshake.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load_full())
    }

    /// Follows the files. A pair that cannot be used changes nothing; it may be half replaced and is read again.
    pub(crate) async fn follow(&self, mut stop: Stop) {
        let (mut used, mut seen) = (self.first.clone(), None);
        loop {
            tokio::select! {
                () = stop.finishing() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
            let Ok(pair) = Pair::read(&self.files) else {
                continue;
            };
            if pair == used || Some(&pair) == seen.as_ref() {
                continue;
            }
            match pair.config(&self.files) {
                Ok(config) => {
                    self.current.store(config);
                    METERS.certificate_loads.increment(1);
                    tracing::info!(certificate = %self.files.certificate.display(), "certificates replaced");
                    used = pair.clone();
                }
                Err(error) => {
                    METERS.certificate_failures.increment(1);
                    tracing::warn!(%error, "changed certificates cannot be used; the old ones stay");
                }
            }
            seen = Some(pair);
        }
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
            let pem = fs::read(path).map_err(|e| wrong(&e))?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                store.add(certificate.map_err(|e| wrong(&e))?).map_err(|e| wrong(&e))?;
            }
        }
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if store.is_empty() {
        return Err("no certificate to trust; name a PEM file".to_owned());
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = vec![if http2 { HTTP2 } else { HTTP1 }.to_vec()];
    Ok(config)
}
