//! Loop detection: a request that has been here before, and came back through other proxies.

use std::io;

use http::header::{HeaderMap, HeaderValue};

use crate::head::hop_by_hop::CDN_LOOP;
use crate::head::list::{extend, has_token};
use crate::head::scan::HeaderScan;
use crate::refusal::Refusal;
use crate::tls;

/// The mark that this proxy leaves in every request that passes. No two proxies leave the same one, so several may stand in a row.
#[derive(Debug)]
pub(crate) struct LoopDetector {
    name: String,
    value: HeaderValue,
}

impl LoopDetector {
    /// A mark of its own.
    ///
    /// # Errors
    ///
    /// When the system has no random bytes.
    pub(crate) fn new() -> io::Result<Self> {
        let name = format!("flagstaff-{:016x}", tls::random()?);
        let value = HeaderValue::from_str(&name).map_err(io::Error::other)?;
        Ok(Self { name, value })
    }

    /// Leaves the mark behind those of others.
    pub(crate) fn mark(&self, headers: &mut HeaderMap, scan: HeaderScan) -> Result<(), Refusal> {
        if !scan.has(HeaderScan::LOOP) {
            headers.insert(CDN_LOOP, self.value.clone());
        } else if has_token(headers, &CDN_LOOP, &self.name) {
            return Err(Refusal::Loop);
        } else {
            extend(headers, CDN_LOOP, self.value.as_bytes());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(detector: &LoopDetector, headers: &mut HeaderMap) -> Result<(), Refusal> {
        let scan = HeaderScan::of(headers);
        detector.mark(headers, scan)
    }

    #[test]
    fn a_second_visit_is_told_and_a_row_of_proxies_is_not() {
        let (first, second) = (LoopDetector::new().unwrap(), LoopDetector::new().unwrap());
        let mut headers = HeaderMap::new();
        headers.append(CDN_LOOP, HeaderValue::from_static("a.example; v=1"));
        headers.append(CDN_LOOP, HeaderValue::from_static("b.example"));
        mark(&first, &mut headers).unwrap();
        mark(&second, &mut headers).unwrap();
        let all: Vec<_> = headers.get_all(CDN_LOOP).iter().collect();
        let wanted = format!("a.example; v=1, b.example, {}, {}", first.name, second.name);
        assert_eq!(all, [wanted.as_str()]);
        assert_eq!(mark(&first, &mut headers), Err(Refusal::Loop));
        assert_eq!(mark(&second, &mut headers), Err(Refusal::Loop));
    }
}
