//! The context of an evaluation: what a client says of the subject, as conditions and draws look at it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::net::IpAddr;

use flagstaff_flags::{Attributes, Key, Name, Subject, User};
use jiff::Timestamp;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Map, Value};

/// The key of the unit that is drawn by.
const TARGETING_KEY: &str = "targetingKey";

/// What a client says of the subject. A missing value fits no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvaluationContext {
    visitor: Option<String>,
    session: Option<String>,
    user: Option<User>,
    ip: Option<IpAddr>,
    country: Option<String>,
    language: Option<String>,
    method: Option<String>,
    host: Option<String>,
    path: Option<String>,
    named: Named,
}

/// What conditions look up by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Named {
    headers: BTreeMap<String, String>,
    cookies: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
    attributes: BTreeMap<String, String>,
}

/// A context that says something in a way that cannot be understood, with what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextError(String);

impl ContextError {
    pub(crate) const fn new(message: String) -> Self {
        Self(message)
    }
}

impl fmt::Display for ContextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ContextError {}

impl EvaluationContext {
    /// Reads a context. The words of conditions mean what they mean in flags; every other name is an attribute, and `appVersion` is the
    /// attribute `app_version`. Lists and objects are passed over but for `groups`, `roles`, `header`, `cookie` and `query`.
    ///
    /// # Errors
    /// With the first key whose value is not of its kind.
    pub fn read(said: &Map<String, Value>) -> Result<Self, ContextError> {
        let mut read = ContextReader::default();
        for (key, value) in said.iter().filter(|(_, value)| !value.is_null()) {
            read.entry(key, value)?;
        }
        read.finish()
    }

    /// Makes the subject, and calls `decide` with it. A flag that is drawn for each request is drawn anew each time.
    pub fn with_subject<T>(&self, now: Timestamp, decide: impl FnOnce(&Subject<'_>) -> T) -> T {
        let request = fresh_id();
        decide(&Subject {
            visitor: self.visitor.as_deref(),
            session: self.session.as_deref().or(self.visitor.as_deref()),
            request: request.as_deref(),
            user: self.user.as_ref(),
            ip: self.ip,
            country: self.country.as_deref(),
            language: self.language.as_deref(),
            method: self.method.as_deref(),
            host: self.host.as_deref(),
            path: self.path.as_deref(),
            attributes: &self.named,
            ..Subject::at(now)
        })
    }
}

fn fresh_id() -> Option<String> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    let mut text = String::with_capacity(32);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    Some(text)
}

/// A context in the making.
#[derive(Debug, Default)]
struct ContextReader {
    context: EvaluationContext,
    user: Option<String>,
    groups: Vec<String>,
    roles: Vec<String>,
}

impl ContextReader {
    fn entry(&mut self, key: &str, value: &Value) -> Result<(), ContextError> {
        match (key, value) {
            (TARGETING_KEY, Value::String(text)) => {
                self.context.visitor = Some(text.clone()).filter(|t| !t.is_empty());
            }
            (TARGETING_KEY, _) => return Err(wrong(key, "a text")),
            ("session", value) => self.context.session = Some(text(key, value)?),
            ("header" | "cookie" | "query", Value::Object(all)) => self.fields(key, all),
            _ => return self.known(key, value),
        }
        Ok(())
    }

    /// `{"header": {"x-plan": "pro"}}`, as an alternative to `{"header.x-plan": "pro"}`.
    fn fields(&mut self, kind: &str, all: &Map<String, Value>) {
        for (name, value) in all {
            if let (Ok(key), Some(text)) = (Key::new(&format!("{kind}.{name}")), scalar(value)) {
                self.context.named.put(key, text);
            }
        }
    }

    /// A word of conditions, exactly or as other languages spell it.
    fn known(&mut self, said: &str, value: &Value) -> Result<(), ContextError> {
        let respelt = || Name::new(said).err().and_then(|error| Key::new(error.suggestion()?).ok());
        let exact = Key::new(said).ok();
        let is_exact = exact.is_some();
        let Some(key) = exact.or_else(respelt) else {
            return Ok(());
        };
        let context = &mut self.context;
        match key {
            Key::User => self.user = Some(text(said, value)?).filter(|id| !id.is_empty()),
            Key::Group => self.groups.extend(list(said, value)?),
            Key::Role => self.roles.extend(list(said, value)?),
            Key::Language => context.language = Some(text(said, value)?),
            Key::Country => context.country = Some(text(said, value)?),
            Key::Path => context.path = Some(text(said, value)?),
            Key::Host => context.host = Some(text(said, value)?),
            Key::Method => context.method = Some(text(said, value)?),
            Key::Ip => {
                let address =
                    text(said, value)?.parse().map_err(|_| wrong(said, "an address, such as \"192.0.2.7\""))?;
                context.ip = Some(address);
            }
            named => {
                if let Some(text) = scalar(value).filter(|_| is_exact || !context.named.has(&named)) {
                    context.named.put(named, text);
                }
            }
        }
        Ok(())
    }

    /// Groups and roles are of a person; where none is named, it is the one who is drawn by.
    fn finish(self) -> Result<EvaluationContext, ContextError> {
        let Self { mut context, user, groups, roles } = self;
        let is_somebody = !groups.is_empty() || !roles.is_empty();
        let id = user.or_else(|| context.visitor.clone().filter(|_| is_somebody));
        if id.is_none() && is_somebody {
            let message = "`groups` and `roles` are of a person: write `user` or `targetingKey` too";
            return Err(ContextError(message.into()));
        }
        context.user = id.map(|id| User { id, groups, roles });
        Ok(context)
    }
}

