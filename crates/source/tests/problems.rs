//! Every kind of mistake: its place, its words, its mend.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use flagstaff_source::{ParseOptions, Report, Severity, Text, parse};
use jiff::civil::date;

fn options() -> ParseOptions {
    ParseOptions { today: Some(date(2026, 11, 20)), ..ParseOptions::default() }
}

fn report(text: &str) -> Report {
    let text = Text { name: "flags.toml", bytes: text.as_bytes() };
    match parse(text, None, &options()) {
        Ok(loaded) => loaded.report,
        Err(report) => report,
    }
}

/// `line:column message | help` of each problem of this severity.
fn told(text: &str, severity: Severity) -> Vec<String> {
    let report = report(text);
    let of = report.problems().iter().filter(|p| p.severity == severity);
    of.map(|p| format!("{}:{} {} | {}", p.line, p.column, p.message, p.help.as_deref().unwrap_or("-"))).collect()
}

fn errors(text: &str) -> Vec<String> {
    told(text, Severity::Error)
}

/// The one error in a flag with these keys.
#[track_caller]
fn error(keys: &str) -> String {
    let text = format!(
        "[flags.a]\n{keys}\n[flags.b]\nvariants = {{ one = 50, two = 50 }}\n[goals.sent]\nevent = \"sent\"\n"
    );
    let mut errors = errors(&text);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    errors.remove(0)
}

/// The keys have one error, where `«` stands.
#[track_caller]
fn assert_error(marked: &str, message: &str, help: &str) {
    let at = marked.find('«').expect("a mark");
    let before = &marked[..at];
    let line = before.matches('\n').count() + 2;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let error = error(&marked.replace('«', ""));
    assert!(error.starts_with(&format!("{line}:{column} ")), "{line}:{column} not {error}");
    assert!(error.contains(message), "{error}");
    assert!(error.split_once(" | ").unwrap().1.contains(help), "{error}");
}

#[test]
fn keys_and_types() {
    assert_error("«percnt = 50", "there is no key `percnt`", "did you mean `percent`?");
    assert_error("«colour = 50", "there is no key `colour`", "there are: description, owner");
    assert_error("enabled = «\"yes\"", "enabled must be true or false", "write enabled = true");
    assert_error("enabled = «3", "not 3", "enabled = true or enabled = false");
    assert_error("percent = «\"50%\"", "percent must be a number", "write percent = 50");
    assert_error("owner = «42", "owner must be a string", "write owner = \"42\"");
    assert_error("goals = «\"sent\"", "goals must be a list", "write goals = [\"sent\"]");
    assert_error("allow = «\"staff\"", "allow must be a table", "{");
    assert_error("allow = { «user = [\"1\"] }", "there is no key `user`", "did you mean `users`?");
    assert_error("rollout.steps = [{ percent = 5, min_visitors = «-1 }]", "whole number", "min_visitors = 20");
    assert_error("sticky = «\"sesion\"", "sticky cannot be `sesion`", "did you mean `session`?");
    assert_error("client = «[1]", "client must be true or false, not a list", "client = true");
}

#[test]
fn shares_and_weights() {
    assert_error("percent = «101", "between 0 and 100", "0 to 100");
    assert_error("percent = «-1", "between 0 and 100", "0 to 100");
    assert_error("percent = «nan", "between 0 and 100", "");
    assert_error("percent = «1.2345", "three decimals", "write 1.235");
    assert_error("variants = «{ x = 50, y = 60 }", "add up to 110", "y = 50");
    assert_error("variants = { x = 50, y = «-60 }", "between 0 and 100", "");
    assert_error("variants = { «\"x y\" = 100 }", "not a valid name of a variant", "plain");
    assert_error("variants = «{}", "1 to 63 variants", "");
    assert_error("variants = «3", "a table of variants and weights", "");
}

#[test]
fn names_that_nothing_has() {
    assert_error("goals = [\"sent\", «\"snet\"]", "no goal `snet`", "did you mean `sent`?");
    assert_error("requires = [«\"c\"]", "no flag `c`", "");
    assert_error("requires = { b = «\"three\" }", "no variant `three`", "one, two");
    assert_error("layer = «\"pricing\"", "no layer `pricing`", "[layers.pricing]");
    assert_error("allow = { segments = [«\"beta\"] }", "no segment `beta`", "[segments.beta]");
    assert_error("guard = { errors = \"5xx\", goals = [«\"x\"] }", "no goal `x`", "");
    let rule = "rules = [{ if = {}, serve = \"on\" }, { if = { segment = [\"s\", \"beta\"] }, serve = \"on\" }]";
    let found = errors(&format!("[flags.a]\n{rule}\n[segments.s]\nany = [{{ group = \"g\" }}]\n"));
    assert_eq!(found, ["2:62 there is no segment `beta` | there are: s"]);
    assert_error("values = { of = «1 }", "no variant `of`", "did you mean `off`?");
    assert_error("upstream = { simple = «\"h:1\" }", "no variant `simple`", "off, on");
    assert_error("rules = [{ serve = «\"maybe\" }]", "no variant `maybe`", "off, on");
    assert_error("goals = [«\"Sent!\"]", "`Sent!` is not a valid name", "write `sent`");
}

