//! Who may use this address: as it was typed, and checked.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use axum::http::HeaderName;
use flagstaff_flags::Problem;
use ipnet::IpNet;

use super::carried;
use super::ended::EndedSessions;
use super::host::Hosts;
use super::session::cookie_name;
use super::token::{Token, checked};
use super::wrong_tokens::WrongTokens;

/// Who may use this address, as it was typed. [`Access::new`] checks it.
#[derive(Clone, Debug)]
pub struct AccessSettings {
    /// The address that is listened on.
    pub address: SocketAddr,
    /// The token that allows everything.
    pub token: Option<String>,
    /// The token that allows to read. Without any token nobody is let in.
    pub read_token: Option<String>,
    /// Names by which this address may be asked, besides its own and `localhost`.
    pub hosts: Vec<String>,
    /// The header in which a trusted proxy names the person.
    pub author_header: Option<String>,
    /// Addresses and ranges of trusted proxies.
    pub trusted: Vec<String>,
}

/// Who may use this address, checked. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Access(pub(super) Arc<Rules>);

#[derive(Debug)]
pub(super) struct Rules {
    tokens: RwLock<Tokens>,
    pub(super) hosts: Hosts,
    pub(super) author_header: Option<HeaderName>,
    trusted: Vec<IpNet>,
    /// The name of the session's cookie.
    pub(super) cookie: String,
    /// The name of the cookie that carries a text to the next page.
    pub(super) carried: String,
    /// Sessions that ended before their time.
    pub(super) ended: Arc<EndedSessions>,
    pub(super) wrong_tokens: WrongTokens,
}

impl Access {
    /// Checks the settings.
    ///
    /// # Errors
    /// With every problem, at the key of the program's settings that it is about.
    pub fn new(settings: &AccessSettings) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let tokens = Tokens::new(settings, &mut problems);
        let hosts = Hosts::new(settings.address, &settings.hosts, &mut problems);
        let author_header = author_header(settings, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let trusted = settings
            .trusted
            .iter()
            .filter_map(|range| range.parse().or_else(|_| range.parse().map(IpAddr::into)).ok());
        Ok(Self(Arc::new(Rules {
            tokens: RwLock::new(tokens),
            hosts,
            author_header,
            trusted: trusted.collect(),
            cookie: cookie_name(settings.address.port()),
            carried: carried::cookie_name(settings.address.port()),
            ended: Arc::default(),
            wrong_tokens: WrongTokens::default(),
        })))
    }
}

impl Access {
    /// Takes the tokens of these settings in place of those there were. Sessions and streams of a token that is replaced end. Says whether
    /// one was.
    ///
    /// # Errors
    /// With every problem; the tokens stay as they are then.
    pub fn renew_tokens(&self, settings: &AccessSettings) -> Result<bool, Vec<Problem>> {
        let mut problems = Vec::new();
        let new = Tokens::new(settings, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut tokens = self.0.tokens.write().unwrap_or_else(PoisonError::into_inner);
        let Tokens { full, read } = &mut *tokens;
        let renewed = [renew(full, new.full), renew(read, new.read)];
        Ok(renewed.contains(&true))
    }
}

/// The tokens that let in.
#[derive(Debug)]
struct Tokens {
    full: Option<Arc<Token>>,
    read: Option<Arc<Token>>,
}

impl Tokens {
    fn new(settings: &AccessSettings, problems: &mut Vec<Problem>) -> Self {
        if settings.token.is_some() && settings.token == settings.read_token {
            let problem = Problem::new(["admin_read_token_file"], "this is the token that allows everything");
            problems.push(problem.help("make another one with `openssl rand -hex 24`"));
        }
        let mut token = |key: &str, text: &Option<String>| {
            let token = text.as_deref().map(|text| checked(key, text)).transpose();
            token.map_err(|problem| problems.push(problem)).ok().flatten().map(Arc::new)
        };
        let full = token("admin_token_file", &settings.token);
        Self { full, read: token("admin_read_token_file", &settings.read_token) }
    }
}

/// Puts a token in the place of another one, unless they are the same.
fn renew(old: &mut Option<Arc<Token>>, new: Option<Arc<Token>>) -> bool {
    let is_same = match (&*old, &new) {
        (Some(old), Some(new)) => old.is_same(new),
        (None, None) => true,
        _ => false,
    };
    if !is_same && let Some(old) = std::mem::replace(old, new) {
        old.replaced();
    }
    !is_same
}

fn author_header(settings: &AccessSettings, problems: &mut Vec<Problem>) -> Option<HeaderName> {
    let name = settings.author_header.as_deref()?;
    let mut refuse = |message: String, help: &str| {
        problems.push(Problem::new(["admin_author_header"], message).help(help));
    };
    let Ok(header) = HeaderName::try_from(name) else {
        refuse(format!("`{name}` is not the name of a header"), "write one such as \"X-Forwarded-User\"");
        return None;
    };
    if settings.trusted.is_empty() {
        let help = "name the proxy that sets the header: [trust] addresses = [\"10.0.0.0/8\"]";
        refuse("no address is trusted, so nobody's header would be believed".into(), help);
    }
    Some(header)
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// To read.
    Read,
    /// To read and to change.
    Write,
}

impl Rules {
    /// The token of a role; none where none was set.
    pub(super) fn token(&self, role: Role) -> Option<Arc<Token>> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        match role {
            Role::Read => tokens.read.clone(),
            Role::Write => tokens.full.clone(),
        }
    }

    /// What somebody with this token may do. Both are compared, whichever it is.
    pub(super) fn role(&self, said: &[u8]) -> Option<Role> {
        let [write, read] =
            [Role::Write, Role::Read].map(|role| self.token(role).is_some_and(|token| token.is(said)));
        write.then_some(Role::Write).or(read.then_some(Role::Read))
    }

    /// Whether what a peer says about others counts.
    pub(super) fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusted.iter().any(|range| range.contains(&peer))
    }
}
