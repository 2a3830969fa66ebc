//! What is asked: the flag's name in the path, the context in the body.

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::evaluation::{ErrorCode, Failure};
use crate::protocols::context::EvaluationContext;
use crate::reply::BodyError;

/// The flags that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// All.
    Bulk,
    /// This one.
    Flag(String),
}

impl Question {
    /// Reads what follows `/ofrep/v1/evaluate/flags` in a path; `None` where that is the beginning of another word. The name is all that
    /// follows the slash, encoded or not: clients do not agree about slashes in names.
    #[must_use]
    pub fn of(rest: &str) -> Option<Self> {
        let name = match rest.strip_prefix('/') {
            Some(name) => name,
            None if rest.is_empty() => return Some(Self::Bulk),
            None => return None,
        };
        let name = name.strip_suffix('/').unwrap_or(name);
        if name.is_empty() {
            return Some(Self::Bulk);
        }
        Some(Self::Flag(percent_decode_str(name).decode_utf8_lossy().into_owned()))
    }

    /// The flag's name, when one flag is asked for.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Bulk => None,
            Self::Flag(name) => Some(name),
        }
    }

    /// A failure that is about this.
    pub(crate) fn failure(&self, error_code: ErrorCode, why: impl Into<String>) -> Failure<'_> {
        Failure { key: self.key(), error_code, error_details: why.into().into() }
    }
}

/// What clients send. What else there is in it is for later versions of the protocol.
#[derive(Debug, Default, Deserialize)]
struct RequestBody {
    #[serde(default)]
    context: Option<Value>,
}

/// The context in the body of a request. A body may be missing, and a context too.
///
/// # Errors
/// When the body did not come whole, is no JSON, or its context cannot be understood.
pub fn context_of<'q>(
    question: &'q Question,
    body: Result<&[u8], BodyError>,
) -> Result<EvaluationContext, Failure<'q>> {
    let said = said(question, body)?;
    let invalid = |why: String| question.failure(ErrorCode::InvalidContext, why);
    EvaluationContext::read(&said).map_err(|error| invalid(error.to_string()))
}

/// The context as it is said, whatever is in it.
pub(crate) fn said<'q>(
    question: &'q Question,
    body: Result<&[u8], BodyError>,
) -> Result<Map<String, Value>, Failure<'q>> {
    let general = |why| question.failure(ErrorCode::General, why);
    let body = body.map_err(|error| match error {
        BodyError::TooLarge => general("the body is too large"),
        BodyError::Incomplete => general("the body did not come whole"),
    })?;
    if body.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    let not_read = |why: String| question.failure(ErrorCode::ParseError, why);
    let value: Value =
        serde_json::from_slice(body).map_err(|error| not_read(format!("the body is not JSON: {error}")))?;
    let RequestBody { context } = match value {
        Value::Null => RequestBody::default(),
        Value::Object(_) => serde_json::from_value(value).map_err(|error| not_read(error.to_string()))?,
        _ => {
            return Err(not_read(
                "the body is not an object, such as {\"context\": {\"targetingKey\": \"u1\"}}".into(),
            ));
        }
    };
    match context {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(said)) => Ok(said),
        Some(_) => Err(question.failure(ErrorCode::InvalidContext, "`context` is not an object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_rest_of_the_path() {
        let flag = |name: &str| Some(Question::Flag(name.into()));
        assert_eq!(Question::of(""), Some(Question::Bulk));
        assert_eq!(Question::of("/"), Some(Question::Bulk));
        assert_eq!(Question::of("/form"), flag("form"));
        assert_eq!(Question::of("/form/"), flag("form"));
        assert_eq!(Question::of("/a%2Fb%20c"), flag("a/b c"));
        assert_eq!(Question::of("/a/b"), flag("a/b"));
        assert_eq!(Question::of("/%ff"), flag("\u{fffd}"));
        assert_eq!(Question::of("hip"), None);
    }

    #[test]
    fn bodies_may_be_missing_and_are_else_understood() {
        let read = |body: &[u8]| context_of(&Question::Bulk, Ok(body)).map_err(|failure| failure.error_code);
        for empty in ["", " \n", "null", "{}", r#"{"context":null}"#, r#"{"context":{}}"#] {
            assert_eq!(read(empty.as_bytes()), Ok(EvaluationContext::default()), "{empty}");
        }
        for broken in ["{", "[]", "7", "\u{fffd}", &"[".repeat(10_000)] {
            assert_eq!(read(broken.as_bytes()), Err(ErrorCode::ParseError), "{broken}");
        }
        for invalid in [r#"{"context":[]}"#, r#"{"context":{"targetingKey":{}}}"#] {
            assert_eq!(read(invalid.as_bytes()), Err(ErrorCode::InvalidContext), "{invalid}");
        }
        assert_eq!(read(b"\xff"), Err(ErrorCode::ParseError));
    }
}
