//! The answer: the flags that browsers may see, as Unleash's clients read them.

use bytes::Bytes;
use flagstaff_flags::{Decision, Decisions, Flag, VariantId};
use http::{HeaderMap, Method, Response, StatusCode};
use serde::Serialize;
use serde_json::Value;

use super::route::{Route, Which};
use crate::reply::{self, BodyError};

#[derive(Debug, Serialize)]
struct Toggles<'a> {
    toggles: Vec<Toggle<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Toggle<'a> {
    name: &'a str,
    enabled: bool,
    variant: Variant<'a>,
    impression_data: bool,
}

#[derive(Debug, Serialize)]
struct Variant<'a> {
    name: &'a str,
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload>,
    feature_enabled: bool,
}

#[derive(Debug, Serialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: &'static str,
    value: String,
}

/// A refusal, in words.
#[derive(Debug, Serialize)]
struct Refusal<'a> {
    message: &'a str,
}

/// The flags with `client = true`, as decided, with a tag.
#[must_use]
pub fn toggles(decisions: &Decisions, which: Which, asked: &HeaderMap) -> Response<Bytes> {
    let seen = decisions.iter().filter(|(_, flag, _)| flag.client);
    let toggles = seen.map(|(_, flag, decision)| toggle(flag, decision));
    let toggles = toggles.filter(|toggle| which == Which::All || toggle.enabled).collect();
    let body = reply::to_json(&Toggles { toggles });
    let tag = reply::tag_of(&body);
    reply::tagged("application/json", body, &tag, asked)
}

fn toggle(flag: &Flag, decision: Decision) -> Toggle<'_> {
    let id = decision.variant();
    let enabled = id != VariantId::OFF;
    let payload = flag.values.iter().find(|(of, _)| *of == id).map(|(_, value)| payload(value));
    // A flag of off and on has no variants in Unleash, unless its `on` has a value.
    let has_variant = enabled && (flag.variants.are_named() || payload.is_some());
    let variant = if has_variant {
        Variant { name: flag.variants.name(id), enabled: true, payload, feature_enabled: true }
    } else {
        Variant { name: "disabled", enabled: false, payload: None, feature_enabled: enabled }
    };
    Toggle { name: flag.name.as_str(), enabled, variant, impression_data: false }
}

fn payload(value: &Value) -> Payload {
    let (kind, value) = match value {
        Value::String(text) => ("string", text.clone()),
        Value::Number(number) => ("number", number.to_string()),
        Value::Bool(truth) => ("string", truth.to_string()),
        other => ("json", other.to_string()),
    };
    Payload { kind, value }
}

/// What a client reported is taken. Answers are counted where they are given, so nothing is done with it.
#[must_use]
pub fn accepted() -> Response<Bytes> {
    let mut answer = reply::plain(StatusCode::ACCEPTED, "");
    answer.headers_mut().remove(http::header::CONTENT_TYPE);
    answer
}

/// The refusal of a request, with what is wrong.
#[must_use]
pub fn refused(status: StatusCode, message: &str) -> Response<Bytes> {
    reply::json(status, &Refusal { message })
}

/// The refusal of a body that was not read.
#[must_use]
pub fn not_read(why: BodyError) -> Response<Bytes> {
    match why {
        BodyError::TooLarge => refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
        BodyError::Incomplete => refused(StatusCode::BAD_REQUEST, "the body did not come whole"),
    }
}

/// The refusal of a request with a method that means nothing here.
#[must_use]
pub fn wrong_method(route: Route, method: &Method) -> Option<Response<Bytes>> {
    let (fits, allowed) = match route {
        Route::Toggles(_) => (matches!(*method, Method::GET | Method::POST), "GET, POST"),
        Route::Report => (*method == Method::POST, "POST"),
    };
    let refusal = || reply::with_allow(refused(StatusCode::METHOD_NOT_ALLOWED, "another method is wanted"), allowed);
    (!fits).then(refusal)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use flagstaff_flags::{Name, Snapshot, Subject, Variants};
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn flag(name: &str) -> Flag {
        Flag { client: true, ..Flag::new(Name::new(name).unwrap()) }
    }

    fn sent(flags: Vec<Flag>, which: Which) -> Vec<Value> {
        let snapshot = Arc::new(Snapshot::new("r", flags, vec![], vec![], vec![]).unwrap());
        let decisions = snapshot.decide(&Subject::at(Timestamp::UNIX_EPOCH).visitor("v"));
        let answer = toggles(&decisions, which, &HeaderMap::new());
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        body["toggles"].as_array().unwrap().clone()
    }

    #[test]
    fn flags_are_toggles() {
        let hidden = Flag { client: false, ..flag("hidden") };
        let off = Flag { enabled: false, ..flag("off_flag") };
        let no_variant = |enabled| json!({"name": "disabled", "enabled": false, "feature_enabled": enabled});
        let on = json!({"name": "on_flag", "enabled": true, "impressionData": false, "variant": no_variant(true)});
        assert_eq!(sent(vec![flag("on_flag"), hidden, off.clone()], Which::On), [on]);
        let off_toggle =
            json!({"name": "off_flag", "enabled": false, "impressionData": false, "variant": no_variant(false)});
        assert_eq!(sent(vec![off], Which::All), [off_toggle]);
    }

    #[test]
    fn variants_have_their_values_as_payloads() {
        let variant =
            |values, variants| sent(vec![Flag { values, variants, ..flag("f") }], Which::On)[0]["variant"].clone();
        let named = || Variants::weighted([("blue", 100.0)]).unwrap();
        let blue = named().find("blue").unwrap();
        let plain = json!({"name": "blue", "enabled": true, "feature_enabled": true});
        assert_eq!(variant(vec![], named()), plain);
        for (value, kind, text) in [
            (json!("x"), "string", "x"),
            (json!(2.5), "number", "2.5"),
            (json!({"a": 1}), "json", r#"{"a":1}"#),
            (json!(true), "string", "true"),
        ] {
            let payload = json!({"type": kind, "value": text});
            assert_eq!(variant(vec![(blue, value.clone())], named())["payload"], payload);
            let on = variant(vec![(VariantId::ON, value)], Variants::off_and_on());
            assert_eq!((&on["name"], &on["payload"]), (&json!("on"), &payload));
        }
    }
}
