//! OFREP for servers, `/ofrep/v1/…`: any context, all flags. What the protocol says is in the tag room, for visitors too.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use flagstaff_tag::ofrep::{Question, evaluate};
use jiff::Timestamp;

use crate::{Context, body};

/// The path of all flags; one flag's name follows a slash.
pub(crate) const FLAGS: &str = "/ofrep/v1/evaluate/flags";

pub(crate) fn router(context: Context) -> Router {
    let routes = Router::new().route(FLAGS, any(flags)).route("/ofrep/v1/evaluate/flags/", any(flags));
    routes.route("/ofrep/v1/evaluate/flags/{*key}", any(flags)).with_state(context)
}

async fn flags(State(context): State<Context>, request: Request) -> Response {
    let (asked, body) = request.into_parts();
    // The name is taken from the path as it came: also one that is no UTF-8 gets an answer of the protocol.
    let question = asked.uri.path().strip_prefix(FLAGS).and_then(Question::of).unwrap_or(Question::Bulk);
    let body = body::read(body).await;
    let body = body.as_deref().map_err(|error| *error);
    evaluate(&context.snapshot(), &question, &asked, body, Timestamp::now()).map(Body::from)
}
