//! What a page says once after a change, and how to undo it. A cookie carries it over the redirect.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use form_urlencoded::Serializer;

const COOKIE_NAME: &str = "flagstaff_said";
/// A longer one is not said at all: browsers keep cookies of 4096 bytes.
const MAX_BYTES: usize = 3500;

/// What is said once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// What happened, in a sentence.
    pub(super) text: String,
    /// The flag it was about.
    pub(super) flag: String,
    /// Keys and the values that they had before; none where there is no way back by keys.
    pub(super) keys: Vec<(String, String)>,
}

impl Said {
    pub(super) fn new(text: impl Into<String>, flag: impl Into<String>) -> Self {
        Self { text: text.into(), flag: flag.into(), keys: Vec::new() }
    }

    /// Has the next page say it.
    pub(super) fn send(&self, answer: &mut Response) {
        let mut form = Serializer::new(String::new());
        form.append_pair("text", &self.text).append_pair("flag", &self.flag);
        for (key, value) in &self.keys {
            form.append_pair("key", key).append_pair("value", value);
        }
        let value = form.finish();
        if value.len() <= MAX_BYTES {
            set(answer, &value, 60);
        }
    }

    /// What a request is to say.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == COOKIE_NAME)?;
        let (mut said, mut key) = (Self::default(), None);
        for (name, value) in form_urlencoded::parse(value.as_bytes()) {
            match &*name {
                "text" => said.text = value.into_owned(),
                "flag" => said.flag = value.into_owned(),
                "key" => key = Some(value.into_owned()),
                "value" => said.keys.extend(key.take().map(|key| (key, value.into_owned()))),
                _ => {}
            }
        }
        let is_name = said.flag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (!said.text.is_empty() && is_name).then_some(said)
    }

    /// It was said.
    pub(super) fn clear(answer: &mut Response) {
        set(answer, "", 0);
    }
}

fn set(answer: &mut Response, value: &str, seconds: u32) {
    let cookie = format!("{COOKIE_NAME}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    #[test]
    fn what_is_said_survives_the_way_through_a_cookie() {
        let said = Said {
            text: "new_form is now on for 20 % of visitors; \"ä\"".into(),
            flag: "new_form".into(),
            keys: vec![("percent".into(), "50".into()), ("owner".into(), "\"a; b=c\"".into())],
        };
        let mut answer = ().into_response();
        said.send(&mut answer);
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
        assert!(cookie.contains("SameSite=Strict") && cookie.contains("HttpOnly"), "{cookie}");
        let mut headers = HeaderMap::new();
        let sent = format!("other=1; {}", cookie.split(';').next().unwrap());
        headers.insert(COOKIE, HeaderValue::try_from(sent).unwrap());
        assert_eq!(Said::of(&headers), Some(said));
    }

    #[test]
    fn a_cookie_of_somebody_else_leads_nowhere() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("flagstaff_said=text=a&flag=..%2Fother"));
        assert_eq!(Said::of(&headers), None);
    }
}
