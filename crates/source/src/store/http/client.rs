//! Fetching, and only what changed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use flagstaff_flags::without_userinfo;
use flagstaff_outbound::Timeouts;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use ureq::Body;

use super::address::WebAddress;
use crate::decode::text::LARGEST;

/// How long it may take to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long fetching a file may take in all.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(5);
/// Redirections that are followed.
const MAX_REDIRECTS: u32 = 3;
/// The longest validator that is kept.
const MAX_VALIDATOR: usize = 1024;
/// Files at most that are kept: definitions and overlays.
const MAX_KEPT: usize = 16;

/// What was fetched last from an address.
#[derive(Clone, Debug, Default)]
struct Kept {
    etag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
    bytes: Vec<u8>,
}

/// Fetches files, and keeps them with what tells whether they changed.
#[derive(Debug)]
pub(super) struct Client {
    agent: ureq::Agent,
    kept: Mutex<HashMap<String, Kept>>,
}

impl Client {
    /// A client. It trusts the system's certificates (`SSL_CERT_FILE` names others) and uses the proxy of the environment.
    pub(super) fn new(is_encrypted: bool) -> Self {
        let timeouts = Timeouts { connect: CONNECT_TIMEOUT, total: TOTAL_TIMEOUT };
        let config = flagstaff_outbound::config(is_encrypted, timeouts).max_redirects(MAX_REDIRECTS).build();
        Self { agent: config.new_agent(), kept: Mutex::default() }
    }

    /// A file's bytes; none where there is no such file. It blocks for [`TOTAL_TIMEOUT`] at most.
    ///
    /// # Errors
    /// Why it cannot be fetched, in words without secrets.
    pub(super) fn fetch(&self, address: &WebAddress) -> Result<Option<Vec<u8>>, String> {
        let url = address.url();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&url).cloned();
        let mut request = self.agent.get(&url);
        if let Some(login) = address.login.as_deref().and_then(basic) {
            request = request.header(header::AUTHORIZATION, login);
        }
        let kept = kept.unwrap_or_default();
        if let Some(etag) = &kept.etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        } else if let Some(modified) = &kept.modified {
            request = request.header(header::IF_MODIFIED_SINCE, modified);
        }
        let response = request.call().map_err(|error| in_words(&error))?;
        match response.status() {
            StatusCode::NOT_MODIFIED if kept.etag.is_some() || kept.modified.is_some() => Ok(Some(kept.bytes)),
            StatusCode::OK => self.take(url, response).map(Some),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            status => Err(refused(status)),
        }
    }

    /// Reads an answer to its end, and keeps it.
    fn take(&self, url: String, response: Response<Body>) -> Result<Vec<u8>, String> {
        let of = |name| validator(response.headers(), name);
        let (etag, modified) = (of(header::ETAG), of(header::LAST_MODIFIED));
        // one more than is taken, so that what is too long is told from what is not
        let most = u64::try_from(LARGEST).unwrap_or(u64::MAX).saturating_add(1);
        let bytes = response.into_body().into_with_config().limit(most).read_to_vec();
        let bytes = bytes.map_err(|error| in_words(&error))?;
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_KEPT && !all.contains_key(&url) {
            all.clear();
        }
        all.insert(url, Kept { etag, modified, bytes: bytes.clone() });
        Ok(bytes)
    }
}

fn validator(headers: &HeaderMap, name: header::HeaderName) -> Option<HeaderValue> {
    headers.get(name).filter(|value| value.len() <= MAX_VALIDATOR).cloned()
}

/// `user:password` as a header says it.
fn basic(login: &str) -> Option<HeaderValue> {
    let decoded: Vec<u8> = percent_decode_str(login).collect();
    let encoded = base64::engine::general_purpose::STANDARD.encode(decoded);
    let mut value = HeaderValue::from_str(&format!("Basic {encoded}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn refused(status: StatusCode) -> String {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            format!(
                "it answers {status}: may this program read it? Object storage says so too of a file that is not there"
            )
        }
        status => format!("it answers {status}"),
    }
}

/// An error without the address it may name.
fn in_words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("it does not answer within {} seconds", TOTAL_TIMEOUT.as_secs()),
        ureq::Error::HostNotFound => "its host is not known".into(),
        ureq::Error::BodyExceedsLimit(_) => format!("it has more than {LARGEST} bytes"),
        ureq::Error::BadUri(_) => "it leads to an address that cannot be used".into(),
        ureq::Error::RequireHttpsOnly(_) => "it leads from https:// to http://, which is not followed".into(),
        ureq::Error::Io(error) => error.to_string(),
        other => without_userinfo(&other.to_string()).into_owned(),
    }
}
