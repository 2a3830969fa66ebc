//! What a page says once after a change, and how to undo it. The browser carries it over the redirect.

use axum::http::request::Parts;
use axum::response::Response;
use form_urlencoded::Serializer;

use crate::access::{Carried, MAX_CARRIED_BYTES};

/// What stands before the way back.
pub(super) const UNDO: &str = ". Undo: ";

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

    /// Has the next page say it: what happened, where there is no room for the way back too.
    pub(super) fn send(&self, answer: &mut Response) {
        let form = Some(self.form(&self.text, &self.keys)).filter(|form| form.len() <= MAX_CARRIED_BYTES);
        let form = form.unwrap_or_else(|| {
            let words = self.text.split_once(UNDO).map_or(&*self.text, |(words, _)| words);
            self.form(&format!("{words}. What was there before is too long to be put back from here."), &[])
        });
        answer.extensions_mut().insert(Carried(Some(form)));
    }

    fn form(&self, text: &str, keys: &[(String, String)]) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("text", text).append_pair("flag", &self.flag);
        for (key, value) in keys {
            form.append_pair("key", key).append_pair("value", value);
        }
        form.finish()
    }

    /// What a request is to say.
    pub(super) fn of(parts: &Parts) -> Option<Self> {
        let carried = parts.extensions.get::<Carried>()?.0.as_deref()?;
        let (mut said, mut key) = (Self::default(), None);
        for (name, value) in form_urlencoded::parse(carried.as_bytes()) {
            match &*name {
                "text" => said.text = value.into_owned(),
                "flag" => said.flag = value.into_owned(),
                "key" => key = Some(value.into_owned()),
                "value" => said.keys.extend(key.take().map(|key| (key, value.into_owned()))),
                _ => {}
            }
        }
        Some(said)
    }

    /// It was said.
    pub(super) fn clear(answer: &mut Response) {
        answer.extensions_mut().insert(Carried(None));
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use axum::response::IntoResponse as _;

    use super::*;

    #[test]
    fn what_is_said_is_carried_to_the_next_page() {
        let said = Said {
            text: "new_form is now on for 20 % of visitors; \"ä\"".into(),
            flag: "new_form".into(),
            keys: vec![("percent".into(), "50".into()), ("owner".into(), "\"a; b=c\"".into())],
        };
        let mut answer = ().into_response();
        said.send(&mut answer);
        let carried = answer.extensions_mut().remove::<Carried>().unwrap();
        let (mut parts, ()) = Request::new(()).into_parts();
        assert_eq!(Said::of(&parts), None);
        parts.extensions.insert(carried);
        assert_eq!(Said::of(&parts), Some(said));
    }
}
