//! The JSON API, `/api/v1/…`: all that the commands ask and do, with their answers.
//!
//! - `endpoint.rs`: a route with its description, and the routes of endpoints.
//! - `openapi.rs`: the description of all routes, `/openapi.json`.
//! - `extract.rs`: what a request says. `failure.rs`: why there is no answer. `revision.rs`: the revision that answers name.
//! - `idempotency.rs`: orders that are carried out once, however often they are sent.
//! - `flags.rs`, `edits.rs`, `lifecycle.rs`, `rollouts.rs`, `results.rs`, `records.rs`, `history.rs`, `traffic.rs`,
//!   `streams.rs`: the endpoints.

mod edits;
mod endpoint;
mod extract;
mod failure;
mod flags;
mod history;
mod idempotency;
mod lifecycle;
mod openapi;
mod records;
mod results;
mod revision;
mod rollouts;
mod streams;
mod traffic;

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::routing::{any, get};
use flagstaff_operations::api::ProblemKind;

use self::endpoint::{Endpoint, routes};
use self::failure::Failure;
use self::revision::json;
use crate::Context;

pub(crate) fn router(context: Context) -> Router {
    let endpoints = endpoints();
    let document = Arc::new(openapi::document(&endpoints));
    let describe = move || async move { json(&*document) };
    routes(endpoints)
        .route("/openapi.json", get(describe))
        .method_not_allowed_fallback(wrong_method)
        .route("/api", any(no_route))
        .route("/api/{*rest}", any(no_route))
        .with_state(context)
}

/// All that is routed and described.
fn endpoints() -> Vec<Endpoint> {
    let keys = Arc::default();
    let all = [
        flags::endpoints(),
        edits::endpoints(&keys),
        rollouts::endpoints(&keys),
        results::endpoints(),
        records::endpoints(&keys),
        history::endpoints(&keys),
        lifecycle::endpoints(&keys),
        traffic::endpoints(),
        streams::endpoints(),
    ];
    all.into_iter().flatten().collect()
}

async fn no_route(uri: Uri) -> Failure {
    let why = format!("there is no {} here", uri.path());
    Failure::new(ProblemKind::Status, StatusCode::NOT_FOUND, why).help("/openapi.json has all there is")
}

async fn wrong_method(method: Method, uri: Uri) -> Failure {
    let why = format!("{} does not take {method}", uri.path());
    let failure = Failure::new(ProblemKind::Status, StatusCode::METHOD_NOT_ALLOWED, why);
    failure.help("the header Allow says what it takes")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    fn document() -> Value {
        serde_json::to_value(openapi::document(&endpoints())).unwrap()
    }

    #[test]
    fn every_route_is_described_once() {
        let document = document();
        let mut names = BTreeSet::new();
        for endpoint in endpoints() {
            let method = endpoint.method.as_str().to_lowercase();
            let described = &document["paths"][endpoint.path][&method];
            assert_eq!(described["operationId"], endpoint.name, "{method} {}", endpoint.path);
            assert!(!endpoint.summary.is_empty() && !endpoint.answers.is_empty(), "{}", endpoint.path);
            assert!(names.insert(endpoint.name), "{} is there twice", endpoint.name);
        }
        let count: usize =
            document["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
        assert_eq!(count, names.len());
    }

    #[test]
    fn every_schema_that_is_named_is_there() {
        let document = document();
        let mut named = BTreeSet::new();
        references(&document, &mut named);
        assert!(named.contains("Problem") && named.contains("ListedFlag"), "{named:?}");
        for name in named {
            assert!(document["components"]["schemas"][&name].is_object(), "{name}");
        }
    }

    fn references(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(all) => {
                let path =
                    all.get("$ref").and_then(Value::as_str).map(|path| path.strip_prefix("#/components/schemas/"));
                into.extend(path.map(|name| name.expect("a schema of the document").to_owned()));
                all.values().for_each(|value| references(value, into));
            }
            Value::Array(all) => all.iter().for_each(|value| references(value, into)),
            _ => {}
        }
    }

    #[test]
    fn what_is_sent_and_what_is_answered_have_schemas_of_their_own() {
        let settings = schemars::generate::SchemaSettings::draft2020_12();
        let mut sent = settings.clone().for_deserialize().into_generator();
        let mut answered = settings.for_serialize().into_generator();
        for endpoint in endpoints() {
            endpoint.query.into_iter().for_each(|query| drop(query(&mut sent)));
            endpoint.body.and_then(|body| body.schema).into_iter().for_each(|schema| drop(schema(&mut sent)));
            let answers = endpoint.answers.iter().filter_map(|answer| answer.schema);
            answers.for_each(|schema| drop(schema(&mut answered)));
        }
        let both = sent.definitions().keys().filter(|name| answered.definitions().contains_key(*name));
        assert_eq!(both.count(), 0);
    }
}