#[test]
fn names_of_flags() {
    assert_eq!(
        errors("[flags.ShowNew-Form]\n[flags.x]\nrequires = [\"show_new_form\"]"),
        [
            "1:8 `ShowNew-Form` is not a valid name: a name is snake_case: a to z, 0 to 9 and _, a letter first, at most 64 bytes | \
          write [flags.show_new_form]"
        ]
    );
    assert_eq!(errors("[flag.x]"), ["1:2 there is no key `flag` here | did you mean `flags`?"]);
    assert!(errors("[flags]\nnew_form = true")[0].starts_with("2:12 new_form must be a table, not true"));
    assert!(errors("flags = 3")[0].starts_with("1:9 flags must be a table"));
}

#[test]
fn ties_between_flags() {
    assert_eq!(
        errors("[flags.a]\nrequires = [\"b\"]\n[flags.b]\nrequires = [\"a\"]"),
        ["2:12 `requires` runs in a circle: a → b → a | take one of these flags out of the other's requires"]
    );
    let layers =
        "[flags.a]\nlayer = \"l\"\n[flags.b]\nlayer = \"l\"\n[layers.l]\nslices = { a = [0, 60], b = [50, 100] }";
    assert_eq!(errors(layers), ["6:29 the slice of `b` overlaps that of `a` | begin at 60"]);
    let outside = "[flags.a]\n[layers.l]\nslices = { a = [0, 60], c = [60, 101] }";
    assert!(errors(outside)[0].starts_with("3:34 a percentage is between"), "{:?}", errors(outside));
    assert_eq!(
        errors(
            "[flags.a]\nlayer = \"m\"\n[layers.l]\nslices = { a = [0, 60] }\n[layers.m]\nslices = { a = [0, 60] }"
        ),
        [
            "4:16 the flag `a` is in the layer `m` already | a flag is in one layer: take this slice out, or the flag's `layer`"
        ]
    );
    let missing = "[flags.a]\nlayer = \"l\"\n[layers.l]\nslices = {}";
    assert!(errors(missing)[0].starts_with("2:9 the layer `l` has no slice for `a`"));
}

#[test]
fn rollouts() {
    let steps = |steps: &str| format!("rollout.steps = [{steps}]");
    assert_error(&steps("{ percent = 5, hold = \"1h\" }, { percent = «4 }"), "only rises", "more than 5");
    assert_error(&steps("«{ percent = 5 }, { percent = 50 }"), "how long it stays", "hold");
    assert_error(&steps("{ percent = 5, hold = «\"soon\" }, { percent = 50 }"), "not a valid duration", "approval");
    assert_error(&steps("«{ hold = \"1h\" }, { percent = 50 }"), "no share", "percent");
    assert_error("«rollout.steps = []", "at least one step", "steps =");
    assert_error(
        "rollout = { start = «2026-11-20, steps = [{ percent = 100 }] }",
        "not a valid time",
        "2026-11-20T09:00:00Z",
    );
    let both = "percent = «5\nrollout.steps = [{ percent = 100 }]";
    assert_error(both, "exclude each other", "take out `percent`");
}

#[test]
fn guards_and_gates() {
    assert_error("«guard = {}", "watches nothing", "errors");
    assert_error("guard = { errors = «\"9xx\" }", "not a valid list of statuses", "5xx");
    assert_error("guard = { slower_than = «\"fast\" }", "not a valid duration", "800ms");
    assert_error("guard = { slower_than = «\"p99\" }", "not a valid duration", "p95");
    assert_error("guard = { errors = \"5xx\", fuse = «2 }", "3 to 1000", "10 visitors");
    assert_error("guard = { slower_than = \"p95\", fuse = «10 }", "what an error is", "errors = \"5xx\"");
    assert_error("guard = { errors = \"5xx\", false_alarm = «0 }", "above 0", "one in a thousand");
    assert_error("guard = { errors = \"5xx\", on_trip = «\"of\" }", "cannot be `of`", "off");
    assert_error("«gate = { paths = [\"/x\"] }", "what it answers", "when_off");
    assert_error("«gate = { when_off = { status = 503 } }", "no paths", "/pay/*");
    assert_error("gate = { paths = [«\"x\"], when_off = { status = 503 } }", "not a valid path", "/x");
    assert_error("gate = { paths = [\"/x\"], when_off = { status = «302 } }", "cannot answer 302", "503");
    assert_error("gate = { paths = [\"/x\"], «when_off = {} }", "answers nothing", "redirect");
    assert_error(
        "gate = { paths = [\"/x\"], when_off = { redirect = «\"x\" } }",
        "is not a valid target",
        "/checkout",
    );
    let both = "gate = { paths = [\"/x\"], «when_off = { redirect = \"/\", status = 503 } }";
    assert_error(both, "no status", "keep");
}

