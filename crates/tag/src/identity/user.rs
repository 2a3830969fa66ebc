//! The person who sends the request: by a header of a trusted peer, by a token, or by what the app said before.

use std::sync::Once;
use std::time::Duration;

use flagstaff_flags::{Problem, User};
use http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::header_list::words;
use crate::header_names;
use crate::identity::Peer;
use crate::identity::cookies::{self, MAX_LIFE};
use crate::identity::jwt::Jwt;
use crate::identity::person;
use crate::identity::revocations::Revocations;
use crate::identity::user_cookie::UserCookie;
use crate::settings::UserSettings;

/// Tokens of one cookie's name that are looked at: to verify one takes a while.
const MAX_TOKENS: usize = 16;

/// Headers in which a trusted peer names the person.
#[derive(Debug)]
struct Headers {
    id: HeaderName,
    groups: HeaderName,
    roles: HeaderName,
}

/// `X-User-Id` → `X-User-Groups`.
fn beside_id(id: &str, word: &str) -> String {
    let base = id.strip_suffix("-Id").or(id.strip_suffix("-id")).unwrap_or(id);
    format!("{base}-{word}")
}

impl UserSettings {
    /// The header fields that name a person, their groups and roles: the one that is set, and those beside it.
    #[must_use]
    pub fn fields(&self) -> Vec<String> {
        let Some(id) = &self.header else { return Vec::new() };
        let beside = |own: &Option<String>, word| own.clone().unwrap_or_else(|| beside_id(id, word));
        vec![id.clone(), beside(&self.groups, "Groups"), beside(&self.roles, "Roles")]
    }
}

impl Headers {
    fn new(id: &str, settings: &UserSettings, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut name = |key, text: &str| header_name(&["user", key], text, problems);
        let id_name = name("header", id);
        let mut beside = |key, own: &Option<String>, word| match own {
            Some(own) => name(key, own),
            // What is made of a wrong name is not a second mistake.
            None => id_name.as_ref().and_then(|_| name(key, &beside_id(id, word))),
        };
        let groups = beside("groups", &settings.groups, "Groups");
        let roles = beside("roles", &settings.roles, "Roles");
        Some(Self { id: id_name?, groups: groups?, roles: roles? })
    }

    fn all(&self) -> [&HeaderName; 3] {
        [&self.id, &self.groups, &self.roles]
    }

    /// Whether one of them came twice. Which of the two an app reads is not known.
    fn are_doubled(&self, headers: &HeaderMap) -> bool {
        self.all().iter().any(|name| headers.get_all(*name).iter().nth(1).is_some())
    }

    /// The person; `None` where the header is not there, or empty, as proxies send it of people who are not logged in.
    fn read(&self, headers: &HeaderMap) -> Result<Option<User>, Unreadable> {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        if headers.get(&self.id).is_none_or(|value| value.as_bytes().trim_ascii().is_empty()) {
            return Ok(None);
        }
        let user = person::bounded(User {
            id: text(&self.id).ok_or(Unreadable)?.trim().into(),
            groups: text(&self.groups).map(words).unwrap_or_default(),
            roles: text(&self.roles).map(words).unwrap_or_default(),
        });
        user.map(Some).ok_or(Unreadable)
    }
}

/// A header's name from settings. It may be taken out of requests, so it has to be a header of its own.
pub(crate) fn header_name(at: &[&str], text: &str, problems: &mut Vec<Problem>) -> Option<HeaderName> {
    let mut wrong = |help| {
        let problem = Problem::new(at.iter().copied(), format!("`{text}` is not a valid header for this"));
        problems.push(problem.help(help));
        None
    };
    match HeaderName::from_bytes(text.as_bytes()) {
        Ok(name) if header_names::is_of_http(&name) => wrong("HTTP itself needs it: name a header of its own"),
        Ok(name) if !header_names::is_ours(name.as_str()) => Some(name),
        _ => wrong("letters, digits and `-`, not beginning with X-Flag"),
    }
}

/// Where the token is.
#[derive(Debug)]
enum Carrier {
    Cookie(String),
    Header(HeaderName),
}

/// All ways to know the person, in their order.
#[derive(Debug)]
pub(crate) struct Users {
    headers: Option<Headers>,
    jwt: Option<(Vec<Carrier>, Jwt)>,
    identify: bool,
    /// How long what the app says of a person holds.
    pub(crate) max_age: Duration,
    pub(crate) revocations: Revocations,
}

impl Users {
    pub(crate) fn new(settings: &UserSettings, problems: &mut Vec<Problem>) -> Self {
        let headers = settings.header.as_deref().and_then(|id| Headers::new(id, settings, problems));
        let beside = [("groups", &settings.groups), ("roles", &settings.roles)];
        for (key, _) in beside.iter().filter(|(_, own)| settings.header.is_none() && own.is_some()) {
            let message = "this header stands beside that of `user.header`, which is not set";
            let problem = Problem::new(["user", key], message);
            problems.push(problem.help("name the claims of tokens under user.jwt, or set user.header"));
        }
        let jwt = settings.jwt.as_ref().map(|jwt| {
            let cookie = jwt.cookie.clone().map(Carrier::Cookie);
            let header = jwt.header.as_deref();
            let header = header.and_then(|name| header_name(&["user", "jwt", "header"], name, problems));
            let mut carriers: Vec<_> = cookie.into_iter().chain(header.map(Carrier::Header)).collect();
            if jwt.cookie.is_none() && jwt.header.is_none() {
                carriers.push(Carrier::Header(AUTHORIZATION));
            }
            (carriers, Jwt::new(jwt, problems))
        });
        if settings.max_age.is_zero() || settings.max_age > MAX_LIFE {
            let problem = Problem::new(["user", "max_age"], "this is more than nothing and at most 400 days");
            problems.push(problem.help("\"1d\""));
        }
        let (identify, max_age) = (settings.identify.unwrap_or_default(), settings.max_age);
        Self { headers, jwt, identify, max_age, revocations: Revocations::default() }
    }

