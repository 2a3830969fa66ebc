//! Asks for flags of every type and prints what it gets, as JSON.

use std::fmt::Debug;

use open_feature::provider::FeatureProvider;
use open_feature::{Client, EvaluationContext, EvaluationDetails, EvaluationError, OpenFeature, StructValue};
use open_feature_ofrep::{OfrepOptions, OfrepProvider};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};

fn said<T: Debug>(answer: Result<EvaluationDetails<T>, EvaluationError>, value: fn(T) -> Value) -> Value {
    match answer {
        Ok(details) => json!({"value": value(details.value), "variant": details.variant, "error": null}),
        Err(error) => json!({"value": null, "variant": null, "error": error.code.to_string()}),
    }
}

async fn client(address: &str, token: &str) -> Client {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).expect("a token for a header"));
    let options = OfrepOptions { base_url: address.into(), headers, ..OfrepOptions::default() };
    let provider = OfrepProvider::new(options).await.expect("an address");
    assert!(!provider.metadata().name.is_empty());
    let mut api = OpenFeature::singleton_mut().await;
    api.set_provider(provider).await;
    api.create_client()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (address, token) = (arguments.next().expect("an address"), arguments.next().expect("a token"));
    let client = client(&address, &token).await;
    let somebody = EvaluationContext::default()
        .with_targeting_key("visitor-1")
        .with_custom_field("user", "42")
        .with_custom_field("plan", "pro");
    let somebody = Some(&somebody);
    let mut all = Map::new();
    for (name, flag, who) in [
        ("boolean", "for_all", None),
        ("disabled", "switched_off", None),
        ("user", "for_42", somebody),
        ("attribute", "for_pro", somebody),
        ("unknown", "no_such_flag", somebody),
        ("no_key", "half", None),
    ] {
        all.insert(name.into(), said(client.get_bool_details(flag, who, None).await, Value::from));
    }
    all.insert("string".into(), said(client.get_string_details("colour", somebody, None).await, Value::from));
    all.insert("integer".into(), said(client.get_int_details("limit", somebody, None).await, Value::from));
    all.insert("float".into(), said(client.get_float_details("price", somebody, None).await, Value::from));
    all.insert("wrong_type".into(), said(client.get_int_details("for_all", somebody, None).await, Value::from));
    let layout = client.get_struct_details::<StructValue>("layout", somebody, None).await;
    let columns = |layout: StructValue| {
        json!({
            "columns": layout.fields.get("columns").and_then(open_feature::Value::as_i64),
            "wide": layout.fields.get("wide").and_then(open_feature::Value::as_bool),
        })
    };
    all.insert("object".into(), said(layout, columns));
    println!("{}", Value::Object(all));
}
