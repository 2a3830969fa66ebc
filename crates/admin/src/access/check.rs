//! What every request must pass: the name of this address, a token or a session, and a page of our own behind a session's edits.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::caller::OpenSession;
use super::session::{Session, cookies, now};
use super::settings::{Access, Role, Rules};
use super::{Caller, author, carried, origin, refused, sign_in};
use crate::response::{problem, refusal, wants_page};

/// The header of an API key, as OFREP has it.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Refuses a request that names another host.
pub(crate) async fn host(State(access): State<Access>, request: Request, next: Next) -> Response {
    if access.0.hosts.fit(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    refused("host");
    let said = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let said = flagstaff_flags::brief(said);
    let detail = format!("this address is not asked by the name `{}`", flagstaff_flags::printable(&said));
    let help = "use the address that `flagstaff run` printed, or add the name to the setting admin_hosts";
    refusal(request.headers(), StatusCode::MISDIRECTED_REQUEST, &detail, help)
}

/// Lets a request with a token or a session through, with its [`Caller`].
pub(crate) async fn caller(State(access): State<Access>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match admit(&access.0, &parts).await {
        Ok(caller) => {
            let token = caller.token.clone();
            if let Some(token) = &token {
                carried::receive(&access.0.carried, token, &mut parts);
            }
            parts.extensions.insert(caller);
            let mut answer = next.run(Request::from_parts(parts, body)).await;
            if let Some(token) = &token {
                carried::send(&access.0.carried, token, &mut answer);
            }
            answer
        }
        Err(answer) => answer,
    }
}

/// Who asks. A session comes before the token of a header: a proxy may pass on an `Authorization` that is meant for itself. And it is not
/// compared then, so nobody who may only read can guess fast.
///
/// # Errors
/// With the answer to somebody who is not let in, or who opens the link with the token.
async fn admit(access: &Rules, parts: &Parts) -> Result<Caller, Response> {
    if let Some((said, rest)) = sign_in::link(parts) {
        return Err(match access.role(said.as_bytes()) {
            Some(role) => sign_in::open(access, parts, role, &rest),
            None => sign_in::wrong_token(access, parts, &rest).await,
        });
    }
    if let Some((role, session)) = session(access, &parts.headers) {
        let foreign = origin::is_unsafe(&parts.method).then(|| foreign_page(access, &parts.headers)).flatten();
        return match foreign {
            Some(refused) => Err(refused),
            None => {
                let caller = known(access, parts, role, session.name.clone());
                Ok(Caller { session: Some(OpenSession { session, ended: Arc::clone(&access.ended) }), ..caller })
            }
        };
    }
    let Some(said) = token(&parts.headers) else {
        return Err(no_token(parts));
    };
    match access.role(said) {
        Some(role) => Ok(known(access, parts, role, author::in_header(&parts.headers, &author::BY))),
        None => Err(wrong_token(access, parts).await),
    }
}

/// The token that a program sends.
fn token(headers: &HeaderMap) -> Option<&[u8]> {
    if let Some(key) = headers.get(API_KEY) {
        return Some(key.as_bytes());
    }
    let said = headers.get(header::AUTHORIZATION)?.as_bytes();
    let scheme = said.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case(b"bearer "));
    // Unleash's clients send it alone; any other scheme is not for us
    if scheme.is_some() {
        said.get(7..).map(<[u8]>::trim_ascii)
    } else {
        Some(said).filter(|said| !said.contains(&b' '))
    }
}

/// The session of a browser, and what its token allows.
pub(super) fn session(access: &Rules, headers: &HeaderMap) -> Option<(Role, Session)> {
    let now = now();
    cookies(headers, &access.cookie).find_map(|sealed| {
        let with = |role| {
            let session = Session::open(sealed, &*access.token(role)?, now)?;
            (!access.ended.has(&session.id)).then_some((role, session))
        };
        with(Role::Write).or_else(|| with(Role::Read))
    })
}

/// The answer to what a page of another site sends with our cookie; none where it is a page of ours.
pub(super) fn foreign_page(access: &Rules, headers: &HeaderMap) -> Option<Response> {
    let (detail, help) = origin::check(headers, &access.hosts).err()?;
    refused("origin");
    Some(refusal(headers, StatusCode::FORBIDDEN, &detail, &help))
}

/// The caller, by the name that a trusted proxy says, or else by the one it says itself.
fn known(access: &Rules, parts: &Parts, role: Role, said: Option<String>) -> Caller {
    let field = access.author_header.as_ref().filter(|_| is_trusted(access, parts));
    let vouched = field.and_then(|field| author::in_header(&parts.headers, field));
    let name = vouched.or(said).unwrap_or_else(|| author::NOBODY.into());
    Caller { name, may_write: role == Role::Write, token: access.token(role), session: None }
}

fn peer(parts: &Parts) -> Option<SocketAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer)
}

/// Whether the request comes from a proxy whose word counts.
pub(super) fn is_trusted(access: &Rules, parts: &Parts) -> bool {
    peer(parts).is_some_and(|peer| access.trusts(peer.ip()))
}

/// Somebody without a token or a session.
fn no_token(parts: &Parts) -> Response {
    if wants_page(&parts.headers) {
        return sign_in::page(parts, "Only operators with a token may use this address.");
    }
    let help = "send it: Authorization: Bearer TOKEN; the token is in FLAGSTAFF_ADMIN_TOKEN, in admin_token_file, or in the file \
                admin-token of the state folder";
    unauthorized("this address needs a token", help)
}

impl Access {
    /// Counts a wrong token, and waits until it may be answered.
    pub(crate) async fn wrong_token(&self, parts: &Parts) {
        guessed(&self.0, parts).await;
    }
}

/// Counts a wrong token, of whatever kind, and waits until it may be answered.
pub(super) async fn guessed(access: &Rules, parts: &Parts) {
    refused("token");
    access.wrong_tokens.wait(peer(parts)).await;
}

async fn wrong_token(access: &Rules, parts: &Parts) -> Response {
    guessed(access, parts).await;
    let help =
        "the token is in FLAGSTAFF_ADMIN_TOKEN, in admin_token_file, or in the file admin-token of the state folder";
    unauthorized("this token is not valid here", help)
}

fn unauthorized(detail: &str, help: &str) -> Response {
    let mut answer = problem(StatusCode::UNAUTHORIZED, detail, help);
    let scheme = header::HeaderValue::from_static("Bearer realm=\"flagstaff\"");
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    answer
}