#[test]
fn conditions() {
    let rule = |condition: &str| format!("rules = [{{ if = {{ {condition} }}, serve = \"on\" }}]");
    let check = |condition: &str, message: &str, help: &str| {
        assert_error(&rule(condition), message, help);
    };
    check("«contry = \"DE\"", "no condition `contry`", "did you mean `country`?");
    check("«\"header.x y\" = \"a\"", "no condition `header.x y`", "header.NAME");
    check("ip = «\"10.0.0.0/99\"", "not an address or range", "10.0.0.0/8");
    check("ip = «[\"::1\", \"x\"]", "not an address or range", "10.0.0.0/8");
    check("v = { at_least = «\"new\" }", "not a version", "");
    check("v = { matches = «\"(\" }", "not a regular expression", "");
    check("v = { «least = 1 }", "no key `least`", "");
    check("v = «{}", "asks for nothing", "a word");
    check("after = «2026-11-01", "not a valid time", "2026-11-01T");
    check("before = «\"2026-11-01T10:00:00\"", "not a valid time", "10:00:00Z");
    check("authenticated = «\"yes\"", "authenticated must be true or false", "authenticated = true");
    check("segment = «{ below = 1 }", "named", "beta_testers");
    check("country = [«[\"DE\"]]", "country must be a word, not a list", "");
    let fine = "user_plan = \"pro\", header.x-plan = \"pro\", \"query.page\" = [1, 2], age = { at_least = 18, below = 99 }, \
                language = { not = \"de\" }, authenticated = true, user_agent = \"*Firefox*\"";
    assert_eq!(errors(&format!("[flags.a]\n{}", rule(fine))), [""; 0]);
    assert_error("rules = [«{}]", "what is served", "serve = \"on\"");
    assert_error("rules = [«{ serve = \"on\", percent = 5 }]", "`serve` and `percent`", "one of them");
    assert_error("rules = [{ serve = \"on\", otherwise = «\"next\" }]", "nobody is left", "percent = 20");
    assert_error("rules = [{ percent = 5, otherwise = «\"nxt\" }]", "nxt", "next");
}

#[test]
fn the_rest() {
    assert_error("created = «\"1.11.2026\"", "not a valid day", "2026-11-01");
    assert_error("expires = «2026-02-30", "invalid date", "");
    assert_error("expires = «2026-02-03T10:00:00Z", "not a valid day", "2026-11-01");
    assert_error("bucket_by = «\"visiter\"", "not a valid unit", "did you mean \"visitor\"?");
    assert_error("bucket_by = «\"header.\"", "not a valid unit", "header.NAME");
    assert_error("exposed_on = [«\"get /x\"]", "does not name requests", "GET /contact*");
    assert_error("upstream = { on = «\"8001\" }", "not a valid address", "127.0.0.1:8001");
    assert_eq!(
        errors("[goals.g]\non = \"POST /x\"\nevent = \"x\"")[0].split(" | ").next(),
        Some("1:8 the goal can be reached in one way only")
    );
    assert!(errors("[goals.g]\n")[0].contains("how it is reached"));
    assert!(errors("[goals.g]\nevent = \"x\"\nstatus = \"2xx\"")[0].starts_with("3:10 `status` belongs to `on`"));
    assert!(errors("[goals.g]\non = \"/x\"\nvalue = \"sum\"")[0].starts_with("3:9 `value` belongs to `event`"));
    assert!(errors("[segments.s]\n")[0].contains("nobody is in the segment"));
    assert!(
        errors("[segments.s]\nany = [{ segment = \"s\" }]")[0]
            .starts_with("2:20 a segment cannot be made of segments")
    );
    assert!(errors("[layers.l]\nslices = { a = [1] }")[0].contains("two numbers"));
}

#[test]
fn what_follows_from_a_mistake_is_not_reported() {
    let broken = "[flags.a]\nvariants = { one = \"x\", two = 50 }\nvalues = { one = 1 }\nlayer = \"l\"\n\
                  [flags.b]\nrequires = { a = \"one\" }\n[layers.l]\nslices = { a = [0, 50] }\n";
    assert_eq!(errors(broken).len(), 1, "{:#?}", errors(broken));
    let goal = "[flags.a]\ngoals = [\"g\"]\n[goals.g]\non = \"post /x\"";
    assert_eq!(errors(goal).len(), 1, "{:#?}", errors(goal));
    let torn = "[flags.a]\nrequires = [\"b\"]\ndescription = \"\"\"open\n[flags.b]\n";
    let errors = errors(torn);
    assert!(!errors.is_empty() && errors.iter().all(|e| e.contains("not TOML")), "{errors:#?}");
}

