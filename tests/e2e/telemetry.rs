//! Spans of requests with their flags, as a collector of OpenTelemetry reads them.

use serde_json::Value;

use crate::harness::app::App;
use crate::harness::crowd::look;
use crate::harness::program::{Program, Setup};
use crate::harness::python::PythonApp;
use crate::harness::raw::Raw;
use crate::harness::{eventually, free_address};

const FLAGS: &str = "[flags.form]\npercent = 100\n\n[flags.shut]\nenabled = false\n\n[flags.price]\nvariants = { classic = 50, simple = 50 }\n\n\
                     [flags.elsewhere]\nexposed_on = [\"/else\"]\n";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// What the app was sent.
fn app() -> App {
    App::start(|exchange| {
        let field = |name| exchange.field(name).unwrap_or_else(|| "none".into());
        let said = format!("{} {}", field("traceparent"), field("tracestate"));
        let status = if exchange.target.contains("broken") { 503 } else { 200 };
        exchange.answer(status, "Cache-Control: no-store\r\n", said)
    })
}

fn setup(app: &App, collector: std::net::SocketAddr) -> Setup {
    let setup = Setup::to(&[app.address]).flags(FLAGS);
    setup.key("telemetry", &format!("endpoint = \"http://{collector}\"\nservice_name = \"shop\""))
}

fn ask(program: &Program, target: &str, lines: &str) -> (u16, String) {
    let mut raw = program.raw();
    raw.send(format!(
        "GET {target} HTTP/1.1\r\nHost: shop.example:81\r\nUser-Agent: Mozilla/5.0 Firefox/140.0\r\nAccept: text/html\r\nConnection: close\r\n{lines}\r\n"
    ));
    let answer = raw.answer();
    (answer.status, answer.text())
}

/// The spans that the collector has, once there are so many.
#[track_caller]
fn spans(collector: &PythonApp, count: usize) -> Vec<Value> {
    let mut all = Vec::new();
    eventually("the spans are there", || {
        let mut raw = Raw::connect(collector.address);
        raw.send("GET / HTTP/1.1\r\nHost: collector\r\nConnection: close\r\n\r\n");
        all = serde_json::from_slice::<Vec<Value>>(&raw.answer().body).unwrap();
        all.len() >= count
    });
    assert_eq!(all.len(), count, "{all:#?}");
    all
}

#[test]
fn a_request_is_a_span_with_an_event_for_each_flag_that_it_meets() {
    let (app, collector) = (app(), PythonApp::start("otlp_collector.py", &[]));
    let program = setup(&app, collector.address).start();
    let revision = program.health()["flags"]["revision"].as_str().unwrap().to_owned();
    let (_, said) = ask(&program, "/form/a?secret=1", "Cookie: flagstaff_visitor=traced0000000000000001\r\n");
    let span = &spans(&collector, 1)[0];
    assert_eq!((&span["name"], &span["kind"]), (&"GET".into(), &"SPAN_KIND_SERVER".into()), "{span:#}");
    assert_eq!((&span["resource"]["service.name"], &span["status"]), (&"shop".into(), &"STATUS_CODE_UNSET".into()));
    for (key, value) in [
        ("http.request.method", "GET"),
        ("url.path", "/form/a"),
        ("url.scheme", "http"),
        ("server.address", "shop.example"),
        ("server.port", "81"),
        ("network.protocol.version", "1.1"),
        ("http.response.status_code", "200"),
    ] {
        assert_eq!(span["attributes"][key], value, "{key}: {span:#}");
    }
    assert!(
        !span.to_string().contains("secret") && !span.to_string().contains("traced0"),
        "nothing personal: {span:#}"
    );
    assert!(span["nanoseconds"].as_u64().unwrap() > 0);
    let event = |flag: &str| {
        let mut all = span["events"].as_array().unwrap().iter();
        all.find(|event| event["attributes"]["feature_flag.key"] == flag)
            .unwrap_or_else(|| panic!("{flag}: {span:#}"))
    };
    assert_eq!(span["events"].as_array().unwrap().len(), 3, "not of the one it does not meet");
    for (flag, variant, reason) in [("form", "on", "static"), ("shut", "off", "disabled"), ("price", "", "split")] {
        let event = event(flag);
        let attributes = &event["attributes"];
        assert_eq!(
            (&event["name"], &attributes["feature_flag.result.reason"]),
            (&"feature_flag.evaluation".into(), &reason.into())
        );
        assert_eq!(
            (&attributes["feature_flag.version"], &attributes["feature_flag.provider.name"]),
            (&revision.clone().into(), &"flagstaff".into())
        );
        let told = attributes["feature_flag.result.variant"].as_str().unwrap();
        assert!(told == variant || variant.is_empty() && ["classic", "simple"].contains(&told), "{event:#}");
    }
    // the app's parent is this span
    let wanted = format!("00-{}-{}-01 none", span["trace"].as_str().unwrap(), span["span"].as_str().unwrap());
    assert_eq!(said, wanted);
    assert_eq!(ask(&program, "/broken", "").0, 503);
    let failed = &spans(&collector, 2)[1];
    assert_eq!(
        (&failed["status"], &failed["attributes"]["error.type"]),
        (&"STATUS_CODE_ERROR".into(), &"503".into())
    );
    eventually("they are counted", || program.metric("flagstaff_spans_total", "exported") == 2.0);
}

