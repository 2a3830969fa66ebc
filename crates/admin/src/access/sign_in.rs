//! How a browser gets its session: by the link with the token, or by a form that takes it.

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use form_urlencoded::parse;
use serde::Deserialize;

use super::caller::OpenSession;
use super::check::{foreign_page, guessed, is_trusted};
use super::session::{SESSION_SECONDS, Session, now, set_cookie};
use super::settings::{Access, Role, Rules};
use super::{Caller, author};
use crate::extract::Form;
use crate::response::{escaped, no_store, page as small_page};

/// The part of a link that holds the token.
const TOKEN: &str = "token";

/// What needs no session: the form's target, and the style and icon of small pages.
pub(crate) fn open_routes(access: Access) -> Router {
    Router::new()
        .route("/session", post(sign_in))
        .route("/session.css", get(async || ([(header::CONTENT_TYPE, "text/css")], include_str!("session.css"))))
        .route(
            "/favicon.ico",
            get(async || ([(header::CONTENT_TYPE, "image/svg+xml")], include_str!("../../assets/icon.svg"))),
        )
        .with_state(access)
}

/// What a session can change of itself.
pub(crate) fn session_routes(access: Access) -> Router {
    Router::new()
        .route("/session", get(shown))
        .route("/session/name", post(rename))
        .route("/session/end", post(sign_out))
        .with_state(access)
}

/// The token in a link, and the link without it.
pub(super) fn link(parts: &Parts) -> Option<(String, String)> {
    let query = parts.uri.query().filter(|_| matches!(parts.method, Method::GET | Method::HEAD))?;
    let (_, token) = parse(query.as_bytes()).find(|(key, _)| key == TOKEN)?;
    // as it is read above: a name may be written with escapes
    let is_token = |pair: &&str| parse(pair.as_bytes()).any(|(key, _)| key == TOKEN);
    let rest = query.split('&').filter(|pair| !is_token(pair)).collect::<Vec<_>>().join("&");
    let path = parts.uri.path();
    Some((token.into_owned(), if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") }))
}

/// Begins a session and leads to a page of this address.
pub(super) fn open(access: &Rules, parts: &Parts, role: Role, next: &str) -> Response {
    let sealed = access.token(role).and_then(|token| Some(Session::new(None, now())?.seal(&token)));
    lead(access, parts, sealed.as_deref(), next)
}

/// Leads to a page of this address, with the session's cookie; without one it is removed.
fn lead(access: &Rules, parts: &Parts, sealed: Option<&str>, next: &str) -> Response {
    let cookie = set_cookie(&access.cookie, sealed, is_https(access, parts));
    let mut answer = no_store(StatusCode::SEE_OTHER);
    for (name, text) in [(header::SET_COOKIE, cookie.as_str()), (header::LOCATION, own_path(next))] {
        answer.headers_mut().extend(HeaderValue::from_str(text).ok().map(|value| (name, value)));
    }
    answer
}

/// Whether the browser's side is encrypted, as a trusted proxy says. This address itself has no TLS.
fn is_https(access: &Rules, parts: &Parts) -> bool {
    let said = parts.headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let last = said.rsplit(',').next().unwrap_or_default();
    last.trim().eq_ignore_ascii_case("https") && is_trusted(access, parts)
}

/// A path of this address. What browsers would take for another host, or what no header can carry, is the first page.
fn own_path(next: &str) -> &str {
    let is_path = next.starts_with('/') && !next.get(1..).is_some_and(|rest| rest.starts_with(['/', '\\']));
    if is_path && next.bytes().all(|byte| byte.is_ascii_graphic()) { next } else { "/" }
}

/// The page for somebody without a session. Browsers do not send the cookie with a click on another site's link; that page asks
/// once more by itself, and then they do.
pub(super) fn page(parts: &Parts, message: &str) -> Response {
    let is_click = parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    let again = if is_click { "<meta http-equiv=\"refresh\" content=\"0\">\n" } else { "" };
    let next = parts.uri.path_and_query().map_or("/", |next| next.as_str());
    form(message, again, next)
}

/// The page for a token that is not the right one.
pub(super) async fn wrong_token(access: &Rules, parts: &Parts, next: &str) -> Response {
    guessed(access, parts).await;
    form("This token is not valid here.", "", next)
}

fn form(message: &str, head: &str, next: &str) -> Response {
    let (message, next) = (escaped(message), escaped(own_path(next)));
    let html = format!(
        "{head}<p>{message}</p>\n<form method=\"post\" action=\"/session\">\n<label for=\"token\">Token</label>\n\
         <input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"current-password\" required autofocus>\n\
         <input type=\"hidden\" name=\"next\" value=\"{next}\">\n<button>Open</button>\n</form>\n\
         <p>Where the token is: <code>flagstaff run</code> prints a link with it when it makes one. It is kept in the file \
         <code>admin-token</code> of the state folder. In production it is what was set as <code>FLAGSTAFF_ADMIN_TOKEN</code> or \
         in <code>admin_token_file</code>.</p>"
    );
    small_page(StatusCode::UNAUTHORIZED, "Who are you?", &html)
}

/// What the form sends.
#[derive(Deserialize)]
struct SignIn {
    token: String,
    #[serde(default)]
    next: String,
}

async fn sign_in(State(access): State<Access>, parts: Parts, Form(said): Form<SignIn>) -> Response {
    if let Some(refused) = foreign_page(&access.0, &parts.headers) {
        return refused;
    }
    match access.0.role(said.token.trim().as_bytes()) {
        Some(role) => open(&access.0, &parts, role, &said.next),
        None => wrong_token(&access.0, &parts, &said.next).await,
    }
}

/// The session: who one is, another name, and its end.
async fn shown(Extension(caller): Extension<Caller>) -> Response {
    let name = if caller.name == author::NOBODY { String::new() } else { escaped(&caller.name) };
    let may = if caller.may_write { "may change flags" } else { "may read, and change nothing" };
    let html = format!(
        "<p>You {may}.</p>\n<form method=\"post\" action=\"/session/name\">\n<label for=\"name\">Your name, for the record of what \
         you change</label>\n<input id=\"name\" name=\"name\" value=\"{name}\" maxlength=\"64\" autocomplete=\"name\">\n\
         <button>Save</button>\n</form>\n<form method=\"post\" action=\"/session/end\"><button>Sign out</button></form>\n\
         <p><a href=\"/\">Back to the flags</a></p>"
    );
    small_page(StatusCode::OK, "Your session", &html)
}

/// What the form of a name sends.
#[derive(Deserialize)]
struct Rename {
    name: String,
    #[serde(default)]
    next: String,
}

async fn rename(
    State(access): State<Access>,
    Extension(caller): Extension<Caller>,
    parts: Parts,
    Form(said): Form<Rename>,
) -> Response {
    let name = author::name(&said.name);
    let session = match caller.session {
        Some(OpenSession { session, .. }) => Some(session.renamed(name, now())),
        None => Session::new(name, now()),
    };
    let sealed = session.zip(caller.token).map(|(session, token)| session.seal(&token));
    lead(&access.0, &parts, sealed.as_deref(), &said.next)
}

/// Ends the session: also a copy of its cookie lets nobody in then, whatever name it has.
async fn sign_out(State(access): State<Access>, Extension(caller): Extension<Caller>, parts: Parts) -> Response {
    if let Some(OpenSession { session, ended }) = caller.session {
        let now = now();
        ended.add(session.id, now + SESSION_SECONDS, now);
    }
    lead(&access.0, &parts, None, "/")
}
