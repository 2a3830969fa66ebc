//! Unleash's frontend API, `/api/frontend`: for web clients with a token of their own, which shows them what browsers may see. What the protocol
//! says is in the tag room, for visitors too.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::any;
use flagstaff_tag::EvaluationContext;
use flagstaff_tag::unleash::{self, Context as Said, Route};
use jiff::Timestamp;

use crate::access::Access;
use crate::{Context, body};

/// The address that clients are given.
pub(crate) const FRONTEND: &str = "/api/frontend";

#[derive(Clone)]
struct Frontend {
    context: Context,
    tokens: Arc<[String]>,
    access: Access,
}

pub(crate) fn router(context: Context, tokens: Vec<String>, access: Access) -> Router {
    let routes = Router::new().route(FRONTEND, any(answer)).route("/api/frontend/", any(answer));
    routes.route("/api/frontend/{*rest}", any(answer)).with_state(Frontend { context, tokens: tokens.into(), access })
}

async fn answer(State(frontend): State<Frontend>, request: Request) -> Response {
    let (asked, body) = request.into_parts();
    let refused = |status, why: &str| unleash::refused(status, why).map(Body::from);
    let said = said(&asked.headers);
    if !said.is_some_and(|said| frontend.knows(said)) {
        if said.is_some() {
            frontend.access.wrong_token(&asked).await;
        }
        return refused(
            StatusCode::UNAUTHORIZED,
            "send one of the tokens of unleash.tokens in the header Authorization",
        );
    }
    let Some(route) = asked.uri.path().strip_prefix(FRONTEND).and_then(Route::of) else {
        return refused(StatusCode::NOT_FOUND, "there is nothing here");
    };
    if let Some(refusal) = unleash::wrong_method(route, &asked.method) {
        return refusal.map(Body::from);
    }
    let body = match body::read(body).await {
        Ok(body) => body,
        Err(why) => return unleash::not_read(why).map(Body::from),
    };
    let Route::Toggles(which) = route else {
        return unleash::accepted().map(Body::from);
    };
    match context(&asked.method, asked.uri.query().unwrap_or_default(), &body) {
        Ok(context) => {
            let snapshot = frontend.context.snapshot();
            let decisions = context.with_subject(Timestamp::now(), |subject| snapshot.decide(subject));
            unleash::toggles(&decisions, which, &asked.headers).map(Body::from)
        }
        Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

/// Clients ask with the context in the query, or post it.
fn context(method: &Method, query: &str, body: &[u8]) -> Result<EvaluationContext, flagstaff_tag::ContextError> {
    let said = if *method == Method::POST { Said::of_body(body)? } else { Said::of_query(query) };
    said.read()
}

impl Frontend {
    /// Whether it is one of the tokens.
    fn knows(&self, said: &[u8]) -> bool {
        self.tokens.iter().fold(false, |known, token| same(said, token.as_bytes()) | known)
    }
}

/// The token of a request: alone, as Unleash's clients send it, or as a bearer's.
fn said(headers: &HeaderMap) -> Option<&[u8]> {
    let said = headers.get(AUTHORIZATION)?.as_bytes();
    Some(said.strip_prefix(b"Bearer ").unwrap_or(said)).filter(|said| !said.is_empty())
}

/// Compares in a time that says nothing about where two texts differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}