#[test]
fn a_trace_goes_on_only_for_those_who_are_trusted() {
    let (app, collector) = (app(), PythonApp::start("otlp_collector.py", &[]));
    let lines = format!("traceparent: 00-{TRACE}-{PARENT}-01\r\ntracestate: vendor=1\r\n");
    let stranger = setup(&app, collector.address).start();
    let (_, said) = ask(&stranger, "/", &lines);
    assert!(!said.contains(TRACE) && said.ends_with("-01 none"), "{said}");
    assert_eq!(spans(&collector, 1)[0]["parent"], "");
    let trusted = setup(&app, collector.address).key("trust", "addresses = [\"127.0.0.1\"]").start();
    let (_, said) = ask(&trusted, "/", &lines);
    assert!(said.starts_with(&format!("00-{TRACE}-")) && said.ends_with("-01 vendor=1"), "{said}");
    let span = &spans(&collector, 2)[1];
    assert_eq!((&span["trace"], &span["parent"]), (&TRACE.into(), &PARENT.into()));
    assert!(said.contains(span["span"].as_str().unwrap()), "{said}");
    // a trace that is not sampled stays so, and the app learns it
    let (_, said) = ask(&trusted, "/", &lines.replace("-01\r", "-00\r"));
    assert!(said.starts_with(&format!("00-{TRACE}-")) && said.contains("-00 "), "{said}");
    for wrong in [format!("00-{TRACE}-{PARENT}"), "00-0-0-01".into(), format!("00-{}-{PARENT}-01", "0".repeat(32))] {
        let (_, said) = ask(&trusted, "/", &format!("traceparent: {wrong}\r\n"));
        assert!(!said.contains(&wrong) && said.starts_with("00-"), "{said}");
    }
    let all =
        setup(&app, collector.address).key("telemetry", "continue_traces = \"all\"\nvisitor_ids = true").start();
    let (_, said) = ask(&all, "/", &format!("{lines}Cookie: flagstaff_visitor=traced0000000000000001\r\n"));
    assert!(said.starts_with(&format!("00-{TRACE}-")), "{said}");
    let told = spans(&collector, 6).pop().unwrap();
    assert_eq!(told["events"][0]["attributes"]["feature_flag.context.id"], "traced0000000000000001", "{told:#}");
}

#[test]
fn few_are_sampled_and_a_collector_that_is_away_keeps_nobody_waiting() {
    let (app, collector) = (app(), PythonApp::start("otlp_collector.py", &[]));
    let none = setup(&app, collector.address).key("telemetry", "sample_ratio = 0.0").start();
    let (_, said) = ask(&none, "/", "");
    assert!(said.ends_with("-00 none"), "the app knows that nothing is kept: {said}");
    let away = free_address();
    let mut program = setup(&app, away).start();
    let mut raw = program.raw();
    for visitor in 0..3_000 {
        assert_eq!(look(&mut raw, &format!("away{visitor:018}")).status, 200);
    }
    eventually("it is said", || program.process.log().contains("takes no spans"));
    let lost =
        || program.metric("flagstaff_spans_total", "failed") + program.metric("flagstaff_spans_total", "dropped");
    eventually("lost spans are counted", || lost() > 0.0);
    assert!(program.stop().success(), "the last batch keeps it a few seconds at most");
    assert!(none.metric("flagstaff_spans_total", "") == 0.0);
}
