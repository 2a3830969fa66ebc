//! `/openapi.json`: the routes as programs read them (OpenAPI 3.1), made of the routes themselves.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use flagstaff_operations::api::Problem;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value};

use super::endpoint::{Content, Endpoint};

/// Statuses that every route may answer: without a token, with one that does not suffice, with a wrong host; when a file or the ledger
/// gives no answer; when something is broken.
const EVERYWHERE: [u16; 5] = [401, 403, 421, 500, 503];

/// The whole description.
#[derive(Serialize)]
pub(super) struct Document {
    openapi: &'static str,
    info: Info,
    security: Vec<BTreeMap<&'static str, Vec<String>>>,
    paths: BTreeMap<&'static str, BTreeMap<String, Operation>>,
    components: Components,
}

#[derive(Serialize)]
struct Info {
    title: &'static str,
    version: &'static str,
    description: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Components {
    schemas: Map<String, Value>,
    security_schemes: BTreeMap<&'static str, SecurityScheme>,
}

#[derive(Serialize)]
struct SecurityScheme {
    r#type: &'static str,
    scheme: &'static str,
    description: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    operation_id: &'static str,
    summary: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Parameter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_body: Option<RequestBody>,
    responses: BTreeMap<String, ResponseObject>,
}

#[derive(Serialize)]
struct Parameter {
    name: String,
    r#in: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    required: bool,
    schema: Value,
}

#[derive(Serialize)]
struct RequestBody {
    required: bool,
    content: BTreeMap<&'static str, Media>,
}

#[derive(Serialize)]
struct ResponseObject {
    description: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<&'static str, Header>,
    content: BTreeMap<&'static str, Media>,
}

#[derive(Serialize)]
struct Header {
    description: &'static str,
    schema: Schema,
}

#[derive(Serialize)]
struct Media {
    schema: Schema,
}

/// Describes routes.
pub(super) fn document(endpoints: &[Endpoint]) -> Document {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    // what is sent may leave out what has a default, what is answered leaves out nothing
    let mut sent = settings.clone().for_deserialize().into_generator();
    let mut answered = settings.for_serialize().into_generator();
    let mut paths: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for endpoint in endpoints {
        let method = endpoint.method.as_str().to_lowercase();
        paths.entry(endpoint.path).or_default().insert(method, operation(endpoint, &mut sent, &mut answered));
    }
    let mut schemas = sent.take_definitions(true);
    schemas.extend(answered.take_definitions(true));
    let token = SecurityScheme {
        r#type: "http",
        scheme: "bearer",
        description: "The token of FLAGSTAFF_ADMIN_TOKEN, or the one that may only read",
    };
    Document {
        openapi: "3.1.0",
        info: Info {
            title: "Flagstaff",
            version: env!("CARGO_PKG_VERSION"),
            description: "Flags, experiments and rollouts of a running program: all that its commands ask and do.",
        },
        security: vec![BTreeMap::from([("token", Vec::new())])],
        paths,
        components: Components { schemas, security_schemes: BTreeMap::from([("token", token)]) },
    }
}

fn operation(endpoint: &Endpoint, sent: &mut SchemaGenerator, answered: &mut SchemaGenerator) -> Operation {
    let mut parameters = in_path(endpoint.path);
    parameters.extend(endpoint.query.into_iter().flat_map(|query| in_query(&query(sent))));
    parameters.extend(in_head(endpoint));
    Operation {
        operation_id: endpoint.name,
        summary: endpoint.summary,
        parameters,
        request_body: endpoint.body.map(|body| RequestBody {
            required: endpoint.body_is_required,
            content: BTreeMap::from([(body.media, media(&body, sent))]),
        }),
        responses: responses(endpoint, answered),
    }
}

fn in_path(path: &str) -> Vec<Parameter> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameter = |name: &str| Parameter {
        name: name.into(),
        r#in: "path",
        description: String::new(),
        required: true,
        schema: String::json_schema(&mut SchemaGenerator::default()).into(),
    };
    names.map(parameter).collect()
}

/// Each key of a query.
fn in_query(query: &Schema) -> Vec<Parameter> {
    let object = |key: &str| query.get(key).and_then(Value::as_object);
    let required: BTreeSet<_> =
        query.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let parameter = |(name, schema): (&String, &Value)| Parameter {
        name: name.clone(),
        r#in: "query",
        description: schema.get("description").and_then(Value::as_str).unwrap_or_default().into(),
        required: required.contains(name.as_str()),
        schema: not_null(schema.clone()),
    };
    object("properties").into_iter().flatten().map(parameter).collect()
}

/// What a query does not say is left out; it has no null.
fn not_null(mut schema: Value) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.remove("description");
        if let Some(Value::Array(types)) = object.get("type") {
            let other = types.iter().find(|one| *one != "null").cloned().unwrap_or_default();
            object.insert("type".into(), other);
        }
        if object.get("default").is_some_and(Value::is_null) {
            object.remove("default");
        }
    }
    schema
}

fn in_head(endpoint: &Endpoint) -> Vec<Parameter> {
    let text = || String::json_schema(&mut SchemaGenerator::default()).into();
    let field = |name: &str, description: &str| Parameter {
        name: name.into(),
        r#in: "header",
        description: description.into(),
        required: false,
        schema: text(),
    };
    let edit = endpoint.is_edit.then(|| field("If-Match", "Edit the flags of this revision alone: an ETag"));
    let command = endpoint
        .is_command
        .then(|| field("If-Match", "Command the rollout in this state alone: an ETag of the rollout"));
    let order = endpoint
        .is_order
        .then(|| field("Idempotency-Key", "A name for this order: sent again with it, it is carried out once"));
    let resumed = endpoint.resumes.then(|| field("Last-Event-ID", "Go on after the event with this id"));
    edit.into_iter().chain(command).chain(order).chain(resumed).collect()
}

fn responses(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> BTreeMap<String, ResponseObject> {
    let problems: BTreeSet<u16> = endpoint.problems.iter().copied().chain(EVERYWHERE).collect();
    let mut responses = BTreeMap::new();
    for status in problems {
        let schema = generator.subschema_for::<Problem>();
        let content = BTreeMap::from([("application/problem+json", Media { schema })]);
        responses.insert(
            status.to_string(),
            ResponseObject { description: why(status), headers: BTreeMap::new(), content },
        );
    }
    let etag = |description| Header { description, schema: String::json_schema(&mut SchemaGenerator::default()) };
    let revision = endpoint.names_revision.then(|| etag("The revision of the flags, for If-Match"));
    let state = endpoint.names_rollout.then(|| etag("The number of the rollout's newest fact, for If-Match"));
    let content = endpoint.answers.iter().map(|content| (content.media, media(content, generator)));
    let content = content.collect();
    let headers = revision.or(state).map(|etag| ("ETag", etag)).into_iter().collect();
    responses.insert("200".into(), ResponseObject { description: "Done", headers, content });
    responses
}

fn media(content: &Content, generator: &mut SchemaGenerator) -> Media {
    let schema = content.schema.unwrap_or(String::json_schema);
    Media { schema: schema(generator) }
}

fn why(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Problem")
}
