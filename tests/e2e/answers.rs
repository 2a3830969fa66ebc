//! How answers do by flag and variant, on the operators' page.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use flagstaff_flags::Draw;

use crate::harness::app::{App, Then};
use crate::harness::browser::Browser;
use crate::harness::program::{Program, Setup};
use crate::harness::raw::Raw;

const SECONDS: &str = "flagstaff_request_duration_seconds";
const FLAGS: &str = "[flags.form]\npercent = 50\nexposed_on = [\"/*\"]\n[flags.whole]\n[flags.elsewhere]\npercent = 50\nexposed_on = [\"/never\"]\n";

fn app() -> App {
    App::start(|exchange| {
        match exchange.target.as_str() {
            "/broken" => exchange.answer(503, "", "broken"),
            "/live" => exchange.answer(200, "Content-Type: text/event-stream\r\n", "data: 1\n\n"),
            "/slow" => {
                std::thread::sleep(Duration::from_millis(300));
                exchange.answer(200, "", "at last")
            }
            _ => exchange.answer(200, "", "fine"),
        };
        Then::Keep
    })
}

fn metrics(program: &Program) -> String {
    let mut raw = Raw::connect(program.admin);
    raw.send(format!("GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", program.admin));
    raw.answer().text()
}

/// Every sample of a text that is by the rules: each kind is described once, before its samples, which stand together.
fn samples(text: &str) -> HashMap<String, f64> {
    let (mut typed, mut samples, mut current) = (HashSet::new(), HashMap::new(), "");
    assert!(text.ends_with('\n'));
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram", "summary"].contains(&kind), "{line}");
            assert!(typed.insert(name), "twice: {line}");
            current = name;
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            let suffix = name.strip_prefix(current).unwrap_or_else(|| panic!("{line} is no {current}"));
            assert!(["", "_bucket", "_sum", "_count"].contains(&suffix), "{line} is no {current}");
            assert!(samples.insert(series.to_owned(), value.parse().unwrap()).is_none(), "twice: {line}");
        }
    }
    samples
}

#[test]
fn answers_are_counted_by_variant_with_a_ledger_and_without() {
    for ledger in ["none", "facts.db"] {
        let app = app();
        let program = Setup::to(&[app.address]).top(&format!("ledger = \"{ledger}\"")).flags(FLAGS).start();
        assert!(!samples(&metrics(&program)).keys().any(|series| series.starts_with(SECONDS)));
        let mut asked = [0; 2];
        for number in 0..40 {
            let visitor = format!("visitor-number-{number:07}");
            let is_on = Draw::of("form", &visitor).bucket() < 50;
            asked[usize::from(is_on)] += 1;
            let mut browser = Browser::of(program.address, &visitor);
            browser.get("/");
            browser.get("/live");
            browser.get(if is_on { "/broken" } else { "/" });
            if number == 0 {
                browser.get("/slow");
                browser.get_with("/", "Sec-Purpose: prefetch\r\n");
            }
        }
        let slow_is_on = Draw::of("form", "visitor-number-0000000").bucket() < 50;
        let samples = samples(&metrics(&program));
        for (variant, asked) in ["off", "on"].into_iter().zip(asked) {
            let is_slow = slow_is_on == (variant == "on");
            let timed = asked * 2 + u32::from(is_slow);
            let of =
                |name: &str, more: &str| samples[&format!("{name}{{flag=\"form\",variant=\"{variant}\"{more}}}")];
            let broken = if variant == "on" { asked } else { 0 };
            assert_eq!(of("flagstaff_answers_total", ",class=\"5xx\""), f64::from(broken));
            // streams are answers, but have no time
            assert_eq!(of("flagstaff_answers_total", ",class=\"2xx\""), f64::from(timed + asked - broken));
            assert_eq!(of(&format!("{SECONDS}_count"), ""), f64::from(timed));
            assert_eq!(of(&format!("{SECONDS}_bucket"), ",le=\"+Inf\""), f64::from(timed));
            let quick = of(&format!("{SECONDS}_bucket"), ",le=\"0.25\"");
            assert!(quick <= f64::from(timed - u32::from(is_slow)), "who waited {quick}");
            assert!(of(&format!("{SECONDS}_sum"), "") >= if is_slow { 0.3 } else { 0.0 });
        }
        let others = ["whole", "elsewhere"].map(|flag| format!("flag=\"{flag}\""));
        let told = |series: &&String| others.iter().any(|label| series.contains(label));
        assert_eq!(samples.keys().find(told), None, "nobody was drawn for one, and nobody met the other");
    }
}