    /// The headers that name a person; `None` where tokens do, which end by themselves.
    pub(crate) fn lasting_headers(&self) -> Option<impl Iterator<Item = &HeaderName>> {
        self.jwt.is_none().then(|| self.headers.iter().flat_map(Headers::all))
    }

    /// The headers that name a person or have a token.
    pub(crate) fn headers(&self) -> Vec<HeaderName> {
        let tokens = self.jwt.iter().flat_map(|(carriers, _)| carriers).filter_map(|carrier| match carrier {
            Carrier::Header(name) => Some(name),
            Carrier::Cookie(_) => None,
        });
        self.headers.iter().flat_map(Headers::all).chain(tokens).cloned().collect()
    }

    /// Whether a trusted peer may name the person.
    pub(crate) const fn are_named_by_peers(&self) -> bool {
        self.headers.is_some()
    }

    /// Whether the app may name the person.
    pub(crate) const fn identify(&self) -> bool {
        self.identify
    }

    /// Removes the headers that name a person unless a trusted peer sent them, and other spellings of them always: a proxy that
    /// overwrites `X-User-Id` lets `X_User_Id` through. Of a person who is named twice nothing reaches the app either: it could read the
    /// other of the two. Returns whether that happened.
    pub(crate) fn strip(&self, headers: &mut HeaderMap, trusted: bool) -> bool {
        let Some(names) = &self.headers else { return false };
        let are_doubled = trusted && names.are_doubled(headers);
        if are_doubled {
            warn_of_two(names.id.as_str());
        }
        let trusted = trusted && !are_doubled;
        header_names::remove(headers, |name| {
            let alike =
                |own: &&HeaderName| header_names::same(name, own.as_str()) && !(trusted && name == own.as_str());
            names.all().iter().any(alike)
        });
        are_doubled
    }

    /// The person, by the first of the configured ways that knows one. Where one of them names two persons, or one by an id that cannot be
    /// read, nobody is logged in: the next way may know somebody else.
    pub(crate) fn find(&self, from: &UserSources<'_>) -> Option<User> {
        if from.is_named_twice {
            return None;
        }
        let by_cookie = || from.user_cookie.and_then(|cookie| cookie.user.clone());
        match self.by_header(from) {
            Err(Unreadable) => None,
            Ok(None) => match self.by_token(from) {
                Ok(user) => user.or_else(by_cookie),
                Err(Several) => {
                    warn_of_tokens();
                    None
                }
            },
            Ok(user) => user,
        }
    }

    fn by_header(&self, from: &UserSources<'_>) -> Result<Option<User>, Unreadable> {
        let Some(names) = self.headers.as_ref().filter(|_| from.peer.is_some_and(|peer| peer.trusted)) else {
            return Ok(None);
        };
        names.read(from.headers).inspect_err(|_| warn_of_unreadable(&names.id))
    }

    fn by_token(&self, from: &UserSources<'_>) -> Result<Option<User>, Several> {
        let Some((carriers, jwt)) = &self.jwt else { return Ok(None) };
        for carrier in carriers {
            if let Some(user) = carrier.read(jwt, from)? {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }
}

/// A header that names a person by an id that is none: not UTF-8, too long, or with control characters.
struct Unreadable;

/// Several tokens in one place, so that an app may read another of them than we do.
struct Several;

impl Carrier {
    /// The person that all sound tokens here name.
    fn read(&self, jwt: &Jwt, from: &UserSources<'_>) -> Result<Option<User>, Several> {
        match self {
            Self::Cookie(name) => {
                let tokens = cookies::values(from.headers, name).filter(|value| value.matches('.').count() == 2);
                let mut people = tokens.take(MAX_TOKENS).filter_map(|token| jwt.read(token, from.now));
                let Some(first) = people.next() else { return Ok(None) };
                if people.all(|other| other.id == first.id) { Ok(Some(first)) } else { Err(Several) }
            }
            Self::Header(name) => {
                let mut values = from.headers.get_all(name).iter();
                let token = values.next().and_then(|value| value.to_str().ok());
                if values.next().is_some() {
                    return Err(Several);
                }
                Ok(token.and_then(|token| jwt.read(bearer(token), from.now)))
            }
        }
    }
}

fn warn_of_two(name: &str) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!(
            "a request names its user twice ({name} or the groups or roles beside it), so nobody is logged in for it; let \
             the proxy in front overwrite these headers, not add to them"
        );
    });
}

fn warn_of_unreadable(name: &HeaderName) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!(
            header = name.as_str(),
            "a trusted proxy names a user by an id that is not UTF-8, is longer than 256 bytes or has control characters, so nobody is \
             logged in for such requests"
        );
    });
}

fn warn_of_tokens() {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!(
            "a request has tokens of several people in one cookie's name, or its token's header twice, so nobody is logged in \
             for it; a sibling host or a proxy in front may have added one"
        );
    });
}

/// `Bearer token` or the token alone.
fn bearer(text: &str) -> &str {
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => text.trim(),
    }
}

/// Where a person may be found in one request.
pub(crate) struct UserSources<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) peer: Option<&'a Peer>,
    /// A trusted peer named the person in two headers, which are gone.
    pub(crate) is_named_twice: bool,
    pub(crate) now: Timestamp,
    /// The cookie in which the app named the person.
    pub(crate) user_cookie: Option<&'a UserCookie>,
}
