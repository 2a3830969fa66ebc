//! Sending messages, and reading what receivers answer.

use std::io::Read as _;
use std::time::Duration;

use flagstaff_outbound::Timeouts;
use jiff::Timestamp;

use crate::hook::Hook;
use crate::message::Message;
use crate::signature::signature;

/// How long it may take to connect to a receiver.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long sending a message may take in all.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read.
const ANSWER_BYTES: u64 = 512;

/// What came of sending a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiverAnswer {
    /// The receiver has it.
    Taken {
        /// What it answered.
        status: u16,
    },
    /// The receiver does not want it, however often it is sent.
    Refused {
        /// What it answered, in words.
        why: String,
    },
    /// It may be taken another time.
    Failed {
        /// What happened, in words.
        why: String,
        /// How long the receiver asked to wait.
        asked: Option<Duration>,
    },
}

/// Sends messages, one at a time. Follows no redirect, keeps no connection and no cookie. Blocks for 10 seconds at most.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    hook: Hook,
}

impl Client {
    /// A client for a hook. It trusts the system's certificates (`SSL_CERT_FILE` names others) and uses the proxy of the
    /// environment (`HTTPS_PROXY`, `NO_PROXY`).
    #[must_use]
    pub fn new(hook: Hook) -> Self {
        let timeouts = Timeouts { connect: CONNECT_TIMEOUT, total: TOTAL_TIMEOUT };
        let config =
            flagstaff_outbound::config(hook.is_encrypted(), timeouts).max_idle_connections(0).accept("").build();
        Self { agent: config.new_agent(), hook }
    }

    /// Where it sends to.
    #[must_use]
    pub const fn hook(&self) -> &Hook {
        &self.hook
    }

    /// Sends a message, signed now.
    #[must_use]
    pub fn send(&self, message: &Message, now: Timestamp) -> ReceiverAnswer {
        let hook = &self.hook;
        let request = self
            .agent
            .post(hook.uri())
            .header("Content-Type", "application/json")
            .header("X-Flagstaff-Event", message.event().as_str())
            .header("X-Flagstaff-Delivery", message.id());
        let request = match hook.secret() {
            Some(secret) => {
                request.header("X-Flagstaff-Signature", signature(secret.as_bytes(), now, message.body().as_bytes()))
            }
            None => request,
        };
        match request.send(message.body()) {
            Ok(response) => judged(response, now),
            Err(error) => ReceiverAnswer::Failed { why: in_words(&error, hook), asked: None },
        }
    }
}

fn judged(mut response: http::Response<ureq::Body>, now: Timestamp) -> ReceiverAnswer {
    let status = response.status();
    if status.is_success() {
        return ReceiverAnswer::Taken { status: status.as_u16() };
    }
    let asked = response.headers().get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let asked = asked.and_then(|text| retry_after(text.trim(), now));
    let why = match response.headers().get(http::header::LOCATION).filter(|_| status.is_redirection()) {
        Some(_) => format!("it answered {status}; redirects are not followed, so write the address it leads to"),
        None => match beginning(&mut response) {
            said if said.is_empty() => format!("it answered {status}"),
            said => format!("it answered {status}: {said}"),
        },
    };
    let may_change = !status.is_client_error() || matches!(status.as_u16(), 408 | 425 | 429);
    if may_change { ReceiverAnswer::Failed { why, asked } } else { ReceiverAnswer::Refused { why } }
}

/// Seconds, or a date.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// What an answer says, as far as it fits a line.
fn beginning(response: &mut http::Response<ureq::Body>) -> String {
    let mut bytes = Vec::new();
    let _ = response.body_mut().as_reader().take(ANSWER_BYTES).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let line: Vec<_> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    line.join(" ")
}

/// An error without the address it may name.
fn in_words(error: &ureq::Error, hook: &Hook) -> String {
    let text = match error {
        ureq::Error::Timeout(_) => "it did not answer in time".into(),
        ureq::Error::HostNotFound => "its host is not known".into(),
        ureq::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    };
    let authority = hook.uri().authority().map_or("", http::uri::Authority::as_str);
    let path = hook.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let text = if authority.contains('@') { text.replace(authority, hook.host()) } else { text };
    if path.len() > 1 { text.replace(path, "/…") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_tells_a_secret_address() {
        let url = "https://me:s3cret@example.org/s3cret?s3cret";
        let hook = Hook::new(&crate::HookSettings { url: url.into(), ..crate::HookSettings::default() }).unwrap();
        let words = in_words(&ureq::Error::BadUri(url.into()), &hook);
        assert_eq!(words, "bad uri: https://example.org/…");
    }

    #[test]
    fn a_wait_is_asked_for_in_seconds_or_by_a_date() {
        let now = "1994-11-06T08:49:07Z".parse().unwrap();
        let seconds = |text| retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(30));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        assert_eq!((seconds("soon"), seconds("-1")), (None, None));
    }
}
