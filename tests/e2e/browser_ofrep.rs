//! A real browser: a page of the site asks with OpenFeature's web SDK, and hears of a change.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::harness::app::{App, Exchange, Then};
use crate::harness::chromium::Scenario;
use crate::harness::node::packages;
use crate::harness::program::Setup;

const FLAGS: &str = "[flags.for_all]\nclient = true\n\n[flags.half]\npercent = 50\n\n\
                     [flags.colour]\nvariants = { blue = 100 }\nclient = true\n\n\
                     [flags.limit]\nvalues = { on = 25, off = 0 }\nclient = true\n\n\
                     [flags.layout]\nvalues = { on = { columns = 2, wide = true }, off = {} }\nclient = true\n";

/// The site: one page, and the modules that it imports, from its own host.
fn site(exchange: &mut Exchange<'_>) -> Then {
    exchange.body();
    let (file, kind) = match exchange.target.strip_prefix("/modules/") {
        Some(module) => (Path::new("node_modules").join(module), "text/javascript"),
        None => (Path::new("browser/ofrep.html").into(), "text/html"),
    };
    let fields = format!("Content-Type: {kind}\r\nCache-Control: no-store\r\n");
    match fs::read(packages().join(file)) {
        Ok(bytes) => exchange.answer(200, &fields, bytes),
        Err(_) => exchange.answer(404, "", ""),
    }
}

#[test]
fn an_unchanged_web_client_hears_of_a_change_in_a_browser() {
    let app = App::start(site);
    let program = Setup::to(&[app.address]).with_token().flags(FLAGS).start();
    let Some(mut scenario) = Scenario::start("ofrep.js", &program, &[]) else { return };
    scenario.at("it is ready", |told| {
        assert_eq!((&told["boolean"]["value"], &told["boolean"]["reason"]), (&json!(true), &json!("STATIC")));
        assert_eq!((&told["string"]["value"], &told["number"]["value"]), (&json!("blue"), &json!(25)));
        assert_eq!(told["object"]["value"], json!({"columns": 2, "wide": true}));
        assert_eq!(told["hidden"]["errorCode"], "FLAG_NOT_FOUND", "not for pages");
        program.save_flags(&FLAGS.replace("[flags.for_all]", "[flags.for_all]\nenabled = false"));
    });
    scenario.at("it heard of a change", |told| {
        assert_eq!((&told["boolean"]["value"], &told["boolean"]["reason"]), (&json!(false), &json!("DISABLED")));
        assert_eq!(told["string"]["value"], "blue");
    });
    scenario.ends();
}
