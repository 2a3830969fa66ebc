//! Visitors who are in no experiment, from the file to the comparison.

use std::process::Command;

use flagstaff_flags::Draw;
use serde_json::{Value, json};

use crate::experiment_flow::said;
use crate::harness::command::flagstaff;
use crate::harness::crowd::{form, look};
use crate::harness::program::Setup;
use crate::harness::raw::Raw;

const FLAGS: &str = r#"
[flags.form]
percent = 50
exposed_on = ["GET /form"]
goals = ["sent"]

[flags.banner]
percent = 50

[goals.sent]
on = "POST /form"
status = "2xx,3xx"

[goals.paid]
event = "paid"

[holdout]
percent = 20
"#;

fn is_held(id: &str) -> bool {
    Draw::of("holdout", id).position() < 20_000
}

/// Sends the form.
fn send(raw: &mut Raw, visitor: &str) {
    raw.send(format!(
        "POST /form HTTP/1.1\r\nHost: shop\r\nUser-Agent: Mozilla/5.0 Firefox/140.0\r\nContent-Length: 0\r\nCookie: flagstaff_visitor={visitor}\r\n\r\n"
    ));
    assert_eq!(raw.answer().status, 303);
}

#[test]
fn the_held_out_are_compared_with_everybody_else() {
    let app = form();
    let mut program = Setup::to(&[app.address]).flags(FLAGS).start();
    let mut raw = program.raw();
    let (mut met, mut sent, mut on) = ([0u64; 2], [0u64; 2], 0);
    for i in 0..3_000 {
        let id = format!("held-or-not-held-{i:05}");
        let answer = look(&mut raw, &id).text();
        let arm = usize::from(!is_held(&id));
        assert!(arm == 1 || answer == "off", "{id} is held out");
        met[arm] += 1;
        on += u64::from(answer == "on");
        // everybody else sends it twice as often
        if i % 10 < 1 + arm {
            send(&mut raw, &id);
            sent[arm] += 1;
        }
    }
    assert!(program.stop().success());

    let results = said(&program, "results --holdout --json");
    assert_eq!(results.code, 0, "{results:?}");
    let results = results.json();
    assert_eq!(results["flag"], "_holdout");
    assert_eq!(results["sample_ratio"]["observed"], json!(met));
    assert_eq!(results["sample_ratio"]["broken"], false);
    let goals: Vec<_> = results["goals"].as_array().unwrap().iter().map(|goal| goal["goal"].clone()).collect();
    assert_eq!(goals, ["sent", "paid"], "every goal of the file");
    let arms = &results["goals"][0]["variants"];
    for (arm, name) in ["held", "in"].into_iter().enumerate() {
        let told = [&arms[arm]["variant"], &arms[arm]["visitors"], &arms[arm]["conversions"]];
        assert_eq!(told, [&json!(name), &json!(met[arm]), &json!(sent[arm])]);
    }
    assert_eq!(results["verdict"]["kind"], "ship", "{results:#}");
    let text = said(&program, "results --holdout").out;
    assert!(text.contains("All experiments together do good."), "{text}");

    // and nobody of them is in the experiment
    let form = said(&program, "results form --json").json();
    let visitors = form["sample_ratio"]["observed"].as_array().unwrap().iter().filter_map(Value::as_u64);
    assert_eq!(visitors.sum::<u64>(), met[1]);
    assert_eq!(form["sample_ratio"]["observed"][1], on);
    assert_eq!(form["sample_ratio"]["broken"], false);
    let rows = said(&program, "export --flag _holdout --format jsonl").out;
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let senders = rows.iter().filter(|row| row["variant"] == "held" && row["sent"].as_f64() > Some(0.0)).count();
    assert_eq!((rows.len() as u64, senders as u64), (met[0] + met[1], sent[0]));
    let both = said(&program, "results form --holdout");
    assert_eq!(both.code, 2, "{both:?}");
    let list = said(&program, "results");
    assert!(list.code == 0 && list.out.contains("form") && list.out.contains("VERDICT"), "{list:?}");
}

#[test]
fn explain_and_list_tell_who_is_held_out() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("flags.toml"), FLAGS).unwrap();
    let said = |line: &str| flagstaff(folder.path(), line.split(' ').chain(["--flags", "flags.toml"]), &[]);
    let line = "import hashlib, sys; x = int(hashlib.sha256(('holdout:' + sys.argv[1]).encode()).hexdigest(), 16); r = x % 100000; \
                print((r % 100) * 1000 + r // 100)";
    let (mut held, mut others) = (0, 0);
    for i in 0..25 {
        let id = format!("somebody-{i}");
        let python = Command::new("python3").args(["-c", line, &id]).output().unwrap();
        let place: u32 = String::from_utf8(python.stdout).unwrap().trim().parse().unwrap();
        let form = said(&format!("explain form --visitor {id} --json")).json();
        let step = form["trace"].as_array().unwrap().iter().find(|t| t["step"] == "holdout").unwrap().clone();
        assert!(step["detail"].as_str().unwrap().starts_with(&format!("position {place} of holdout is ")), "{step}");
        assert_eq!(step["outcome"] == "decided", place < 20_000);
        assert_eq!(form["step"] == "holdout", place < 20_000);
        let banner = said(&format!("explain banner --visitor {id} --json")).json();
        assert_eq!(banner["step"], "percent", "it has no goals");
        if place < 20_000 {
            assert_eq!((&form["variant"], &form["reason"]), (&json!("off"), &json!("SPLIT")));
            held += 1;
        } else {
            others += 1;
        }
    }
    assert!(held > 0 && others > 0);
    let list = said("list --json").json();
    assert_eq!((&list[0]["held_out"], &list[1]["held_out"]), (&json!(20.0), &Value::Null));
    assert!(said("list").out.contains("20 percent of visitors are held out of all experiments: form"));
    std::fs::write(folder.path().join("flags.toml"), FLAGS.replace("percent = 20", "percent = 120")).unwrap();
    let check = said("check");
    assert!(check.code == 1 && check.out.contains("flags.toml:18:11") && check.out.contains('^'), "{check:?}");
}
