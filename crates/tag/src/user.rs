//! The person who asks, as far as somebody we believe says so.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flagstaff_flags::{Problem, User};
use http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::Peer;
use crate::cookies::Candidates;
use crate::jwt::Jwt;
use crate::keys::{Keys, Purpose};
use crate::list::words;
use crate::settings::UserSettings;
use crate::strip;

/// The cookie that remembers whom the app named.
pub(crate) const COOKIE: &str = "flagstaff_user";
/// Longer ids are no ids, more groups or roles are not read.
const LONGEST: usize = 256;
const MOST: usize = 64;
/// A longer cookie is not kept by browsers.
const FITS: usize = 3500;

/// The user, when the id is one; too many or too long groups and roles are left out.
pub(crate) fn checked(mut user: User) -> Option<User> {
    let fits = |text: &String| !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
    for list in [&mut user.groups, &mut user.roles] {
        list.retain(&fits);
        list.truncate(MOST);
    }
    fits(&user.id).then_some(user)
}

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
            // What is made of a name that is none is no second mistake.
            None => id_name.as_ref().and_then(|_| name(key, &beside_id(id, word))),
        };
        let groups = beside("groups", &settings.groups, "Groups");
        let roles = beside("roles", &settings.roles, "Roles");
        Some(Self { id: id_name?, groups: groups?, roles: roles? })
    }

    fn all(&self) -> [&HeaderName; 3] {
        [&self.id, &self.groups, &self.roles]
    }

    fn read(&self, headers: &HeaderMap) -> Option<User> {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        checked(User {
            id: text(&self.id)?.trim().into(),
            groups: text(&self.groups).map(words).unwrap_or_default(),
            roles: text(&self.roles).map(words).unwrap_or_default(),
        })
    }
}

/// A header's name from settings.
pub(crate) fn header_name(at: &[&str], text: &str, problems: &mut Vec<Problem>) -> Option<HeaderName> {
    let name = HeaderName::from_bytes(text.as_bytes()).ok().filter(|name| !strip::is_ours(name.as_str()));
    if name.is_none() {
        let problem =
            Problem::new(at.iter().copied(), format!("`{text}` is no name of a header that could tell this"));
        problems.push(problem.help("letters, digits and `-`, not beginning with X-Flag"));
    }
    name
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
        Self { headers, jwt, identify: settings.identify }
    }

    /// Whether the app's word counts.
    pub(crate) const fn identify(&self) -> bool {
        self.identify
    }

    /// Removes the headers that name a person when nobody trusted sent them, and other spellings of them always: a proxy that
    /// overwrites `X-User-Id` lets `X_User_Id` through.
    pub(crate) fn strip(&self, headers: &mut HeaderMap, trusted: bool) {
        let Some(names) = &self.headers else { return };
        strip::remove(headers, |name| {
            let alike = |own: &&HeaderName| strip::same(name, own.as_str()) && !(trusted && name == own.as_str());
            names.all().iter().any(alike)
        });
    }

    /// The person, by the first of the configured ways that knows.
    pub(crate) fn find(&self, from: &From<'_>, keys: &Keys) -> Option<User> {
        self.by_header(from).or_else(|| self.by_token(from)).or_else(|| self.by_cookie(from, keys))
    }

    fn by_header(&self, from: &From<'_>) -> Option<User> {
        let names = self.headers.as_ref().filter(|_| from.peer.is_some_and(|peer| peer.trusted))?;
        names.read(from.headers)
    }

    fn by_token(&self, from: &From<'_>) -> Option<User> {
        let (carriers, jwt) = self.jwt.as_ref()?;
        carriers.iter().find_map(|carrier| match carrier {
            Carrier::Cookie(name) => {
                let mut candidates = Candidates::default();
                crate::cookies::cookies(from.headers)
                    .filter(|(n, _)| n == name)
                    .for_each(|(_, value)| candidates.add(value));
                candidates.find(|token| jwt.read(token, from.now))
            }
            Carrier::Header(name) => jwt.read(bearer(from.headers.get(name)?.to_str().ok()?), from.now),
        })
    }

    fn by_cookie(&self, from: &From<'_>, keys: &Keys) -> Option<User> {
        let visitor = from.visitor.filter(|_| self.identify)?;
        from.cookie.find(|sealed| unseal(sealed, visitor, from.now, keys))
    }
}

/// `Bearer token` or the token alone.
fn bearer(text: &str) -> &str {
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => text.trim(),
    }
}

/// Where a person may be found in one request.
pub(crate) struct From<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) peer: Option<&'a Peer>,
    pub(crate) now: Timestamp,
    /// The visitor's id, when it came with the request.
    pub(crate) visitor: Option<&'a str>,
    /// The cookie that remembers whom the app named.
    pub(crate) cookie: Candidates<'a>,
}

/// The value of the cookie, which holds for this visitor and until this second; `None` when it would not fit.
pub(crate) fn seal(user: &User, visitor: &str, until: i64, keys: &Keys) -> Option<String> {
    let text = json!([until, user.id, user.groups, user.roles]).to_string();
    let sealed = keys.seal(Purpose::User, visitor, &URL_SAFE_NO_PAD.encode(text));
    (sealed.len() <= FITS).then_some(sealed)
}

fn unseal(sealed: &str, visitor: &str, now: Timestamp, keys: &Keys) -> Option<User> {
    let payload = keys.open(Purpose::User, visitor, sealed)?;
    let text = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let (until, id, groups, roles): (i64, String, Vec<String>, Vec<String>) =
        serde_json::from_slice::<Value>(&text).ok().and_then(|value| serde_json::from_value(value).ok())?;
    (now.as_second() < until).then_some(User { id, groups, roles })
}
