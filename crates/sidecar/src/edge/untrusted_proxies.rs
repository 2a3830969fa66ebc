//! Addresses that forward for others without being trusted to.
//!
//! Behind a proxy that `[trust]` does not name, every visitor has the proxy's address: rules by address, and decisions before consent, go
//! wrong without any other sign.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use http::header::{self, HeaderMap, HeaderName};

/// Headers by which proxies say whom they forward for.
const FORWARDING_FIELDS: [HeaderName; 3] =
    [HeaderName::from_static("x-forwarded-for"), HeaderName::from_static("x-real-ip"), header::FORWARDED];
/// Addresses that are reported at most. Anybody can send the header, so the log must not grow with them.
const MAX_REPORTED: usize = 8;

/// Addresses that were reported, each once.
#[derive(Debug, Default)]
pub(crate) struct UntrustedProxies {
    reported: Mutex<HashSet<IpAddr>>,
    count: AtomicUsize,
}

impl UntrustedProxies {
    /// Warns once of an address that is not trusted and says whom it forwards for.
    pub(crate) fn notice(&self, headers: &HeaderMap, address: IpAddr) {
        let Some(name) = FORWARDING_FIELDS.into_iter().find(|name| headers.contains_key(name)) else {
            return;
        };
        if self.is_first(address) {
            let address = address.to_canonical();
            let name = written(&name);
            tracing::warn!(
                "{address} sends {name}, and [trust] does not name it: it is ignored, and all who come through {address} \
                 count as one address. If this is your own proxy, add \"{address}\" to trust.addresses"
            );
        }
    }

    fn is_first(&self, address: IpAddr) -> bool {
        // Once enough are reported, requests take no lock.
        if self.count.load(Relaxed) >= MAX_REPORTED {
            return false;
        }
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = reported.len() < MAX_REPORTED && reported.insert(address);
        self.count.store(reported.len(), Relaxed);
        is_first
    }
}

/// A header as people write it.
fn written(name: &HeaderName) -> &'static str {
    match name.as_str() {
        "x-forwarded-for" => "X-Forwarded-For",
        "x-real-ip" => "X-Real-IP",
        _ => "Forwarded",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_told_of_once_and_only_a_few() {
        let untrusted = UntrustedProxies::default();
        for n in 0..MAX_REPORTED {
            let address = IpAddr::from([192, 0, 2, u8::try_from(n).unwrap()]);
            assert!(untrusted.is_first(address));
            assert!(!untrusted.is_first(address));
        }
        assert!(!untrusted.is_first(IpAddr::from([192, 0, 2, 200])));
    }
}
