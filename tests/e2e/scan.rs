//! `flagstaff scan`: names of flags in code of any language, against the flag file.

use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::command::{Said, flagstaff};

const FLAGS: &str = r#"# The flags of the shop.

# A form with three fields.
[flags.form]
percent = 50

[flags.new_checkout]
percent = 50

[flags.old_price]
percent = 50
waffle_name = "Old.Price"

[flags.banner]
percent = 50

[flags.nobody_asks]
percent = 50

[flags.needed]
requires = ["needed_by_another"]

[flags.needed_by_another]

[flags.payments.gate]
paths = ["/pay/*"]
when_off = { status = 503, body = "Later." }
"#;

/// Names in seven languages; those that are not defined begin with `lost`.
const CODE: [(&str, &str); 8] = [
    (
        "app/views.py",
        "if request.META.get(\"HTTP_X_FLAG_FORM\") == \"on\":\n    pass\nif flag_is_active(request, 'lost_in_python'):\n",
    ),
    (
        "app/page.html",
        "<p>form</p>\n{% load waffle_tags %}{% flag \"Old.Price\" %}<b>{% endflag %}\n{% flag 'lost_in_html' %}\n",
    ),
    (
        "web/page.js",
        "const on = headers['x-flag-new-checkout'] === 'on';\nfetch(headers['X-Flag-Lost-In-Javascript']);\n",
    ),
    ("service/src/main.rs", "if flags.is_on(\"form\") { }\nif flags.is_on(\"lost_in_rust\") { }\n"),
    ("site/index.php", "<?php if ($_SERVER['HTTP_X_FLAG_LOST_IN_PHP'] === 'on') { }\n"),
    ("shop/cart.rb", "if request.headers['X-Flag-Lost-In-Ruby'] == 'on'\nif flags[:needed]\n"),
    ("ops/edge.yaml", "- header: X-Flag-Lost-In-Yaml\n- flag: banner\n"),
    ("README.md", "The flag nobody_asks is for later. form is a word.\n"),
];

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn shop() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "flags.toml", FLAGS);
    for (name, text) in CODE {
        write(folder.path(), name, text);
    }
    folder
}

fn scan(folder: &TempDir, line: &str) -> Said {
    flagstaff(folder.path(), format!("scan {line} --flags flags.toml").split_whitespace(), &[])
}

