//! What commands print: nothing secret, nothing that steers a terminal, and what to do.

use std::fs;

use tempfile::TempDir;

use crate::harness::command::{Said, flagstaff};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn dry_run(folder: &TempDir, environment: &[(&str, &str)]) -> Said {
    flagstaff(folder.path(), ["run", "--dry-run", "--config", "s.toml"], environment)
}

// ── secrets ──────────────────────────────────────────────────────────────────────────────────────────────────────

const SECRET: &str = "T0PS3CRETT0PS3CRET";

#[test]
fn no_error_shows_a_secret_of_the_settings() {
    for settings in [
        "ledger = \"postgress://u:{}@db/x\"",
        "ledger = \"postgres://u:{}@:bad/x\"",
        "ledger = \"postgres://db/x?password={}\"\nlisten = 5",
        "[webhooks]\nurl = \"http//hooks.slack.com/services/{}\"",
        "[webhooks]\nurl = \"https://h/\"\nsecret = 5\nevents = [\"{}\"]",
        "[webhooks]\nurl = \"https://h/\"\nsecret = [\"{}\"]",
        "[webhooks]\nurl = \"https://h/\"\nsecret = \"{}",
        "[webhooks]\nurl = \"https://h/\"\nsecrt = \"{}\"",
        "[user]\njwt = { header = \"Authorization\", keys = [\"{}\"], clam = \"sub\" }",
        "[user.jwt]\nheader = \"Authorization\"\nkeys = { a = \"{}\" }",
        "password = \"{}\"",
        "upstream = \"http://u:{}@app:80\"",
    ] {
        let folder = folder(&[("flags.toml", "[flags.a]\n"), ("s.toml", &settings.replace("{}", SECRET))]);
        let said = dry_run(&folder, &[]);
        let is_event = settings.contains("events");
        assert!(is_event || !(said.out.clone() + &said.err).contains(SECRET), "{settings}: {}", said.err);
        assert!(said.code == 0 || said.err.contains("s.toml"), "{settings}: {}", said.err);
    }
}

#[test]
fn no_error_shows_a_secret_of_the_environment() {
    let folder = folder(&[("flags.toml", "[flags.a]\n"), ("s.toml", "")]);
    for (name, value) in [
        ("FLAGSTAFF_LEDGER", "postgress://u:{}@db/x"),
        ("FLAGSTAFF_KEYS", "{}"),
        ("FLAGSTAFF_WEBHOOKS_URL", "http//hooks/{}"),
        ("FLAGSTAFF_WEBHOOKS_SECRET", "[\"{}\"]"),
        ("FLAGSTAFF_USER_JWT_KEYS", "{}"),
    ] {
        let said = dry_run(&folder, &[(name, &value.replace("{}", SECRET))]);
        assert_eq!(said.code, 2, "{name}");
        assert!(!said.err.contains(SECRET), "{name}: {}", said.err);
    }
}

// ── terminals ────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn flag_file_text_in_the_terminal_is_escaped() {
    let nasty = r"\u001b]0;x\u0007\u001b[2J\u001b[31m\u009b2J\u202e";
    let text = format!(
        "[flags.a]\npercent = 50\nowner = \"{nasty}\"\ndescription = \"{nasty}\"\nticket = \"{nasty}\"\nsalt = \"{nasty}\"\n\
         allow.users = [\"{nasty}\"]\n[[flags.a.rules]]\nif = {{ user_agent = \"{nasty}*\" }}\nserve = \"on\"\n"
    );
    let folder = folder(&[("f.toml", &text), ("bad.toml", &text.replace("owner", "ower"))]);
    let agent = "User-Agent=x\u{9b}2J\u{202e}";
    for line in [
        vec!["list", "--flags", "f.toml"],
        vec!["list", "--flags", "f.toml", "--json"],
        vec!["explain", "--flags", "f.toml", "--user", "u\u{1b}[2J\u{9b}"],
        vec![
            "explain",
            "a",
            "--flags",
            "f.toml",
            "--user",
            "u\u{1b}[2J\u{9b}",
            "--visitor",
            "v\u{1b}[31m",
            "--header",
            agent,
        ],
        vec!["explain", "a", "--flags", "f.toml", "--json", "--visitor", "v\u{9b}"],
        vec!["check", "f.toml"],
        vec!["check", "bad.toml"],
        vec!["check", "bad.toml", "--json"],
        vec!["simulate", "a", "--flags", "f.toml", "--visitors", "10"],
    ] {
        let said = flagstaff(folder.path(), &line, &[]);
        let text = said.out + &said.err;
        assert!(!text.is_empty());
        let hidden = text.chars().find(|c| flagstaff_flags::is_hidden(*c) && *c != '\n');
        assert_eq!(hidden, None, "{line:?}: {text:?}");
    }
}