#[test]
fn everything_at_once_each_at_its_place() {
    let text = "\
[flags.show_new_contact_form]
enabled = \"yes\"
precent = 50
goals = [\"contact_snt\"]
owner = 42

[flags.Bad-Name]
percent = 150

[flags.a]
description = unquoted
variants = { one = 50, two = 60 }
rules = [{ if = { contry = \"DE\" }, serve = \"on\" }]

[flags.ä]

[flags.b]
requires = [\"nobody\"]
rollout.steps = [{ percent = 50, hold = \"1h\" }, { percent = 20 }]
bucket_by = \"visiter\"
description = \"ünï\" # x
exposed_on = [ \"öö\" ]
created = 2026-11-31
[goals.contact_sent]
event = 3
[layers.l]
slices = { a = [0, 60], b = [50, 100] }
";
    let places: Vec<_> = errors(text).iter().map(|e| e.split(' ').next().unwrap().to_owned()).collect();
    let expected = [
        "2:11", "3:1", "4:10", "5:9", "7:8", "8:11", "11:15", "12:12", "13:19", "15:8", "18:13", "19:61", "20:13",
        "22:16", "23:11", "25:9", "27:29",
    ];
    // `b` does not name the layer it has a slice of; `a` is broken already, so nothing more is said about it.
    let twice = places.iter().filter(|place| *place == "27:29").count();
    assert_eq!(twice, 1, "{:#?}", errors(text));
    let mut places = places;
    places.dedup();
    assert_eq!(places, expected, "{:#?}", errors(text));
}

#[test]
fn warnings() {
    let told = |text: &str| {
        assert_eq!(errors(text), [""; 0]);
        told(text, Severity::Warning)
    };
    let fine = "owner = \"x\"\nexpires = 2027-01-01\ncreated = 2026-11-01\n";
    let of = |keys: &str| told(&format!("[flags.a]\n{fine}{keys}\n[goals.g]\nevent = \"g\""));
    assert_eq!(of("percent = 50\ngoals = [\"g\"]"), [""; 0]);
    assert_eq!(
        told("[flags.a]\n"),
        [
            "1:8 the flag has no expiry date | add expires = 2027-01-31, the day it should be removed",
            "1:8 the flag has no owner | add owner = \"…\", who answers for it",
        ]
    );
    let expired = "[flags.a]\nowner = \"x\"\nexpires = 2026-11-19\npercent = 50";
    assert!(told(expired)[0].starts_with("3:11 the flag expired on 2026-11-19"));
    assert!(told(&expired.replace("19", "20")).is_empty());
    for (keys, stale) in [
        ("", true),
        ("percent = 0", true),
        ("enabled = false", true),
        ("percent = 99.999", false),
        ("allow.users = [\"1\"]", false),
        ("variants = { a = 50, b = 50 }\ngoals = [\"g\"]", false),
        ("rollout.steps = [{ percent = 100 }]", false),
    ] {
        for (created, old) in [("2026-10-21", true), ("2026-10-22", false)] {
            let text = format!(
                "[flags.a]\nowner = \"x\"\nexpires = 2027-01-01\ncreated = {created}\n{keys}\n[goals.g]\nevent = \"g\""
            );
            let is_stale = told(&text).iter().any(|w| w.contains("was made on"));
            assert_eq!(is_stale, stale && old, "{keys} {created}");
        }
    }
    let aimless = of("variants = { a = 50, b = 50 }");
    assert!(aimless[0].starts_with("5:1 the experiment has no goal"), "{aimless:?}");
    assert_eq!(of("variants = { a = 100, b = 0 }"), [""; 0]);
    assert!(of("percent = 0")[0].starts_with("5:11 the flag is enabled, and nobody can get it"));
    assert_eq!(of("percent = 0\nallow.users = [\"1\"]"), [""; 0]);
    let gate = "[flags.a]\nowner = \"x\"\ncreated = 2020-01-01\ngate = { paths = [\"/x\"], when_off.status = 503 }";
    assert_eq!(told(gate), [""; 0]);
    let many: String = (0..76).map(|i| format!("[flags.f{i}]\n{fine}percent = 50\n")).collect();
    assert!(told(&many)[0].contains("gunicorn"), "{:#?}", told(&many));
    assert_eq!(told(&many.replace("[flags.f0]", "[flags.f0]\nenabled = false")), [""; 0]);
}

#[test]
fn a_goal_says_whose_word_counts() {
    let told = |keys: &str, flag: &str| {
        let text =
            format!("[flags.a]\nowner = \"x\"\nexpires = 2027-01-01\ngoals = [\"g\"]\n{flag}\n[goals.g]\n{keys}\n");
        let report = report(&text);
        report
            .problems()
            .iter()
            .map(|p| format!("{} | {}", p.message, p.help.as_deref().unwrap_or("-")))
            .collect::<Vec<_>>()
    };
    assert_eq!(told("event = \"g\"", ""), [""; 0]);
    let in_pages = told("event = \"g\"", "client = true");
    assert!(
        in_pages.len() == 1 && in_pages[0].contains("flagstaff.track()") && in_pages[0].contains("from = \"page\""),
        "{in_pages:?}"
    );
    for from in ["app", "page", "both"] {
        assert_eq!(told(&format!("event = \"g\"\nfrom = \"{from}\""), "client = true"), [""; 0]);
    }
    let guarded = told("event = \"g\"\nfrom = \"both\"", "percent = 50\nguard = { goals = [\"g\"] }");
    assert!(guarded.len() == 1 && guarded[0].contains("the guard of `a`"), "{guarded:?}");
    for (keys, wanted) in [
        ("on = \"POST /x\"\nfrom = \"app\"", "`from` belongs to `event`"),
        ("event = \"g\"\nat_most = 5", "`at_most` belongs to `value = \"sum\"`"),
        ("event = \"g\"\nvalue = \"sum\"\nat_most = 0", "`at_most` is 0"),
        ("event = \"g\"\nvalue = \"sum\"\nat_most = 1e13", "`at_most` is 1"),
        ("event = \"g\"\nfrom = \"pages\"", "page"),
    ] {
        let told = told(keys, "");
        assert!(told.len() == 1 && told[0].contains(wanted), "{keys}: {told:?}");
    }
    assert_eq!(told("event = \"g\"\nvalue = \"sum\"\nat_most = 500", ""), [""; 0]);
}

#[test]
fn names_for_django_waffle_can_stand_in_a_cookie_and_are_told_apart() {
    let mistakes = |text: &str| {
        report(text).to_json()["problems"].as_array().unwrap().iter().filter(|p| p["severity"] == "error").count()
    };
    for fine in ["courseware.search-v2", "a", "A_B~c"] {
        assert_eq!(mistakes(&format!("[flags.a]\nwaffle_name = \"{fine}\"\n")), 0, "{fine}");
    }
    for wrong in ["", "a b", "a;b", "a=b", "ä", &"x".repeat(101)] {
        assert_eq!(mistakes(&format!("[flags.a]\nwaffle_name = \"{wrong}\"\n")), 1, "{wrong}");
    }
    assert_eq!(mistakes("[flags.a]\nwaffle_name = \"b\"\n[flags.b]\n"), 1);
}

#[test]
fn cookies_of_django_waffle_decide_nothing_that_is_measured() {
    let flag = |keys: &str| {
        let text = format!(
            "[flags.a]\nwaffle_cookie_until = 2099-12-31\nsticky = \"visitor\"\n{keys}\n[goals.g]\npath = \"/g\"\n"
        );
        let told = errors(&text);
        told.into_iter().filter(|one| one.contains("waffle")).collect::<Vec<_>>()
    };
    assert_eq!(flag("percent = 20"), Vec::<String>::new());
    for keys in [
        "goals = [\"g\"]",
        "variants = { a = 50, b = 50 }",
        "bucket_by = \"user\"",
        "guard = { errors = \"5xx\" }",
        "rollout = { steps = [{ percent = 10, hold = \"1d\" }, { percent = 100 }] }",
        "gate = { paths = [\"/a\"], when_off = { redirect = \"/\" } }",
    ] {
        let told = flag(keys);
        let key = keys.split(' ').next().unwrap();
        assert!(
            told.len() == 1 && told[0].contains(&format!("a flag with `{key}` cannot take cookies")),
            "{keys}: {told:?}"
        );
    }
    let told = errors("[flags.a]\nwaffle_cookie_until = 2099-12-31\n");
    assert!(told.len() == 1 && told[0].contains("sticky = \"visitor\""), "{told:?}");
    let old = told_of_old_cookies("2026-01-01");
    assert!(old.iter().any(|one| one.contains("no cookies of django-waffle are taken since 2026-01-01")), "{old:?}");
    assert!(!told_of_old_cookies("2099-01-01").iter().any(|one| one.contains("waffle")));
}

fn told_of_old_cookies(until: &str) -> Vec<String> {
    told(&format!("[flags.a]\nwaffle_cookie_until = {until}\nsticky = \"visitor\"\n"), Severity::Warning)
}

#[test]
fn warnings_come_with_errors_and_name_their_flag() {
    let report = report("[flags.a]\npercnt = 1\n[flags.b]\n");
    assert_eq!(report.summary(), "1 error, 2 warnings");
    assert!(!report.is_usable());
    let json = report.to_json();
    assert_eq!(
        json["problems"][0],
        serde_json::json!({
            "severity": "error", "flag": "a", "file": "flags.toml", "line": 2, "column": 1,
            "message": "there is no key `percnt` here", "help": "did you mean `percent`?",
        })
    );
    assert_eq!(json["problems"][1]["flag"], "b");
    assert_eq!(json["problems"][1]["severity"], "warning");
}

#[test]
fn drawn_for_people() {
    let drawn = report("[flags.a]\npercnt = 1\n").render(false);
    let expected = "\
error: there is no key `percnt` here
 --> flags.toml:2:1
  |
2 | percnt = 1
  | ^^^^^^
  |
  = help: did you mean `percent`?";
    assert_eq!(drawn, expected);
    assert!(report("[flags.a]\npercnt = 1\n").render(true).contains("\u{1b}["));
    let long = format!("[flags.a]\nallow = {{ users = [{}], user = [] }}\n", "\"ö\", ".repeat(5000));
    let drawn = report(&long).render(false);
    assert!(drawn.contains("flags.toml:2:25023") && drawn.len() < 2000, "{drawn}");
    let hostile = report("[flags.a]\n\"\\u001b[31mred\" = 1\n").render(false);
    assert!(!hostile.contains('\u{1b}'), "{hostile:?}");
}

// ── what is said is right when it is written ─────────────────────────────────────────────────────────────────────

/// The one error of a text, and the text with the value at its place replaced by what the error says to write.
#[track_caller]
fn mended(text: &str, key: &str, old: &str) -> String {
    let problems = report(text);
    let error = problems.errors().next().unwrap_or_else(|| panic!("no error in {text}"));
    let help = error.help.as_deref().unwrap_or_else(|| panic!("no help: {}", error.message));
    let new = help.strip_prefix(&format!("write {key} = ")).unwrap_or_else(|| panic!("{help}"));
    let new = new.trim_end_matches(", without quotes");
    text.replacen(&format!("{key} = {old}"), &format!("{key} = {new}"), 1)
}

#[test]
fn the_mend_of_a_value_of_the_wrong_kind_is_right() {
    for (text, key, old) in [
        ("[flags.a]\nallow = { users = [42, 43] }\n", "users", "[42, 43]"),
        ("[flags.a]\nallow.users = [\n  42, # me\n  'x',\n]\n", "users", "[\n  42, # me\n  'x',\n]"),
        ("[flags.a]\ndeny = { groups = [7, true] }\n", "groups", "[7, true]"),
        ("[flags.a]\nallow = { roles = 7 }\n", "roles", "7"),
        ("[flags.a]\nowner = 42\n", "owner", "42"),
        ("[flags.a]\nticket = 1.5\n", "ticket", "1.5"),
        ("[flags.a]\npercent = \"50%\"\n", "percent", "\"50%\""),
        ("[flags.a]\npercent = '7,5'\n", "percent", "'7,5'"),
        ("[flags.a]\nenabled = \"yes\"\n", "enabled", "\"yes\""),
        ("[flags.a]\nenabled = 0\n", "enabled", "0"),
        ("[flags.a]\nclient = \"ON\"\n", "client", "\"ON\""),
        ("[flags.a]\nrollout.steps = [{ percent = 5, hold = 30 }, { percent = 100 }]\n", "hold", "30"),
        ("[flags.a]\nguard = { slower_than = 800 }\n", "slower_than", "800"),
        ("[flags.a]\nguard = { errors = 500 }\n", "errors", "500"),
        ("[flags.a]\nupstream = { on = 8001 }\n", "on", "8001"),
        ("[flags.a]\nexposed_on = \"GET /x*\"\n", "exposed_on", "\"GET /x*\""),
        ("[layers.l.slices]\na = [0, 50]\n[flags.a]\nlayer = \"l\"\nsalt = 5\n", "salt", "5"),
    ] {
        let mended = mended(text, key, old);
        assert_eq!(errors(&mended), [""; 0], "{mended}");
    }
}

#[test]
fn a_value_of_the_wrong_kind_in_a_long_list_is_told_how() {
    let many = (0..20).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let said = errors(&format!("[flags.a]\nallow.users = [{many}]\n"));
    assert!(
        said[0].ends_with("each of users must be a string, not 0 | put each one in quotes, as in \"0\""),
        "{said:?}"
    );
}

// ── size ─────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn error_reports_stay_small_for_large_files() {
    let big = "k".repeat(1_000_000);
    for text in [
        format!("[flags.{big}]\n"),
        format!("[flags.a]\n{big} = 5\n"),
        format!("[flags.a]\npercent = '{big}'\n"),
        format!("[flags.a]\nrequires = ['{big}']\n"),
        format!("[flags.a]\nbucket_by = '{big}'\n"),
        format!("[flags.a]\nsticky = '{big}'\n"),
        format!("[{big}]\n"),
        format!("[flags.a]\nvalues = {{ '{big}' = 1 }}\n"),
        format!("[[flags.a.rules]]\nserve = '{big}'\n"),
        format!("[[flags.a.rules]]\nserve = 'on'\nif = {{ '{big}' = 'a' }}\n"),
        format!("[[flags.a.rules]]\nserve = 'on'\nif = {{ ip = ['{big}'] }}\n"),
        format!("[flags.a]\nupstream = {{ on = '{big}' }}\n"),
        format!("[flags.a]\ngate = {{ paths = ['{big}'] }}\n"),
    ] {
        let report = report(&text);
        assert!(!report.is_usable());
        let (drawn, json) = (report.render(true), report.to_json().to_string());
        assert!(drawn.len() < 10_000 && json.len() < 10_000, "{}, {}", drawn.len(), json.len());
    }
}

#[test]
fn a_report_draws_a_hundred_mistakes_and_counts_the_rest() {
    const NUMBER: usize = 20_000;
    let flags = |line: &str| (0..NUMBER).map(|i| format!("[flags.f{i}]\n{line}\n")).collect::<String>();
    let slices: String = (0..NUMBER).map(|i| format!("f{i} = [0, 1]\n")).collect();
    for text in [
        flags("percnt = 5"),
        flags("requires = ['nothing']"),
        flags("layer = 'nothing'"),
        flags("goals = ['nothing']"),
        flags("allow.segments = ['nothing']"),
        (0..NUMBER).map(|i| format!("[flags.F{i}]\n")).collect(),
        (0..NUMBER).map(|i| format!("[flag.f{i}]\n")).collect::<String>() + "[layers.l.slices]\n" + &slices,
        flags("") + "[layers.l.slices]\n" + &slices,
    ] {
        let report = report(&text);
        let drawn = report.render(false);
        assert!(!report.is_usable() && drawn.matches("error: ").count() <= 100, "{drawn}");
        assert!(drawn.len() < 200_000);
        let json = report.to_json();
        let told = json["problems"].as_array().unwrap().len();
        assert!(told <= 1000);
        let more = json["more"].as_u64().unwrap_or(0);
        assert_eq!(usize::try_from(more).unwrap(), report.problems().len() - told);
    }
}

#[test]
fn formulas() {
    assert_error("hash = { as = «\"unlaesh\" }", "`unlaesh` is not a formula", "did you mean \"unleash\"?");
    assert_error("«hash = { group = \"g\" }", "does not name a formula", "add as = \"unleash\"");
    assert_error("hash = «\"unleash\"", "hash must be a table, not \"unleash\"", "hash = {");
    let reads = "it reads `group`, `variant_group`, `total`, `prefix` and `order`";
    assert_error("hash = { as = \"unleash\", seed = «3 }", "the formula unleash has no `seed`", reads);
    assert_error("hash = { as = \"sha256\", key = «\"k\" }", "has no `key`", "it reads `prefix` and `order`");
    assert_error("hash = { as = \"unleash\", «grop = \"g\" }", "there is no key `grop`", "did you mean `group`?");
    assert_error("«hash = { as = \"launchdarkly\" }", "hashes a salt or a seed", "add salt = ");
    assert_error("«hash = { as = \"statsig\" }", "hashes a salt", "add salt = ");
    assert_error("«hash = { as = \"vercel\" }", "hashes with a seed", "add seed = 7");
    assert_error("hash = { as = \"vercel\", seed = «-1 }", "whole number of 32 bits", "write seed = 7");
    assert_error("hash = { as = \"growthbook\", version = «3 }", "no version 3", "write 1 or 2");
    assert_error("hash = { as = \"goff\", total = «0 }", "do not add up to 0", "write total = 100000");
    assert_error("hash = { as = \"statsig\", salt = \"s\", buckets = «7 }", "no 7 buckets", "write 10000, or 1000");
    assert_error("hash = { as = \"flagd\", total = «-1 }", "a whole number of 0 or more", "");
    assert_error("salt = «\"s\"\nhash = { as = \"flagd\" }", "counts for sha256 alone", "take out `salt`");
    let long = format!("hash = {{ as = \"flagd\", key = «\"{}\" }}", "k".repeat(513));
    assert_error(&long, "`key` is too long", "at most 512 bytes");
}

#[test]
fn a_share_between_two_numbers_of_a_formula() {
    let warnings = |percent: &str, hash: &str| {
        let text = format!(
            "[flags.a]\nowner = \"me\"\nexpires = 2027-01-01\npercent = {percent}\nhash = {{ as = \"{hash}\" }}\n"
        );
        told(&text, Severity::Warning)
    };
    let told = warnings("12.5", "unleash");
    assert_eq!(told, ["4:11 unleash has 100 numbers, so 12.5 percent takes 13 of them | write 12 or 13"]);
    assert_eq!(warnings("12.5", "growthbook"), [""; 0]);
    assert_eq!(warnings("12.55", "growthbook").len(), 1);
    assert_eq!(warnings("12.345", "flipper"), [""; 0]);
    assert_eq!(warnings("12", "configcat"), [""; 0]);
}

#[test]
fn orders_of_variants_and_rules_with_variants() {
    let once = "does not name every variant once";
    let help = "order = [\"x\", \"y\"]";
    let variants = "variants = { x = 50, y = 50 }\n";
    for wrong in ["[]", "[\"x\"]", "[\"x\", \"x\"]", "[\"x\", \"z\"]", "[\"x\", \"y\", \"y\"]", "[\"y\", \"off\"]"] {
        assert_error(&format!("{variants}hash = {{ as = \"flagd\", order = «{wrong} }}"), once, help);
    }
    assert_error("hash = { as = \"flagd\", order = «[\"off\"] }", once, "order = [\"on\", \"off\"]");
    let rule = |keys: &str| format!("{variants}rules = [{keys}]");
    assert_error(&rule("«{ serve = \"x\", variants = { x = 100 } }"), "`serve` and `variants`", "keep one");
    assert_error(&rule("«{ serve = \"x\", percent = 3 }"), "`serve` and `percent`", "keep one");
    assert_error(&rule("{ variants = { z = «100 } }"), "the flag has no variant `z`", "x");
    assert_error(&rule("{ variants = «{ x = 40 } }"), "the weights add up to 40", "with x = 100");
    assert_error(&rule("{ serve = \"x\", «hash = { as = \"flagd\" } }"), "nothing is drawn", "take out `hash`");
    let of_rule = "{ variants = { y = 100 }, hash = { as = \"flagd\", order = «[\"x\", \"y\"] } }";
    assert_error(&rule(of_rule), once, "order = [\"y\"]");
    let layer =
        "[flags.a]\n[layers.l]\nslices = { a = [0, 50] }\nhash = { as = \"flagd\", order = [\"on\", \"off\"] }\n";
    assert!(errors(layer)[0].contains("a layer has no variants"), "{:?}", errors(layer));
}

// ── carets ───────────────────────────────────────────────────────────────────────────────────────────────────────

/// Where the caret stands under the line that is drawn: what is above it.
fn above_caret(text: &str) -> String {
    let drawn = report(text).only_errors().render(false);
    let lines: Vec<_> = drawn.lines().collect();
    let at = lines.iter().position(|line| line.contains('^')).unwrap_or_else(|| panic!("{drawn}"));
    let column = lines[at].find('^').unwrap();
    let mut width = 0;
    lines[at - 1]
        .chars()
        .skip_while(|c| {
            let here = width;
            width += if "日本".contains(*c) { 2 } else { 1 };
            here < column
        })
        .collect()
}

#[test]
fn carets_stand_right_behind_marks_tabs_and_wide_letters() {
    for text in [
        "\u{feff}percnt = 5\n",
        "\u{feff}[flags.a]\n\tpercnt = 5\n",
        "[flags.a]\nallow = { users = [\"日本\"], percnt = 5 }\n",
        "[flags.a]\nallow = { users = [\"\u{202e}\u{9b}\u{200b}\"], percnt = 5 }\n",
    ] {
        let shown = above_caret(text);
        assert!(shown.starts_with("percnt = 5"), "{text:?}: {shown:?}");
    }
    assert_eq!(report("\u{feff}percnt = 5\n").problems()[0].column, 1);
}

/// What serde derives would read the elements of a list as the keys of the table, in an order that nobody sees.
#[test]
fn a_list_is_no_table() {
    for key in ["allow", "deny", "guard", "gate", "rollout", "hash", "variants", "values", "upstream", "metadata"] {
        for list in ["[]", "[[\"ann\"]]", "[\"ann\"]", "[{ users = [\"ann\"] }]"] {
            let found = errors(&format!("[flags.a]\n{key} = {list}\n"));
            let (place, wrong) = (format!("2:{} ", key.len() + 4), format!("{key} must be a table"));
            assert!(found.iter().any(|e| e.starts_with(&place) && e.contains(&wrong)), "{key} = {list}: {found:?}");
        }
    }
    for text in [
        "flags = [[]]",
        "[[flags.a.guard]]\nerrors = \"5xx\"",
        "segments = { s = [[\"ann\"]] }",
        "goals = { g = [\"POST /\"] }",
    ] {
        assert!(errors(text).iter().any(|e| e.contains("must be a table, not a list")), "{text}: {:?}", errors(text));
    }
}

/// Values travel as JSON, where these would be null.
#[test]
fn what_json_cannot_say_is_no_value() {
    for number in ["inf", "-inf", "nan", "[1.5, inf]", "{ price = { low = nan } }"] {
        assert_error(&format!("values = {{ on = «{number} }}"), "JSON has no inf and no nan", "write a number");
        assert_error(&format!("metadata = {{ limit = «{number} }}"), "JSON has no inf and no nan", "write a number");
    }
}

#[test]
fn a_goal_counts_once() {
    assert_error("percent = 50\ngoals = [\"sent\", «\"sent\"]", "the goal sent stands here twice", "take one out");
}