/// Flags by kind of finding.
fn found(answer: &Value, kind: &str) -> Vec<String> {
    let of = answer["findings"].as_array().unwrap().iter().filter(|one| one["kind"] == kind);
    of.map(|one| one["flag"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn names_in_every_language_are_compared_with_the_file() {
    let folder = shop();
    let said = scan(&folder, "--json");
    assert_eq!(said.code, 1, "{said:?}");
    let answer = said.json();
    let lost = ["html", "javascript", "php", "python", "ruby", "rust", "yaml"].map(|name| format!("lost_in_{name}"));
    assert_eq!(found(&answer, "undefined"), lost);
    assert_eq!(found(&answer, "unused"), ["nobody_asks"]);
    let used: Vec<_> = answer["used"].as_array().unwrap().iter().map(|flag| flag.as_str().unwrap()).collect();
    assert!(
        ["banner", "form", "needed", "new_checkout", "old_price"].iter().all(|flag| used.contains(flag)),
        "{used:?}"
    );
    let rust = &answer["findings"][5];
    assert_eq!(
        (&rust["code"][0]["line"], &rust["code"][0]["kind"], &rust["lines"]),
        (&2.into(), &"call".into(), &1.into())
    );
    assert_eq!(answer["findings"][7]["defined"]["line"], 17);

    let text = scan(&folder, "").out;
    assert!(
        text.contains("lost_in_php is asked for, and no flag has that name\n  ./site/index.php:1: <?php if"),
        "{text}"
    );
    assert!(
        text.contains(
            "nobody_asks is defined, and no code asks for it; only its name is there, as a word (flags.toml:17)\n"
        ),
        "{text}"
    );
    assert!(text.ends_with("8 findings in 8 files\n"), "{text}");

    let all: String = FLAGS.to_owned() + &lost.iter().map(|flag| format!("[flags.{flag}]\n")).collect::<String>();
    write(folder.path(), "flags.toml", all.replace("[flags.nobody_asks]", "[flags.lost_words]\n[flags.form_v2]"));
    write(folder.path(), "more.py", "x = ['lost_words', \"form_v2\"]\n");
    let clean = scan(&folder, "");
    assert!(clean.code == 0 && clean.out.starts_with("fine: 9 files"), "{clean:?}");
}

#[test]
fn an_ended_flag_is_told_until_its_code_and_then_it_itself_are_gone() {
    let folder = shop();
    let quiet = "--exclude app/page.html --exclude web --exclude service --exclude site --exclude ops --exclude README.md --json";
    let end = |line: &str| {
        flagstaff(folder.path(), format!("end form {line} --flags flags.toml --ledger none").split(' '), &[])
    };
    assert_eq!(end("--winner on").code, 0);
    let sentence = || {
        let answer = scan(&folder, quiet).json();
        let ended = answer["findings"].as_array().unwrap().iter().find(|one| one["kind"] == "ended").cloned();
        ended.map(|one| one["sentence"].as_str().unwrap().to_owned()).unwrap_or_default()
    };
    assert!(sentence().contains("code still asks for it; delete that, then: flagstaff end form --remove"));
    assert_eq!(end("--remove --code app").code, 1, "the same search keeps the flag");
    write(folder.path(), "app/views.py", "pass\n");
    assert!(sentence().contains("no code asks for it: flagstaff end form --remove"));
    assert_eq!(end("--remove --code app").code, 0);
    assert_eq!(sentence(), "");
    write(folder.path(), "app/late.py", "h['X-Flag-Form']\n");
    assert!(sentence().contains("is off now, and code still asks for it"));
}

#[test]
fn sarif_names_every_line() {
    let folder = shop();
    write(folder.path(), "app/with space.py", "h['X-Flag-Lost-In-Space']");
    let said = scan(&folder, ". --sarif");
    assert_eq!(said.code, 1);
    let log = said.json();
    assert_eq!((&log["version"], &log["runs"][0]["tool"]["driver"]["name"]), (&"2.1.0".into(), &"flagstaff".into()));
    let rules: Vec<_> =
        log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|rule| &rule["id"]).collect();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert!(results.len() == 9 && results.iter().all(|one| rules.contains(&&one["ruleId"])), "{log:#}");
    let places: Vec<_> = results
        .iter()
        .map(|one| {
            let place = &one["locations"][0]["physicalLocation"];
            format!("{}:{}", place["artifactLocation"]["uri"].as_str().unwrap(), place["region"]["startLine"])
        })
        .collect();
    for wanted in ["app/with%20space.py:1", "site/index.php:1", "service/src/main.rs:2", "flags.toml:17"] {
        assert!(places.iter().any(|place| place == wanted), "{wanted}: {places:?}");
    }
}

#[test]
fn what_cannot_be_done_is_an_error_and_no_finding() {
    let folder = shop();
    let nowhere = scan(&folder, "nowhere");
    assert!(nowhere.code == 2 && nowhere.err.contains("nowhere: there is no such folder"), "{nowhere:?}");
    let pattern = scan(&folder, ". --exclude {");
    assert!(pattern.code == 2 && pattern.err.contains("--exclude {"), "{pattern:?}");
    write(folder.path(), "flags.toml", "[flags.form");
    let broken = scan(&folder, "");
    assert!(broken.code == 2 && broken.err.contains("flags.toml:1"), "{broken:?}");
}

/// A tree of 100,000 files: planted names are found, memory stays small, and links that go around in circles end nowhere.
#[test]
#[ignore = "writes 100,000 files"]
fn a_hundred_thousand_files_are_searched() {
    let folder = shop();
    let filler = "def view(request):\n    return render(request, 'page.html', {'title': 'A page'})\n".repeat(20);
    for number in 0..100_000 {
        write(folder.path(), &format!("tree/{}/{}/file{number}.py", number / 5_000, number / 100), &filler);
    }
    std::os::unix::fs::symlink(folder.path(), folder.path().join("tree/circle")).unwrap();
    write(folder.path(), "tree/huge.js", vec![b'x'; 8 << 20]);
    let start = Instant::now();
    let script = "/usr/bin/script -qec \"$FLAGSTAFF scan --flags flags.toml\" /dev/null; cat /dev/null";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script]).env("FLAGSTAFF", env!("CARGO_BIN_EXE_flagstaff")).current_dir(folder.path());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    eprintln!("100,000 files in {:.1} s", start.elapsed().as_secs_f64());
    assert!(text.contains("files searched, "), "a terminal sees how far it is: {text}");
    for name in ["html", "javascript", "php", "python", "ruby", "rust", "yaml"] {
        assert!(text.contains(&format!("lost_in_{name}")), "{name}: {text}");
    }
    assert!(text.contains("8 findings in 100,008 files"), "{text}");
}
