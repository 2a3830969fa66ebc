//! Commands that ask a running program: `--url`.

use std::fs;

use crate::harness::api::TOKEN;
use crate::harness::app::App;
use crate::harness::command::{Said, flagstaff};
use crate::harness::crowd::look;
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};

const FLAGS: &str = "# ours\n[flags.form]            # the new form\npercent = 100           # of visitors\ngoals = [\"sent\"]\n
[flags.price]\nvariants = { classic = 50, simple = 50 }\npercent = 20\nowner = \"growth\"\nexpires = 2020-01-01\n
[flags.checkout]\n[flags.checkout.rollout]\nsteps = [{ percent = 5, hold = \"1h\" }, { percent = 25, hold = \"1h\" }, { percent = 100 }]\n
[goals.sent]\non = \"POST /form\"\n
[holdout]\npercent = 5\n";

const KEYS: &str = "a key that signs and is long enough";

fn started() -> (App, Program) {
    let app = App::mirror();
    let setup = Setup::to(&[app.address]).env("FLAGSTAFF_ADMIN_TOKEN", TOKEN).env("FLAGSTAFF_KEYS", KEYS);
    (app, setup.flags(FLAGS).start())
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// A command about the running program, from a folder where nothing is.
#[track_caller]
fn far(program: &Program, line: &str) -> Said {
    let elsewhere = tempfile::tempdir().unwrap();
    let url = format!("http://{}", program.admin);
    let environment = [("FLAGSTAFF_URL", url.as_str()), ("FLAGSTAFF_ADMIN_TOKEN", TOKEN), ("USER", "ada")];
    beside(program, &flagstaff(elsewhere.path(), words(line), &environment))
}

/// The same command about its files. What undoes it has the option that says where they are.
#[track_caller]
fn near(program: &Program, line: &str) -> Said {
    let line = words(line).into_iter().chain(["--config", "flagstaff.toml"]);
    let said = flagstaff(program.folder.path(), line, &[("USER", "ada"), ("FLAGSTAFF_KEYS", KEYS)]);
    let said = beside(program, &said);
    Said { out: said.out.replace(" --config flagstaff.toml", ""), ..said }
}

fn text(program: &Program) -> String {
    fs::read_to_string(program.path("flags.toml")).unwrap()
}

/// What both print, word for word.
#[track_caller]
fn same(line: &str, far: &Said, near: &Said) {
    assert_eq!((far.code, &far.out, &far.err), (near.code, &near.out, &near.err), "{line}");
}

/// Without the seconds that go by between two questions.
fn unclocked(said: Said) -> Said {
    let lines = said.out.lines().map(|line| line.split_once(" visitors, ").map_or(line, |(rest, _)| rest));
    Said { out: lines.collect::<Vec<_>>().join("\n"), ..said }
}

/// With the names of files as a command beside them says them: the program knows whole paths.
fn beside(program: &Program, said: &Said) -> Said {
    let folder = format!("{}/", program.folder.path().display());
    Said { out: said.out.replace(&folder, ""), err: said.err.replace(&folder, ""), code: said.code }
}

#[track_caller]
fn known(program: &Program) {
    eventually("the ledger knows it", || far(program, "rollout checkout --json").out.contains("defined"));
}

#[test]
fn a_question_prints_the_same_whomever_it_asks() {
    let (_app, program) = started();
    known(&program);
    for line in [
        "list",
        "list --json",
        "list --expired",
        "explain price --visitor v-1",
        "explain price --visitor v-1 --user 7 --group staff --header Accept-Language=de --country de --path /a?b=c --json",
        "explain --visitor v-1 --sticky price=simple",
        "explain prise",
        "explain form --visitor v-1 --tripped form --at 2026-11-20T09:00:00Z",
        "explain form --tripped fomr",
        "simulate price --visitors 500",
        "simulate price --percent 37 --visitors 500 --json",
        "simulate prise",
        "results form",
        "results form --json",
        "results form --csv",
        "results",
        "results --holdout --alpha 10% --json",
        "results fomr",
        "rollout checkout",
        "rollout checkout --json",
        "rollout form",
        "rollout chekout",
    ] {
        same(line, &unclocked(far(&program, line)), &unclocked(near(&program, line)));
    }
    assert_eq!(far(&program, "simulate price --visitors 2000000").code, 2);
}

#[test]
fn an_order_does_and_prints_the_same_whomever_it_is_given_to() {
    let (_app, program) = started();
    known(&program);
    for line in [
        "set price percent=30 owner=shop",
        "set price percent=30",
        "set price percent=130",
        "set prise percent=30",
        "set price tags=[\"a\",\"b\"]",
        "add banner percent=5",
        "add banner --like price --json",
        "add price",
        "delete price",
        "delete form --yes",
        "off price",
        "off price --json",
        "off prise",
        "on price",
        "on price --everyone",
        "set price percent=20 --by grace --json",
        "end price --winner purple",
        "end form --winner on --dry-run",
        "end form --winner on --dry-run --json",
        "end form --winner off --remove --dry-run",
        "rollout form advance",
        "rollout checkout resume",
        "forget nobody-who-ever-came",
        "forget --unit user=42 --json",
    ] {
        fs::write(program.path("flags.toml"), FLAGS).unwrap();
        program.flags_in_force();
        let near = unclocked(near(&program, line));
        let written = text(&program);
        fs::write(program.path("flags.toml"), FLAGS).unwrap();
        program.flags_in_force();
        let far = unclocked(far(&program, line));
        let blank = |said: &Said| said.out.replace("\"recorded\": false", "\"recorded\": true");
        assert_eq!((far.code, blank(&far), &far.err), (near.code, blank(&near), &near.err), "{line}");
        assert_eq!(text(&program), written, "{line}");
    }
}

#[test]
fn what_would_be_undone_is_asked_for_and_refused_without_yes() {
    let (_app, program) = started();
    known(&program);
    let advanced = far(&program, "rollout checkout advance --by grace --json");
    assert_eq!((advanced.code, &advanced.json()["step"]), (0, &2.into()), "{advanced:?}");
    let line = "set checkout rollout.steps.0.percent=10";
    let refused = far(&program, line);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("Warning") && refused.err.contains("--yes"), "{}", refused.err);
    same(line, &refused, &near(&program, line));
    assert_eq!(text(&program), FLAGS);
    let done = far(&program, &format!("{line} --yes"));
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(text(&program), FLAGS.replace("percent = 5,", "percent = 10,"));
}

#[test]
fn ends_links_and_drafts_work_from_afar() {
    let (_app, program) = started();
    known(&program);
    let ended = far(&program, "end form --winner on --force");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(program.path("flags.ended.toml").exists() || ended.out.contains("archived"), "{ended:?}");
    let link = far(&program, "link http://shop.example/ price=simple");
    assert!(link.code == 0 && link.out.contains("price=simple"), "{link:?}");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}", program.admin);
    for (draft, code) in [("[flags.a]\npercent = 10\n", 0), ("[flags.a]\npercent = 130\n[flags.b]\npercnt = 1\n", 1)]
    {
        fs::write(folder.path().join("draft.toml"), draft).unwrap();
        for options in ["", " --json", " --strict"] {
            let line = format!("check draft.toml{options}");
            let far =
                flagstaff(folder.path(), words(&format!("{line} --url {url}")), &[("FLAGSTAFF_ADMIN_TOKEN", TOKEN)]);
            let near = flagstaff(folder.path(), words(&line), &[]);
            assert!(far.code >= code, "{far:?}");
            same(&line, &far, &near);
        }
    }
}

#[test]
fn who_may_not_or_cannot_is_told_why() {
    let (_app, program) = started();
    let url = format!("http://{}", program.admin);
    let folder = program.folder.path();
    let refused = flagstaff(folder, words(&format!("list --url {url}")), &[("FLAGSTAFF_ADMIN_TOKEN", "another")]);
    assert!(refused.code == 2 && refused.err.contains("token"), "{refused:?}");
    let token = [("FLAGSTAFF_ADMIN_TOKEN", TOKEN)];
    for (line, word) in [
        (format!("list --url {url} --flags flags.toml"), "leave out --flags"),
        (format!("list --url {url} --ledger a.db"), "leave out --ledger"),
        ("list --url flags.example".into(), "https://HOST:PORT"),
        ("list --url http://127.0.0.1:1".into(), "is the program running"),
        (format!("list --url {url}/elsewhere"), "/elsewhere"),
        (format!("end form --winner on --code . --url {url}"), "--code"),
        (format!("check --url {url}"), "name the file"),
        (format!("list --url {url} --token-file none.txt"), "none.txt"),
    ] {
        let said = flagstaff(folder, words(&line), &token);
        assert!(said.code == 2 && said.err.contains(word), "{line}: {said:?}");
    }
    fs::write(program.path("token.txt"), format!("{TOKEN}\n")).unwrap();
    assert_eq!(flagstaff(folder, words(&format!("list --url {url} --token-file token.txt")), &[]).code, 0);
    let files = [("FLAGSTAFF_URL", "http://127.0.0.1:1"), ("FLAGSTAFF_ADMIN_TOKEN", TOKEN)];
    assert_eq!(flagstaff(folder, words("list --flags flags.toml"), &files).code, 0, "an option beats the variable");
}

#[test]
fn what_was_recorded_is_read_from_afar() {
    let (_app, program) = started();
    for line in ["export --flag price", "export --flag price --format jsonl"] {
        let (far, near) = (far(&program, line), near(&program, line));
        assert_eq!((far.code, &far.err), (1, &near.err), "{line}: {far:?}");
    }
    // of 20 % of visitors something is recorded
    let (mut raw, mut visitors) = (program.raw(), 0..);
    eventually("it is recorded", || {
        look(&mut raw, &format!("far{:0>19}", visitors.next().unwrap_or(0)));
        near(&program, "export --flag price").code == 0
    });
    eventually("all of it is written", || program.health()["ledger"]["queued"] == 0);
    for line in
        ["export --flag price", "export --flag price --format jsonl", "export --flag price --per day", "export"]
    {
        same(line, &far(&program, line), &near(&program, line));
    }
}

#[test]
fn revisions_are_listed_compared_and_put_back_from_afar() {
    let (_app, program) = started();
    known(&program);
    eventually("the first revision is recorded", || far(&program, "history --json").out.contains("revision"));
    assert_eq!(far(&program, "set price percent=30").code, 0);
    eventually("the second is", || far(&program, "history price --json").out.matches("\"changes\"").count() > 1);
    for line in [
        "history",
        "history price",
        "history --json",
        "diff now^",
        "diff now^ now --json",
        "diff abcdef0",
        "rollback now^ --dry-run",
    ] {
        same(line, &far(&program, line), &near(&program, line));
    }
    let put_back = far(&program, "rollback now^ --flag price --json");
    assert_eq!((put_back.code, &put_back.json()["by"]), (0, &"ada".into()), "{put_back:?}");
    assert_eq!(text(&program), FLAGS);
    assert!(program.health()["flags"]["revision"] == put_back.json()["revision"], "it is in force");
}

#[test]
fn a_running_program_says_what_it_was_asked_for() {
    let (_app, program) = started();
    let nobody = far(&program, "traffic price");
    assert!(nobody.code == 0 && nobody.out.contains("never") && nobody.out.contains("simple"), "{nobody:?}");
    let clean = far(&program, "hygiene");
    assert!(clean.code == 1 && clean.out.contains("price was never asked for"), "{clean:?}");
    let mut raw = program.raw();
    for n in 0..20 {
        look(&mut raw, &format!("asked{n:0>17}"));
    }
    // a thread counts what was decided, and every ten seconds the history moves on
    let decided = |told: &serde_json::Value| {
        told[0]["history"].as_array().unwrap().iter().filter_map(serde_json::Value::as_u64).sum::<u64>()
    };
    let mut told = serde_json::Value::Null;
    eventually("all are counted, and the API tells the same", || {
        told = far(&program, "traffic --json").json();
        decided(&told) == 20 && told == program.api_get("/api/v1/traffic")
    });
    assert_eq!((&told[0]["flag"], &told[0]["requests"]), (&"form".into(), &20.into()), "{told}");
    let expected: Vec<_> =
        told[1]["variants"].as_array().unwrap().iter().map(|one| one["expected"].clone()).collect();
    assert_eq!(expected, [90.0, 10.0], "{told}");
    assert!(!far(&program, "hygiene").out.contains("never asked for"));
    let report = far(&program, "hygiene --json").json();
    assert_eq!(report, program.api_get("/api/v1/hygiene"));
    for (line, why) in [("traffic prise", "did you mean `price`?"), ("hygiene --code .", "does not see --code")] {
        let refused = far(&program, line);
        assert!(refused.code == 2 && refused.err.contains(why), "{line}: {refused:?}");
    }
    let alone = flagstaff(program.folder.path(), ["traffic"], &[]);
    assert!(alone.code == 2 && alone.err.contains("--url"), "{alone:?}");
}
