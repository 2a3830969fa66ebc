#![doc = include_str!("../README.md")]

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::typestate::AgentScope;

/// Bytes of the head of an answer.
const HEAD_BYTES: usize = 32 * 1024;

/// How long a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Until it is connected.
    pub connect: Duration,
    /// In all.
    pub total: Duration,
}

/// What every agent has in common. One that is encrypted stays so where it follows redirects. Statuses are no errors.
#[must_use]
pub fn config(is_encrypted: bool, timeouts: Timeouts) -> ConfigBuilder<AgentScope> {
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(if is_encrypted { roots() } else { RootCerts::new_with_certs(&[]) })
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .https_only(is_encrypted)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_response_header_size(HEAD_BYTES)
        .timeout_connect(Some(timeouts.connect))
        .timeout_global(Some(timeouts.total))
        .user_agent(concat!("flagstaff/", env!("CARGO_PKG_VERSION")))
}

fn roots() -> RootCerts {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let why = found.errors.first().map(ToString::to_string).unwrap_or_default();
        tracing::warn!(why, "the system has no certificates to trust; requests to https:// will fail");
    }
    let certificates: Vec<_> = found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    RootCerts::new_with_certs(&certificates)
}
