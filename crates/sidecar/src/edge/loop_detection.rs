//! Telling a request that has been here before: it came back through other proxies.

use std::io;

use http::header::{HeaderMap, HeaderValue};

use crate::head::hop_by_hop::CDN_LOOP;
use crate::head::list::{extend, has_token};
use crate::head::scan::Survey;
use crate::refusal::Refusal;
use crate::tls;

/// What this proxy leaves in every request that passes. No two proxies leave the same, so they may stand in a row.
#[derive(Debug)]
pub(crate) struct Mark {
    name: String,
    value: HeaderValue,
}

impl Mark {
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
    pub(crate) fn leave(&self, headers: &mut HeaderMap, survey: Survey) -> Result<(), Refusal> {
        if !survey.has(Survey::RING) {
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

    fn leave(mark: &Mark, headers: &mut HeaderMap) -> Result<(), Refusal> {
        let survey = Survey::of(headers);
        mark.leave(headers, survey)
    }

    #[test]
    fn a_second_visit_is_told_and_a_row_of_proxies_is_not() {
        let (first, second) = (Mark::new().unwrap(), Mark::new().unwrap());
        let mut headers = HeaderMap::new();
        headers.append(CDN_LOOP, HeaderValue::from_static("a.example; v=1"));
        headers.append(CDN_LOOP, HeaderValue::from_static("b.example"));
        leave(&first, &mut headers).unwrap();
        leave(&second, &mut headers).unwrap();
        let all: Vec<_> = headers.get_all(CDN_LOOP).iter().collect();
        let wanted = format!("a.example; v=1, b.example, {}, {}", first.name, second.name);
        assert_eq!(all, [wanted.as_str()]);
        assert_eq!(leave(&first, &mut headers), Err(Refusal::Loop));
        assert_eq!(leave(&second, &mut headers), Err(Refusal::Loop));
    }
}
