//! A thousand revisions: the difference of any two, and one flag of an old one put back.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use flagstaff_flags::{FlagTexts, RevisionSource};
use flagstaff_ledger::{Location, NewRevision, RevisionChanges, RevisionStore};

use crate::harness::api::TOKEN;
use crate::harness::app::App;
use crate::harness::edits::revision;
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};

const FLAGS: usize = 100;
const REVISIONS: usize = 1000;

/// The file after so many edits, each of which raised the percentage of the next flag by one.
fn text(edits: usize) -> String {
    (0..FLAGS).fold("# a hundred flags\n".to_owned(), |mut text, flag| {
        write!(
            text,
            "\n# about {flag}\n[flags.flag_{flag:03}]\nowner = \"team {}\"\npercent = {}\n",
            flag % 7,
            percent(flag, edits)
        )
        .unwrap();
        text
    })
}

fn percent(flag: usize, edits: usize) -> usize {
    (edits + FLAGS - 1 - flag) / FLAGS
}

/// Writes all revisions into the ledger, each as an edit of its own.
fn record(location: &Location) {
    run_long(async {
        let mut store = RevisionStore::open(location).await.unwrap();
        for edits in 1..REVISIONS {
            let new = NewRevision {
                revision: revision(&text(edits)),
                environment: None,
                at: jiff::Timestamp::now(),
                source: RevisionSource::Command,
                by: format!("editor {edits}"),
                commit: None,
                why: String::new(),
                place: "flags.toml".into(),
                texts: FlagTexts { definitions: text(edits).into(), overlay: None },
                compare: |_, _| RevisionChanges { flags: Vec::new(), text: String::new() },
            };
            let before = store.before_edit(None).await.unwrap();
            store.record_edit(&new, &before).await.unwrap();
        }
        store.close().await;
    });
}

fn run_long(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future);
}

fn started() -> (App, Program) {
    let app = App::mirror();
    let setup = Setup::to(&[app.address]).env("FLAGSTAFF_ADMIN_TOKEN", TOKEN);
    let mut program = setup.flags(&text(0)).start();
    eventually("the first revision is recorded", || !program.api_get("/api/v1/history")["entries"][0].is_null());
    program.stop();
    record(&Location::new(program.path("flagstaff.db").to_str().unwrap()).unwrap());
    fs::write(program.path("flags.toml"), text(REVISIONS - 1)).unwrap();
    program.restart();
    (app, program)
}

#[test]
fn of_a_thousand_revisions_any_two_are_compared_and_one_flag_is_put_back_alone() {
    let (_app, program) = started();
    let history = program.api_get("/api/v1/history?limit=1000");
    assert_eq!(history["entries"].as_array().unwrap().len(), REVISIONS);
    let short = |edits: usize| revision(&text(edits))[..16].to_owned();
    let mut times = Vec::new();
    for (from, to) in
        [(0, 1), (0, 999), (999, 0), (1, 998), (500, 501), (250, 750), (998, 999), (333, 666), (10, 20), (700, 30)]
    {
        let began = Instant::now();
        let diff = program.api_get(&format!("/api/v1/diff?from={}&to={}", short(from), short(to)));
        times.push(began.elapsed());
        assert_eq!((&diff["from"]["number"], &diff["to"]["number"]), (&(from + 1).into(), &(to + 1).into()));
        let changed = (0..FLAGS).filter(|flag| percent(*flag, from) != percent(*flag, to)).count();
        let keys = diff["changes"].as_array().unwrap().len();
        assert_eq!(keys, changed, "{from} to {to}");
    }
    times.sort();
    eprintln!(
        "a difference of two of 1,000 revisions takes {:?} in the median, {:?} at most",
        times[times.len() / 2],
        times.last().unwrap_or(&Duration::ZERO)
    );
    let preview = program.api_get(&format!("/api/v1/rollback?revision={}&flag=flag_042", short(100)));
    assert_eq!(preview["changes"].as_array().unwrap().len(), 1, "{preview:#}");
    let body = format!("{{\"revision\": \"{}\", \"flag\": \"flag_042\", \"yes\": true}}", short(100));
    let answer = program.api("POST /api/v1/rollback", "", &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let now = |flag: usize| {
        format!("[flags.flag_{flag:03}]\nowner = \"team {}\"\npercent = {}\n", flag % 7, percent(flag, REVISIONS - 1))
    };
    let then = now(42)
        .replace(&format!("percent = {}", percent(42, REVISIONS - 1)), &format!("percent = {}", percent(42, 100)));
    let wanted = text(REVISIONS - 1).replace(&now(42), &then);
    assert_ne!(wanted, text(REVISIONS - 1));
    assert_eq!(fs::read_to_string(program.path("flags.toml")).unwrap(), wanted, "the later edits of others stay");
    let newest = &program.api_get("/api/v1/history?limit=1")["entries"][0];
    assert_eq!(
        (&newest["number"], &newest["revision"]),
        (&(REVISIONS + 1).into(), &revision(&wanted).into()),
        "{newest:#}"
    );
    let all = program.api("POST /api/v1/rollback", "", &format!("{{\"revision\": \"{}\", \"yes\": true}}", short(0)));
    assert_eq!(
        (all.status, fs::read_to_string(program.path("flags.toml")).unwrap()),
        (200, text(0)),
        "{}",
        all.text()
    );
}