// ── what to do ───────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_flag_file_that_is_not_there_is_told_where_it_is_named() {
    let folder = folder(&[("s.toml", "admin = \"127.0.0.1:0\"\nflags = \"falgs.toml\"\n")]);
    for command in ["run", "list", "check"] {
        let said = flagstaff(folder.path(), [command, "--config", "s.toml"], &[]);
        assert_eq!(said.code, 2, "{command}");
        assert!(said.err.contains("s.toml:2:9") && said.err.contains("falgs.toml"), "{command}: {}", said.err);
    }
    let said = flagstaff(folder.path(), ["list", "--flags", "none.toml"], &[]);
    assert!(said.err.starts_with("error: --flags: there is no file none.toml"), "{}", said.err);
}

#[test]
fn files_of_keys_say_how_to_make_one() {
    let folder = folder(&[("flags.toml", "[flags.a]\n"), ("s.toml", "keys_file = \"k\"\n")]);
    let wrong = |what: &str| {
        let said = dry_run(&folder, &[]);
        assert_eq!(said.code, 2, "{what}");
        assert!(said.err.contains("openssl rand -base64 32"), "{what}: {}", said.err);
    };
    wrong("none");
    fs::write(folder.path().join("k"), "# no key\n").unwrap();
    wrong("empty");
    fs::write(folder.path().join("k"), "short\n").unwrap();
    wrong("short");
}

#[test]
fn addresses_that_cannot_be_listened_on_say_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let folder = folder(&[("flags.toml", "[flags.a]\n")]);
    let run = |listen: &str, admin: &str| {
        let line = ["run", "--flags", "flags.toml", "--ledger", "none", "--listen", listen, "--admin", admin];
        let said = flagstaff(folder.path(), line, &[]);
        assert_eq!(said.code, 2);
        said.err
    };
    let said = run(&taken, "127.0.0.1:0");
    assert!(said.contains("ss -ltnp") && said.contains("--listen "), "{said}");
    let said = run("127.0.0.1:0", &taken);
    assert!(said.contains("ss -ltnp") && said.contains("--admin "), "{said}");
    let said = run("192.0.2.1:8080", "127.0.0.1:0");
    assert!(said.contains("no such address"), "{said}");
}

#[test]
fn unknown_flags_and_variants_are_met_with_what_was_meant() {
    let folder = folder(&[("f.toml", "[flags.new_form]\n")]);
    for line in [
        vec!["explain", "new_from", "--flags", "f.toml"],
        vec!["simulate", "new_from", "--flags", "f.toml"],
        vec!["set", "new_from", "percent=5", "--flags", "f.toml"],
        vec!["off", "new_from", "--flags", "f.toml"],
        vec!["link", "http://h/", "new_from=on", "--flags", "f.toml"],
        vec!["rollout", "new_from", "--flags", "f.toml", "--ledger", "l.db"],
        vec!["results", "new_from", "--flags", "f.toml", "--ledger", "l.db"],
    ] {
        let said = flagstaff(folder.path(), &line, &[]);
        assert_ne!(said.code, 0, "{line:?}");
        assert!((said.out.clone() + &said.err).contains("`new_form`"), "{line:?}: {said:?}");
    }
    let said =
        flagstaff(folder.path(), ["explain", "new_form", "--sticky", "new_form=onn", "--flags", "f.toml"], &[]);
    assert!(said.err.contains("did you mean `on`?"), "{}", said.err);
    let said = flagstaff(folder.path(), ["lst"], &[]);
    assert!(said.err.contains("'list'"), "{}", said.err);
}

#[test]
fn explain_without_a_flag_tells_of_all() {
    let folder = folder(&[("f.toml", "[flags.a]\n[flags.b]\nenabled = false\n[flags.c]\nallow.users = [\"7\"]\n")]);
    let explain = |more: &[&str]| {
        flagstaff(folder.path(), ["explain", "--flags", "f.toml", "--visitor", "v"].iter().chain(more), &[])
    };
    let said = explain(&["--user", "7"]);
    assert_eq!(said.code, 0, "{said:?}");
    let rows: Vec<Vec<&str>> = said.out.lines().map(|line| line.split_whitespace().take(2).collect()).collect();
    assert_eq!(rows[1..], [["a", "on"], ["b", "off"], ["c", "on"]]);
    let json = explain(&["--json"]).json();
    let each: Vec<_> = json.as_array().unwrap().iter().map(|e| (e["flag"].as_str(), e["variant"].as_str())).collect();
    assert_eq!(each, [(Some("a"), Some("on")), (Some("b"), Some("off")), (Some("c"), Some("off"))]);
}

#[test]
fn words_for_on_and_off_pin_and_switch() {
    let folder = folder(&[("flags.toml", "[flags.a]\npercent = 0\n"), ("s.toml", "flags = \"flags.toml\"\n")]);
    for (value, state) in [("true", "on"), ("1", "on"), ("ON", "on"), ("false", "off"), ("no", "off")] {
        let said = flagstaff(
            folder.path(),
            ["explain", "a", "--config", "s.toml", "--json"],
            &[("FLAGSTAFF_FLAG_A", value)],
        );
        assert_eq!(said.json()["variant"], state, "{value}");
    }
    for value in ["1", "yes", "true", "on"] {
        assert_eq!(dry_run(&folder, &[("FLAGSTAFF_LOG_ACCESS", value)]).code, 0, "{value}");
    }
}
