//! The answer to one flag. Every decision becomes an answer here, and nowhere else.

use std::borrow::Cow;

use flagstaff_flags::{BucketBy, Decision, Flag, VariantId};
use serde::Serialize;
use serde_json::{Map, Value};

/// What a flag is for a subject. Key, value, reason and variant are always there: clients take an answer without one of them for an
/// error.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation<'a> {
    /// The flag's name.
    pub key: &'a str,
    /// The variant's value, never null.
    pub value: Value,
    /// Why, in the words of OpenFeature.
    pub reason: &'static str,
    /// The variant's name.
    pub variant: &'a str,
    /// What is written beside the flag: truth values, texts and numbers.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

/// Why a flag or all of them cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure<'a> {
    /// The flag that was asked for; none where all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<&'a str>,
    /// The kind.
    pub error_code: ErrorCode,
    /// What is wrong, and what to write.
    pub error_details: Cow<'a, str>,
}

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// The body is not JSON.
    ParseError,
    /// A flag is drawn, and the context does not say by what.
    TargetingKeyMissing,
    /// The context says something in a way that cannot be understood.
    InvalidContext,
    /// There is no such flag.
    FlagNotFound,
    /// Anything else.
    General,
}

/// The answer to one flag.
///
/// # Errors
/// When the flag is drawn by visitor or session, and neither is known. A flag that is drawn by something that only some subjects have,
/// such as a login, is off without it.
pub fn evaluation(flag: &Flag, decision: Decision) -> Result<Evaluation<'_>, Failure<'_>> {
    let key = flag.name.as_str();
    if decision.is_unit_missing() && matches!(flag.bucket_by, BucketBy::Visitor | BucketBy::Session) {
        let error_details = "this flag is drawn: write `targetingKey` into the context, the id it is drawn by";
        let error_code = ErrorCode::TargetingKeyMissing;
        return Err(Failure { key: Some(key), error_code, error_details: error_details.into() });
    }
    Ok(Evaluation {
        key,
        value: value(flag, decision.variant()),
        reason: decision.reason().as_str(),
        variant: flag.variants.name(decision.variant()),
        metadata: metadata(flag),
    })
}

/// A flag with one value that is no whole number has only such: typed clients refuse `1` where they wait for `1.0`.
fn value(flag: &Flag, variant: VariantId) -> Value {
    let value = flag.value(variant);
    let has_fractions = flag.values.iter().any(|(_, value)| value.is_f64());
    match value.as_f64() {
        Some(number) if has_fractions => Value::from(number),
        _ => value,
    }
}

fn metadata(flag: &Flag) -> Map<String, Value> {
    let simple = |value: &Value| value.is_boolean() || value.is_string() || value.is_number();
    let all = flag.metadata.iter().filter(|(_, value)| simple(value));
    all.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use flagstaff_flags::{Name, Percent, Snapshot, Subject, Variants};
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn answer(flag: Flag, visitor: Option<&str>) -> Value {
        let snapshot = Arc::new(Snapshot::new("r", vec![flag], vec![], vec![], vec![]).unwrap());
        let subject = Subject { visitor, ..Subject::at(Timestamp::UNIX_EPOCH) };
        let decisions = snapshot.decide(&subject);
        let (_, flag, decision) = decisions.iter().next().unwrap();
        match evaluation(flag, decision) {
            Ok(evaluation) => serde_json::to_value(evaluation).unwrap(),
            Err(failure) => serde_json::to_value(failure).unwrap(),
        }
    }

    fn flag() -> Flag {
        Flag::new(Name::new("f").unwrap())
    }

    fn valued(values: [Value; 2]) -> Flag {
        let [off, on] = values;
        Flag { values: vec![(VariantId::OFF, off), (VariantId::ON, on)], ..flag() }
    }

    #[test]
    fn every_answer_is_whole() {
        let on = json!({"key": "f", "value": true, "reason": "STATIC", "variant": "on"});
        assert_eq!(answer(flag(), None), on, "a flag for everybody asks for nothing");
        let off = Flag { enabled: false, ..flag() };
        let disabled = json!({"key": "f", "value": false, "reason": "DISABLED", "variant": "off"});
        assert_eq!(answer(off, Some("v")), disabled);
        let variants = Variants::weighted([("blue", 100.0)]).unwrap();
        let named = json!({"key": "f", "value": "blue", "reason": "SPLIT", "variant": "blue"});
        assert_eq!(answer(Flag { variants, ..flag() }, Some("v")), named);
    }

    #[test]
    fn numbers_keep_their_kind() {
        let text = |flag| answer(flag, Some("v"))["value"].to_string();
        assert_eq!(text(valued([json!(0), json!(5)])), "5");
        assert_eq!(text(valued([json!(0.5), json!(1.0)])), "1.0");
        assert_eq!(text(Flag { enabled: false, ..valued([json!(1), json!(2.5)]) }), "1.0");
        assert_eq!(text(valued([json!({}), json!({"n": 1})])), r#"{"n":1}"#);
    }

    #[test]
    fn only_a_draw_asks_for_a_key() {
        let half = || Flag { percent: Some(Percent::new(50.0).unwrap()), ..flag() };
        let missing = answer(half(), None);
        assert_eq!((&missing["key"], &missing["errorCode"]), (&json!("f"), &json!("TARGETING_KEY_MISSING")));
        assert!(missing["errorDetails"].as_str().unwrap().contains("targetingKey"));
        assert_eq!(answer(half(), Some("v"))["reason"], "SPLIT");
        let by_user = Flag { bucket_by: BucketBy::User, ..half() };
        assert_eq!(answer(by_user, Some("v"))["variant"], "off", "as in front of an app nobody is logged in to");
    }

    #[test]
    fn metadata_is_simple() {
        let said = json!({"team": "pay", "size": 3, "old": false, "list": [1], "deep": {"a": 1}});
        let flag = Flag { metadata: said.as_object().unwrap().clone(), ..flag() };
        assert_eq!(answer(flag, None)["metadata"], json!({"team": "pay", "size": 3, "old": false}));
    }
}
