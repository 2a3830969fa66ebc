//! A route with its description: what is routed is described, because both are one thing.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::extract::{MAX_BODY, unconditional};
use super::idempotency::{IdempotencyKeys, once};
use crate::Context;

/// The schema of a type, for a generator.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What is sent or answered: its media type, and its shape where it has one.
#[derive(Clone, Copy)]
pub(super) struct Content {
    pub(super) media: &'static str,
    pub(super) schema: Option<SchemaOf>,
}

impl Content {
    fn json<T: JsonSchema>() -> Self {
        Self { media: "application/json", schema: Some(schemars::SchemaGenerator::subschema_for::<T>) }
    }

    const fn text(media: &'static str) -> Self {
        Self { media, schema: None }
    }
}

/// A route with its description.
pub(super) struct Endpoint {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// The name for programs that are generated from the description.
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    /// The query, as an object.
    pub(super) query: Option<SchemaOf>,
    pub(super) body: Option<Content>,
    /// An answer needs a body.
    pub(super) body_is_required: bool,
    pub(super) answers: Vec<Content>,
    /// Statuses of problems, beside those of every route.
    pub(super) problems: Vec<u16>,
    /// The answer names the revision of the flags.
    pub(super) names_revision: bool,
    /// The answer names the state of a rollout.
    pub(super) names_rollout: bool,
    /// It commands a rollout, in one state of it where that is said.
    pub(super) is_command: bool,
    /// It edits the files, of one revision where that is said.
    pub(super) is_edit: bool,
    /// It goes on after an event that was read before.
    pub(super) resumes: bool,
    /// It changes something.
    pub(super) is_order: bool,
    route: MethodRouter<Context>,
}

impl Endpoint {
    pub(super) fn get<T: 'static>(path: &'static str, handler: impl Handler<T, Context>) -> Self {
        Self::new(Method::GET, MethodFilter::GET, path, handler)
    }

    pub(super) fn post<T: 'static>(path: &'static str, handler: impl Handler<T, Context>) -> Self {
        Self::new(Method::POST, MethodFilter::POST, path, handler)
    }

    pub(super) fn patch<T: 'static>(path: &'static str, handler: impl Handler<T, Context>) -> Self {
        Self::new(Method::PATCH, MethodFilter::PATCH, path, handler)
    }

    pub(super) fn delete<T: 'static>(path: &'static str, handler: impl Handler<T, Context>) -> Self {
        Self::new(Method::DELETE, MethodFilter::DELETE, path, handler)
    }

    fn new<T: 'static>(
        method: Method,
        filter: MethodFilter,
        path: &'static str,
        handler: impl Handler<T, Context>,
    ) -> Self {
        let has_flag = path.contains("{flag}");
        Self {
            method,
            path,
            name: "",
            summary: "",
            query: None,
            body: None,
            body_is_required: false,
            answers: Vec::new(),
            problems: if has_flag { vec![400, 404] } else { Vec::new() },
            names_revision: false,
            names_rollout: false,
            is_command: false,
            is_edit: false,
            resumes: false,
            is_order: false,
            route: on(filter, handler),
        }
    }

    /// With its name for programs, and what it does.
    pub(super) fn named(self, name: &'static str, summary: &'static str) -> Self {
        Self { name, summary, ..self }
    }

    /// It reads a query of this shape.
    pub(super) fn asks<T: JsonSchema>(self) -> Self {
        Self { query: Some(T::json_schema), ..self.may_answer(&[400]) }
    }

    /// It reads a body of this shape, and none says nothing.
    pub(super) fn takes<T: JsonSchema>(self) -> Self {
        Self { body: Some(Content::json::<T>()), ..self.may_answer(&[400, 408, 413, 415]) }
    }

    /// It needs a body of this shape.
    pub(super) fn needs<T: JsonSchema>(self) -> Self {
        Self { body_is_required: true, ..self.takes::<T>() }
    }

    /// It needs a text of up to so many bytes.
    pub(super) fn needs_text(mut self, media: &'static str, limit: usize) -> Self {
        self.route = self.route.layer(DefaultBodyLimit::max(limit));
        Self { body: Some(Content::text(media)), body_is_required: true, ..self.may_answer(&[400, 408, 413]) }
    }

    /// It answers in this shape.
    pub(super) fn answers<T: JsonSchema>(mut self) -> Self {
        self.answers.push(Content::json::<T>());
        self
    }

    /// It answers with a text.
    pub(super) fn answers_text(mut self, media: &'static str) -> Self {
        self.answers.push(Content::text(media));
        self
    }

    /// It answers with the revision of the flags as its `ETag`.
    pub(super) fn with_revision(self) -> Self {
        Self { names_revision: true, ..self }
    }

    /// It may answer a problem with these statuses.
    pub(super) fn may_answer(mut self, statuses: &[u16]) -> Self {
        self.problems.extend(statuses);
        self
    }

    /// It edits the flag file.
    pub(super) fn edits(self) -> Self {
        Self { is_edit: true, names_revision: true, ..self.may_answer(&[400, 409, 412, 422]) }
    }

    /// It answers with the state of a rollout as its `ETag`.
    pub(super) fn names_rollout(self) -> Self {
        Self { names_rollout: true, ..self }
    }

    /// It commands a rollout.
    pub(super) fn commands_rollout(self) -> Self {
        Self { is_command: true, ..self.names_rollout().may_answer(&[409, 412]) }
    }

    /// It goes on after an event that was read before, where its client names one.
    pub(super) fn resumes(self) -> Self {
        Self { resumes: true, ..self }
    }

    /// It changes something, and with an `Idempotency-Key` only once.
    pub(super) fn once(mut self, keys: &Arc<IdempotencyKeys>) -> Self {
        self.route = self.route.layer(from_fn_with_state(Arc::clone(keys), once));
        Self { is_order: true, ..self.may_answer(&[400, 409, 413, 422]) }
    }
}

/// The routes of endpoints.
pub(super) fn routes(endpoints: Vec<Endpoint>) -> Router<Context> {
    let add = |router: Router<Context>, endpoint: Endpoint| {
        let has_condition = endpoint.is_edit || endpoint.is_command || !endpoint.is_order;
        let route = if has_condition { endpoint.route } else { endpoint.route.layer(from_fn(unconditional)) };
        router.route(endpoint.path, route)
    };
    endpoints.into_iter().fold(Router::new(), add).layer(DefaultBodyLimit::max(MAX_BODY))
}
