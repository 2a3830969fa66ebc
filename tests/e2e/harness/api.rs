//! A program of an operator, which asks the JSON API of the running program.

use serde_json::Value;

use super::program::Program;
use super::raw::{Answer, Raw};

/// The token of operators in these tests.
pub(crate) const TOKEN: &str = "token-of-the-operators-0123456789";

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The revision that it names, with its quotes.
    #[track_caller]
    pub(crate) fn etag(&self) -> String {
        self.field("etag").unwrap_or_else(|| panic!("no ETag: {self:?}"))
    }
}

impl Program {
    /// A request to the operators' address with the token. `head` has further fields, each with its line end.
    #[track_caller]
    pub(crate) fn api(&self, request: &str, head: &str, body: &str) -> Answer {
        self.api_as(TOKEN, request, head, body)
    }

    /// The same with another token.
    #[track_caller]
    pub(crate) fn api_as(&self, token: &str, request: &str, head: &str, body: &str) -> Answer {
        let mut raw = Raw::connect(self.admin);
        let json = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let json = if head.contains("Content-Type") { "" } else { json };
        raw.send(format!(
            "{request} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{json}{head}Content-Length: {}\r\n\r\n{body}",
            self.admin,
            body.len()
        ));
        raw.answer()
    }

    /// What a GET answers.
    #[track_caller]
    pub(crate) fn api_get(&self, path: &str) -> Value {
        let answer = self.api(&format!("GET {path}"), "", "");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }
}