impl Named {
    fn put(&mut self, key: Key, text: String) {
        let (all, name) = match key {
            Key::UserAgent => (&mut self.headers, "user-agent".to_owned()),
            Key::Header(name) => (&mut self.headers, name),
            Key::Cookie(name) => (&mut self.cookies, name),
            Key::Query(name) => (&mut self.query, name),
            Key::Attribute(name) => (&mut self.attributes, name),
            _ => return,
        };
        all.insert(name, text);
    }

    fn has(&self, key: &Key) -> bool {
        match key {
            Key::UserAgent => self.headers.contains_key("user-agent"),
            Key::Attribute(name) => self.attributes.contains_key(name),
            _ => false,
        }
    }
}

impl Attributes for Named {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        self.query.get(name).map(Into::into)
    }

    /// As of a request, where `X-App-Version` tells `app_version`.
    fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        let by_header = || self.headers.get(&format!("x-{}", name.replace('_', "-")));
        self.attributes.get(name).or_else(by_header).map(Into::into)
    }
}

fn wrong(key: &str, kind: &str) -> ContextError {
    let short: String = key.chars().filter(|c| !c.is_control()).take(64).collect();
    ContextError(format!("`{short}` of the context is not {kind}"))
}

/// A text, a number or a truth value, as text.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        // JSON of one language writes 2 where that of another writes 2.0
        Value::Number(number) => {
            let text = number.to_string();
            Some(text.strip_suffix(".0").map_or_else(|| text.clone(), ToOwned::to_owned))
        }
        _ => None,
    }
}

fn text(key: &str, value: &Value) -> Result<String, ContextError> {
    scalar(value).ok_or_else(|| wrong(key, "a text"))
}

/// A list of texts, or one.
fn list(key: &str, value: &Value) -> Result<Vec<String>, ContextError> {
    let all = match value {
        Value::Array(all) => all.iter().map(scalar).collect(),
        one => scalar(one).map(|one| vec![one]),
    };
    all.ok_or_else(|| wrong(key, "a text or a list of texts"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[allow(clippy::needless_pass_by_value, reason = "each test says a value of its own")]
    fn read(said: Value) -> Result<EvaluationContext, ContextError> {
        EvaluationContext::read(said.as_object().unwrap())
    }

    #[test]
    fn words_mean_what_they_mean_in_flags() {
        let context = read(json!({
            "targetingKey": "v1", "user": 42, "groups": ["beta", 7], "role": "staff", "country": "DE", "language": "de-AT",
            "ip": "192.0.2.7", "path": "/pay", "userAgent": "curl", "header.X-Plan": "pro", "cookie": {"seen": true},
            "query.ref": "mail", "appVersion": 2.0, "email": "a@b.example", "cart": [1, 2], "nothing": null,
        }));
        context.unwrap().with_subject(Timestamp::UNIX_EPOCH, |subject| {
            let user = subject.user.unwrap();
            assert_eq!((subject.visitor, user.id.as_str()), (Some("v1"), "42"));
            assert_eq!(
                (&user.groups[..], &user.roles[..]),
                (&["beta".into(), "7".into()][..], &["staff".into()][..])
            );
            assert_eq!((subject.country, subject.language, subject.path), (Some("DE"), Some("de-AT"), Some("/pay")));
            assert_eq!(subject.ip, "192.0.2.7".parse().ok());
            assert_eq!(subject.session, Some("v1"), "without a session of its own");
            let named = subject.attributes;
            assert_eq!((named.header("user-agent"), named.header("x-plan")), (Some("curl"), Some("pro")));
            assert_eq!((named.cookie("seen"), named.query("ref").as_deref()), (Some("true"), Some("mail")));
            assert_eq!(named.attribute("app_version").as_deref(), Some("2"));
            assert_eq!(named.attribute("plan").as_deref(), Some("pro"), "as X-Plan tells it");
            assert!(named.attribute("cart").is_none() && named.attribute("nothing").is_none());
            assert!(subject.request.is_some_and(|id| id.len() == 32));
        });
    }

    #[test]
    fn a_name_as_it_is_written_comes_before_one_that_is_respelt() {
        for said in [json!({"appVersion": "1", "app_version": "2"}), json!({"app-version": "1", "app_version": "2"})]
        {
            let context = read(said).unwrap();
            context.with_subject(Timestamp::UNIX_EPOCH, |subject| {
                assert_eq!(subject.attributes.attribute("app_version").as_deref(), Some("2"));
            });
        }
    }

    #[test]
    fn groups_are_of_somebody() {
        let who = |said| read(said).map(|context| context.user.map(|user| user.id));
        assert_eq!(who(json!({"targetingKey": "v", "groups": "beta"})), Ok(Some("v".into())));
        assert_eq!(who(json!({"targetingKey": "v", "groups": "beta", "user": "u"})), Ok(Some("u".into())));
        assert_eq!(who(json!({"targetingKey": "v"})), Ok(None));
        assert_eq!(who(json!({"targetingKey": "v", "groups": []})), Ok(None));
        assert!(who(json!({"roles": ["staff"]})).unwrap_err().to_string().contains("write `user`"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let message = |said| read(said).unwrap_err().to_string();
        assert_eq!(message(json!({"targetingKey": 7})), "`targetingKey` of the context is not a text");
        assert_eq!(message(json!({"user": {"id": 7}})), "`user` of the context is not a text");
        assert_eq!(message(json!({"groups": [[]]})), "`groups` of the context is not a text or a list of texts");
        assert!(message(json!({"ip": "here"})).contains("an address"));
        assert_eq!(read(json!({})), Ok(EvaluationContext::default()));
        assert_eq!(read(json!({"targetingKey": "", "user": ""})), Ok(EvaluationContext::default()));
    }
}
