//! Addresses that forward for others without being trusted to.
//!
//! Behind a proxy that `[trust]` does not name, every visitor has the proxy's address: rules by address, and decisions before consent, go
//! wrong without any other sign.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use http::header::{self, HeaderMap, HeaderName};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Addresses that are told of. Anybody can send the header, so the log must not grow with them.
const TOLD: usize = 8;

/// Addresses that were told of, each once.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    told: Mutex<HashSet<IpAddr>>,
    count: AtomicUsize,
}

impl Strangers {
    /// Tells once of an address that is not trusted and says whom it forwards for.
    pub(crate) fn notice(&self, headers: &HeaderMap, address: IpAddr) {
        let forwards = headers.contains_key(FOR) || headers.contains_key(header::FORWARDED);
        if forwards && self.is_news(address) {
            let address = address.to_canonical();
            tracing::warn!(
                "{address} sends X-Forwarded-For, and [trust] does not name it: it is ignored, and all who come through {address} \
                 count as one address. If this is your own proxy, add \"{address}\" to trust.addresses"
            );
        }
    }

    fn is_news(&self, address: IpAddr) -> bool {
        // Once enough are told of, requests take no lock.
        if self.count.load(Relaxed) >= TOLD {
            return false;
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = told.len() < TOLD && told.insert(address);
        self.count.store(told.len(), Relaxed);
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_told_of_once_and_only_a_few() {
        let strangers = Strangers::default();
        for n in 0..TOLD {
            let address = IpAddr::from([192, 0, 2, u8::try_from(n).unwrap()]);
            assert!(strangers.is_news(address));
            assert!(!strangers.is_news(address));
        }
        assert!(!strangers.is_news(IpAddr::from([192, 0, 2, 200])));
    }
}
