//! For whom it is asked: the context in the query or the body.

use std::collections::BTreeMap;

use flagstaff_flags::json_by_name;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::protocols::context::{ContextError, EvaluationContext};

/// What Unleash's clients say of the subject.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Context {
    user_id: Option<Value>,
    session_id: Option<Value>,
    remote_address: Option<String>,
    app_name: Option<Value>,
    environment: Option<Value>,
    properties: BTreeMap<String, Value>,
}

/// A body with a context.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ContextBody {
    context: Context,
}

impl Context {
    /// Reads a query: `userId=7&properties[plan]=pro`. Other parameters are passed over.
    #[must_use]
    pub fn of_query(query: &str) -> Self {
        let mut context = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let text = || Some(Value::String(value.to_string()));
            match &*name {
                "userId" => context.user_id = text(),
                "sessionId" => context.session_id = text(),
                "remoteAddress" => context.remote_address = Some(value.to_string()),
                "appName" => context.app_name = text(),
                "environment" => context.environment = text(),
                other => {
                    let property = other.strip_prefix("properties[").and_then(|rest| rest.strip_suffix(']'));
                    context.properties.extend(property.zip(text()).map(|(name, value)| (name.to_owned(), value)));
                }
            }
        }
        context
    }

    /// Reads a body: `{"context": {"userId": "7", "properties": {"plan": "pro"}}}`. It may be empty.
    ///
    /// # Errors
    /// With what is wrong in it.
    pub fn of_body(body: &[u8]) -> Result<Self, ContextError> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let read: Result<ContextBody, _> = json_by_name(body);
        read.map(|body| body.context)
            .map_err(|error| ContextError::new(format!("the body is not a context: {error}")))
    }

    /// As conditions and draws look at it. The session is the visitor: clients make one for a browser and keep it. Without one, the user is.
    ///
    /// # Errors
    /// When a value is not of its kind.
    pub fn read(self) -> Result<EvaluationContext, ContextError> {
        let mut said: Map<String, Value> = self.properties.into_iter().map(split).collect();
        let mut say = |name: &str, value: Option<Value>| {
            let value = value.filter(|value| !value.is_null() && *value != "");
            said.extend(value.map(|value| (name.to_owned(), value)));
        };
        let visitor = self.session_id.clone().or_else(|| self.user_id.clone()).map(as_text);
        say("targetingKey", visitor);
        say("session", self.session_id);
        say("user", self.user_id);
        say("app_name", self.app_name);
        say("environment", self.environment);
        // clients send what they have; a condition on an address fits nobody who sends none
        let address = self.remote_address.filter(|address| address.parse::<std::net::IpAddr>().is_ok());
        say("ip", address.map(Value::String));
        EvaluationContext::read(&said)
    }
}

/// Properties are texts, and a list has commas.
fn split((name, value): (String, Value)) -> (String, Value) {
    let is_list = matches!(name.as_str(), "group" | "groups" | "role" | "roles");
    let split = |text: &str| text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(Value::from).collect();
    match value.as_str().filter(|_| is_list).map(split) {
        Some(list) => (name, Value::Array(list)),
        None => (name, value),
    }
}

fn as_text(value: Value) -> Value {
    if value.is_number() { Value::String(value.to_string()) } else { value }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn query_and_body_say_the_same() {
        let query = "userId=7&sessionId=s1&remoteAddress=192.0.2.7&appName=shop&environment=test&currentTime=now\
                     &properties[plan]=a%20b&properties%5Bgroups%5D=beta,staff&x=1";
        let body =
            br#"{"context": {"userId": "7", "sessionId": "s1", "remoteAddress": "192.0.2.7", "appName": "shop",
            "environment": "test", "properties": {"plan": "a b", "groups": "beta,staff"}}, "other": 1}"#;
        let context = Context::of_query(query);
        assert_eq!(Context::of_body(body).as_ref(), Ok(&context));
        context.read().unwrap().with_subject(Timestamp::UNIX_EPOCH, |subject| {
            let user = subject.user.unwrap();
            assert_eq!((subject.visitor, subject.session, user.id.as_str()), (Some("s1"), Some("s1"), "7"));
            assert_eq!(user.groups, ["beta", "staff"]);
            assert_eq!(subject.attributes.attribute("plan").as_deref(), Some("a b"));
            assert_eq!(subject.attributes.attribute("app_name").as_deref(), Some("shop"));
            assert!(subject.ip.is_some());
        });
    }

    #[test]
    fn a_client_may_say_little_or_nonsense() {
        let visitor = |query: &str| {
            let context = Context::of_query(query).read().unwrap();
            context.with_subject(Timestamp::UNIX_EPOCH, |subject| subject.visitor.map(ToOwned::to_owned))
        };
        assert_eq!(visitor("userId=7"), Some("7".into()), "without a session");
        assert_eq!(visitor("sessionId=&userId="), None);
        assert_eq!(visitor("remoteAddress=here&properties[=1&properties]=2"), None);
        assert_eq!(Context::of_body(b" "), Ok(Context::default()));
        for bad in ["{", "7", r#"{"context": 7}"#, r#"{"context": {"properties": []}}"#] {
            assert!(Context::of_body(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Context::of_query("properties[groups]=beta").read().is_err(), "nobody is in the group");
    }
}
