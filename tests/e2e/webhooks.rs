//! What happens to flags is told: to each receiver, of each event, once.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use flagstaff_flags::FactKind;
use flagstaff_ledger::Location;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::experiment_flow::done;
use crate::guards::flags as guarded;
use crate::harness::app::App;
use crate::harness::checkout_app::{Fate, Patient, Queue};
use crate::harness::command::flagstaff;
use crate::harness::postgres::Server;
use crate::harness::program::{Program, Setup};
use crate::harness::receiver::{Message, Receiver, Reply, happen, happen_at, happen_because};
use crate::harness::tls::Pair;
use crate::harness::{eventually, within};

/// Every kind that is told, with its event.
const KINDS: [(FactKind, &str); 14] = [
    (FactKind::Changed, "changed"),
    (FactKind::Step, "step"),
    (FactKind::ApprovalNeeded, "approval"),
    (FactKind::Inconclusive, "inconclusive"),
    (FactKind::Recovered, "inconclusive"),
    (FactKind::Observed, "trip"),
    (FactKind::Held, "trip"),
    (FactKind::Tripped, "trip"),
    (FactKind::Reset, "reset"),
    (FactKind::Paused, "reset"),
    (FactKind::Resumed, "reset"),
    (FactKind::Done, "step"),
    (FactKind::Expired, "expired"),
    (FactKind::Removed, "changed"),
];

fn telling(receiver: &Receiver) -> Setup {
    Setup::default().key("webhooks", &receiver.url())
}

fn kinds(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.kind.as_str()).collect()
}

/// That nothing else comes cannot be waited for, but what is added last comes last: of its flag, and by its time.
#[track_caller]
fn last(program: &Program, receiver: &Receiver, before: usize) -> Vec<Message> {
    happen(program, "last", &[FactKind::Expired]);
    let messages = receiver.wait_for(before + 1);
    assert_eq!(messages.len(), before + 1, "{messages:?}");
    assert!(messages[before].id.starts_with("last-"), "{messages:?}");
    messages
}

#[test]
fn a_receiver_that_fails_twice_has_each_event_once_and_in_order() {
    let receiver = Receiver::start(|_, before| match before {
        0 => Reply::Say(500, ""),
        1 => Reply::Cut,
        _ => Reply::Take,
    });
    let program = telling(&receiver).start();
    let flags = ["form", "price", "search", "shop", "door"];
    for (flag, some) in flags.iter().zip(KINDS.chunks(3)) {
        happen(&program, flag, &[FactKind::Defined]);
        happen(&program, flag, &some.iter().map(|(kind, _)| *kind).collect::<Vec<_>>());
    }
    let messages = receiver.wait_for(KINDS.len());
    for (flag, some) in flags.iter().zip(KINDS.chunks(3)) {
        let of_flag = messages.iter().filter(|message| message.json()["flag"] == **flag);
        let of_flag: Vec<_> = of_flag.map(|message| (message.kind.as_str(), message.event.as_str())).collect();
        assert_eq!(of_flag, some.iter().map(|(kind, event)| (kind.as_str(), *event)).collect::<Vec<_>>());
    }
    for message in &messages {
        let body = message.json();
        assert_eq!((&body["event"], &body["id"]), (&json!(message.event), &json!(message.id)));
        assert_eq!((&body["by"], &body["evidence"]), (&json!("test"), &json!({ "p": 0.001 })));
        let flag = body["flag"].as_str().unwrap();
        assert!(message.signature.is_none() && message.text().starts_with(&format!("{flag} ")), "{message:?}");
    }
    let mut tries: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    for message in receiver.got() {
        tries.entry(message.id).or_default().push(message.taken);
    }
    assert!(tries.values().all(|tries| *tries == [false, false, true]), "{tries:?}");
    last(&program, &receiver, KINDS.len());
    eventually("they are counted", || {
        let count = |result: &str| program.metric("flagstaff_webhooks_total", &format!("result=\"{result}\""));
        count("delivered") == 15.0 && count("failed") == 30.0 && count("given_up") == 0.0
    });
    assert_eq!(program.metric("flagstaff_webhooks_total", "event=\"trip\",result=\"delivered\""), 3.0);
}

#[test]
fn only_what_is_asked_for_is_told_and_with_the_words_of_a_template() {
    let receiver = Receiver::takes();
    let program = telling(&receiver)
        .key("webhooks", "events = [\"trip\", \"expired\"]")
        .key("webhooks", "template = \"[{event}] {flag}: {why} ({by}) {{}}\"")
        .start();
    happen(&program, "form", &KINDS.map(|(kind, _)| kind));
    let messages = last(&program, &receiver, 4);
    assert_eq!(kinds(&messages[..4]), ["observed", "held", "tripped", "expired"]);
    assert_eq!(messages[2].text(), "[trip] form: the test says so (test) {}");
}

#[test]
fn slack_is_spoken_where_it_is_said() {
    let receiver = Receiver::takes();
    let program = telling(&receiver).key("webhooks", "format = \"slack\"").start();
    happen_because(&program, "form", &[FactKind::Tripped], "5xx of on > 2 % & <rising>");
    let text = "form was rolled back: 5xx of on &gt; 2 % &amp; &lt;rising&gt;";
    assert_eq!(receiver.wait_for(1)[0].json(), json!({ "text": text }));
}

/// With the lines that the documentation gives to receivers.
#[test]
fn a_signature_is_verified_as_documented() {
    let receiver = Receiver::takes();
    let program = telling(&receiver).env("FLAGSTAFF_WEBHOOKS_SECRET", "a secret of the environment").start();
    happen_because(&program, "form", &[FactKind::Tripped], "é");
    let message = receiver.wait_for(1).remove(0);
    let documentation = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/webhooks.md")).unwrap();
    let (_, code) = documentation.split_once("```python\n").unwrap();
    let (code, _) = code.split_once("```").unwrap();
    let genuine = |signature: &str, body: &str, secret: &str| {
        let call = "\nimport sys\nprint(genuine({'X-Flagstaff-Signature': sys.argv[1]}, sys.argv[2].encode(), sys.argv[3].encode()))";
        let output = Command::new("python3").args(["-c", &format!("{code}{call}"), signature, body, secret]).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout == b"True\n"
    };
    let signature = message.signature.clone().unwrap();
    assert!(genuine(&signature, &message.body, "a secret of the environment"));
    assert!(!genuine(&signature, &message.body, "another"));
    assert!(!genuine(&signature, &message.body.replace("tripped", "resumed"), "a secret of the environment"));
    let later = signature.replacen("t=", "t=1", 1);
    assert!(!genuine(&later, &message.body, "a secret of the environment"));
}

#[test]
fn what_was_not_told_before_a_kill_9_is_told_after_it_once() {
    let works = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&works);
    let receiver = Receiver::start(move |_, _| if now.load(SeqCst) { Reply::Take } else { Reply::Hang });
    let mut program = telling(&receiver).start();
    happen(&program, "form", &[FactKind::Tripped]);
    happen(&program, "other", &[FactKind::Expired]);
    eventually("the first is being told", || receiver.got().len() == 1);
    program.process.signal(rustix::process::Signal::KILL);
    program.process.wait();
    happen(&program, "form", &[FactKind::Reset]);
    works.store(true, SeqCst);
    program.restart();
    let mut kinds: Vec<_> = receiver.wait_for(3).into_iter().map(|message| message.kind).collect();
    assert!(kinds.iter().position(|kind| kind == "tripped") < kinds.iter().position(|kind| kind == "reset"));
    kinds.sort();
    assert_eq!(kinds, ["expired", "reset", "tripped"]);
    last(&program, &receiver, 3);
    assert!(program.stop().success());
    program.restart();
    last(&program, &receiver, 4);
}

#[test]
fn a_fleet_tells_once() {
    let receiver = Receiver::start(|_, before| if before == 0 { Reply::Say(503, "") } else { Reply::Take });
    let first = telling(&receiver).start();
    let ledger = format!("ledger = \"{}\"", first.path("flagstaff.db").display());
    let rest: Vec<_> = (0..2).map(|_| telling(&receiver).top(&ledger).start()).collect();
    let flags: Vec<_> = (0..8).map(|i| format!("flag_{i}")).collect();
    for flag in &flags {
        happen(&first, flag, &[FactKind::Changed, FactKind::Step, FactKind::Tripped]);
    }
    let messages = receiver.wait_for(24);
    for flag in &flags {
        let of_flag: Vec<_> = messages.iter().filter(|one| one.json()["flag"] == **flag).cloned().collect();
        assert_eq!(kinds(&of_flag), ["changed", "step", "tripped"], "{flag}");
    }
    last(&first, &receiver, 24);
    drop(rest);
}

/// With a database of its own, of which one is killed while it tells.
#[test]
fn a_fleet_tells_on_when_one_of_it_is_killed() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    let database = server.database();
    let hangs = Arc::new(AtomicBool::new(true));
    let still = Arc::clone(&hangs);
    let receiver = Receiver::start(move |_, _| if still.load(SeqCst) { Reply::Hang } else { Reply::Take });
    let member = || telling(&receiver).top(&format!("ledger = \"{database}\"")).start();
    let first = member();
    let place = Location::new(&database).unwrap();
    for flag in ["form", "price", "search"] {
        happen_at(&place, flag, &[FactKind::Step, FactKind::Tripped], "it fails");
    }
    eventually("it is telling", || receiver.got().len() == 1);
    let second = member();
    hangs.store(false, SeqCst);
    first.process.signal(rustix::process::Signal::KILL);
    let messages = receiver.wait_for(6);
    for flag in ["form", "price", "search"] {
        let of_flag: Vec<_> = messages.iter().filter(|one| one.json()["flag"] == flag).cloned().collect();
        assert_eq!(kinds(&of_flag), ["step", "tripped"], "{flag}");
    }
    happen_at(&place, "last", &[FactKind::Expired], "");
    assert_eq!(receiver.wait_for(7).len(), 7);
    drop(second);
}

#[test]
fn what_happened_before_a_receiver_was_named_is_not_told() {
    let (early, late) = (Receiver::takes(), Receiver::takes());
    let mut program = telling(&early).start();
    happen(&program, "form", &[FactKind::Changed, FactKind::Step]);
    early.wait_for(2);
    assert!(program.stop().success());
    let file = program.path("flagstaff.toml");
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, settings.replace(&early.url(), &late.url())).unwrap();
    program.restart();
    let messages = last(&program, &late, 0);
    assert_eq!(kinds(&messages), ["expired"]);
    assert_eq!(early.got().len(), 2);
}

#[test]
fn a_refusal_is_final_and_keeps_nothing_up() {
    let receiver =
        Receiver::start(|message, _| if message.kind == "changed" { Reply::Say(400, "") } else { Reply::Take });
    let program = telling(&receiver).start();
    happen(&program, "form", &[FactKind::Changed, FactKind::Step]);
    last(&program, &receiver, 1);
    assert_eq!(kinds(&receiver.got()), ["changed", "step", "expired"]);
    eventually("it is counted", || program.metric("flagstaff_webhooks_total", "result=\"given_up\"") == 1.0);
    let log = program.process.log();
    assert!(log.contains("it is given up") && log.contains("400"), "{log}");
}

#[test]
fn a_receiver_that_asks_for_a_pause_gets_one() {
    let receiver = Receiver::start(|message, before| {
        let is_first = message.json()["flag"] == "a";
        if is_first && before == 0 { Reply::Say(429, "Retry-After: 2\r\n") } else { Reply::Take }
    });
    let program = telling(&receiver).start();
    happen(&program, "a", &[FactKind::Changed]);
    eventually("it is asked", || receiver.got().len() == 1);
    happen(&program, "b", &[FactKind::Changed]);
    receiver.wait_for(2);
    let flags: Vec<_> = receiver.got().iter().map(|message| message.json()["flag"].clone()).collect();
    assert_eq!(flags, ["a", "a", "b"], "nothing was told during the pause");
}

#[test]
fn redirects_are_not_followed() {
    let elsewhere = App::says("ok");
    let fields: &'static str = format!("Location: http://{}/\r\n", elsewhere.address).leak();
    let receiver = Receiver::start(move |_, before| match before {
        0 => Reply::Say(302, fields),
        1 => Reply::Say(307, fields),
        _ => Reply::Take,
    });
    let program = telling(&receiver).start();
    happen(&program, "form", &[FactKind::Changed]);
    receiver.wait_for(1);
    assert_eq!(elsewhere.connections(), 0);
    assert!(program.process.log().contains("redirects are not followed"));
}

#[test]
fn a_receiver_that_hangs_slows_nobody_down() {
    let (hangs, takes) = (Receiver::start(|_, _| Reply::Hang), Receiver::takes());
    let app = App::says("fine");
    let hook = |receiver: &Receiver| format!("{{ {} }}", receiver.url());
    let webhooks = format!("webhooks = [{}, {}]", hook(&hangs), hook(&takes));
    let mut program = Setup::to(&[app.address]).top(&webhooks).start();
    happen(&program, "form", &[FactKind::Tripped]);
    eventually("it hangs", || hangs.open() == 1);
    takes.wait_for(1);
    for _ in 0..200 {
        assert_eq!(program.get("/"), (200, "fine".into()));
    }
    assert_eq!((hangs.open(), hangs.got().len()), (1, 1), "all that while it was still being asked");
    assert!(program.stop().success());
    assert_eq!(hangs.got().len(), 1, "the end did not wait for it");
    assert!(program.process.log().contains("wait in the ledger"), "{}", program.process.log());
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("url = \"http://{}/\"", listener.local_addr().unwrap());
    let flood = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 500 No\r\nConnection: close\r\n\r\n");
        let mut sent = 0_u64;
        while stream.write_all(&[b'x'; 65536]).is_ok() {
            sent += 65536;
            assert!(sent < 1 << 30, "it is read without end");
        }
    });
    let program = Setup::default().key("webhooks", &url).start();
    happen(&program, "form", &[FactKind::Tripped]);
    within(Duration::from_secs(60), "it hangs up", || flood.is_finished());
    flood.join().unwrap();
    assert!(program.process.log().len() < 20_000);
}

#[test]
fn messages_go_over_tls_to_whom_the_system_trusts() {
    let (pair, other) = (Pair::new(), Pair::new());
    let (address, bodies) = encrypted(&pair);
    let start = |trusted: &Pair| {
        let folder = tempfile::tempdir().unwrap();
        let roots = folder.path().join("roots.pem");
        std::fs::write(&roots, &trusted.certificate).unwrap();
        let url = format!("url = \"https://localhost:{}/secret-path?secret-query\"", address.port());
        let program = Setup::default().key("webhooks", &url).env("SSL_CERT_FILE", roots.to_str().unwrap()).start();
        happen(&program, "form", &[FactKind::Tripped]);
        (program, folder)
    };
    let (stranger, _folder) = start(&other);
    eventually("it is not trusted", || stranger.process.log().contains("did not take it"));
    assert!(stranger.process.log().contains("certificate"), "{}", stranger.process.log());
    let (program, _folder) = start(&pair);
    let body = bodies.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(body.contains("\"kind\":\"tripped\""), "{body}");
    eventually("it is told", || program.process.log().contains("webhook told"));
    for log in [stranger.process.log(), program.process.log()] {
        assert!(log.contains("localhost:") && !log.contains("secret-"), "{log}");
    }
}

/// A receiver behind TLS, and the requests it had.
fn encrypted(pair: &Pair) -> (std::net::SocketAddr, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, bodies) = std::sync::mpsc::channel();
    let acceptor = pair.acceptor("http/1.1");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut text = String::new();
                while !text.ends_with('}') {
                    let mut piece = [0; 4096];
                    let count = stream.read(&mut piece).await.unwrap_or(0);
                    text.push_str(&String::from_utf8_lossy(&piece[..count]));
                    if count == 0 {
                        break;
                    }
                }
                let _ = stream.write_all(b"HTTP/1.1 204 Fine\r\n\r\n").await;
                let _ = stream.shutdown().await;
                if sender.send(text).is_err() {
                    return;
                }
            }
        });
    });
    (address, bodies)
}

#[test]
fn the_command_sends_a_sample_of_each_event() {
    let receiver =
        Receiver::start(|message, _| if message.event == "expired" { Reply::Say(404, "") } else { Reply::Take });
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("[[webhooks]]\n{}\nsecret = \"s\"\n", receiver.url());
    std::fs::write(folder.path().join("flagstaff.toml"), settings).unwrap();
    let test = |more: &str| {
        let line = format!("webhook test --config flagstaff.toml{more}");
        flagstaff(folder.path(), line.split(' '), &[])
    };
    let said = test(" --json");
    assert_eq!(said.code, 1, "{said:?}");
    let answers = said.json();
    let events: Vec<_> = answers.as_array().unwrap().iter().map(|one| one["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["changed", "step", "approval", "inconclusive", "trip", "reset", "expired"]);
    assert_eq!((&answers[4]["taken"], &answers[6]["taken"]), (&json!(true), &json!(false)));
    assert!(receiver.got().iter().all(|message| message.signature.is_some() && message.text().contains("a sample")));
    let said = test(" --event trip");
    assert_eq!((said.code, said.out), (0, format!("taken     {} trip: it answered 200\n", receiver.address())));
    let said = test(" --event expired");
    assert!(said.code == 1 && said.out.contains("not taken") && said.out.contains("404"), "{said:?}");
    let said = test(" --event exploded");
    assert!(said.code == 2 && said.err.contains("inconclusive"), "{said:?}");
    assert_eq!(receiver.got().len(), 9);
    std::fs::write(folder.path().join("flagstaff.toml"), "").unwrap();
    let said = test("");
    assert!(said.code == 2 && said.err.contains("FLAGSTAFF_WEBHOOKS_URL"), "{said:?}");
}

#[test]
fn what_makes_no_sense_is_said_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("flags.toml"), "# no flags\n").unwrap();
    let told = |settings: &str, environment: &[(&str, &str)]| {
        std::fs::write(folder.path().join("flagstaff.toml"), settings).unwrap();
        let said = flagstaff(folder.path(), ["run", "--dry-run", "--config", "flagstaff.toml"], environment);
        assert_eq!(said.code, 2, "{said:?}");
        said.err
    };
    let wrong = "[[webhooks]]\nurl = \"http://a/\"\n\n[[webhooks]]\nurl = \"b\"\nevents = [\"trip\", \"steps\"]\n\
                 template = \"{reason}\"\n";
    let said = told(wrong, &[]);
    for (place, mend) in
        [("flagstaff.toml:5:7", "https://"), ("flagstaff.toml:6:19", "\"step\""), ("flagstaff.toml:7:12", "{why}")]
    {
        assert!(said.contains(place) && said.contains(mend), "{place} {mend}: {said}");
    }
    let said = told("[webhooks]\nurls = \"http://a/\"\n", &[]);
    assert!(said.contains("flagstaff.toml:2:1") && said.contains("url"), "{said}");
    let said = told("", &[("FLAGSTAFF_WEBHOOKS_URL", "ftp://a/"), ("FLAGSTAFF_WEBHOOKS_TEMPLATE", "{b}")]);
    assert!(said.contains("FLAGSTAFF_WEBHOOKS_URL: ") && said.contains("FLAGSTAFF_WEBHOOKS_TEMPLATE: "), "{said}");
    let said = told("", &[("FLAGSTAFF_WEBHOOKS_SECRET", "s")]);
    assert!(said.contains("FLAGSTAFF_WEBHOOKS_URL: this is missing"), "{said}");
    let twice = "webhooks = [{ url = \"http://a/\" }, { url = \"http://a/\", events = \"trip\" }]\n";
    let said = told(twice, &[]);
    assert!(said.contains("flagstaff.toml:1:") && said.contains("`trip`"), "{said}");
}

// ── what the program itself finds ────────────────────────────────────────────────────────────────────────────────────

const THREE: &str = "[flags.form]\npercent = 50\n[flags.price]\npercent = 10\n[flags.old]\nexpires = 2020-01-01\n";

/// What was told, as `flag kind`, without an order among flags.
fn told(receiver: &Receiver) -> Vec<String> {
    let word = |message: &Message| format!("{} {}", message.json()["flag"].as_str().unwrap(), message.kind);
    let mut told: Vec<_> = receiver.got().iter().map(word).collect();
    told.sort();
    told
}

#[test]
fn edits_of_the_file_are_told_once_by_the_whole_fleet() {
    let receiver = Receiver::of_all();
    let mut first = telling(&receiver).flags(THREE).start();
    eventually("an expired flag is told", || told(&receiver) == ["old expired"]);
    let ledger = format!("ledger = \"{}\"", first.path("flagstaff.db").display());
    let second = telling(&receiver).top(&ledger).flags(THREE).start();
    let edited = THREE.replace("50", "60").replace("[flags.price]\npercent = 10\n", "");
    first.save_flags(&edited);
    second.save_flags(&edited);
    let all = ["form changed", "old expired", "price removed"];
    eventually("edits are told", || told(&receiver) == all);
    let form = receiver.got().into_iter().find(|message| message.json()["flag"] == "form").unwrap();
    assert_eq!(
        (&form.json()["percent"], form.text()),
        (&json!(60), "form was changed (file): the file was edited".into())
    );
    drop(second);
    assert!(first.stop().success());
    first.restart();
    happen(&first, "form", &[FactKind::Reset]);
    eventually("that is told", || told(&receiver).contains(&"form reset".into()));
    assert_eq!(told(&receiver), ["form changed", "form reset", "old expired", "price removed"], "and nothing twice");
}

#[test]
fn a_rollout_is_told_step_by_step_and_so_is_what_people_have_it_do() {
    let receiver = Receiver::of_all();
    let checkout_app = Patient::start(Fate::default());
    let flags = "[flags.checkout]\nsticky = \"none\"\n[flags.checkout.rollout]\nsteps = [{ percent = 20, hold = \"200ms\", \
                 min_visitors = 5 }, { percent = 60, hold = \"approval\" }, { percent = 100 }]\n";
    let program = Setup::to(&[checkout_app.app.address]).key("webhooks", &receiver.url()).flags(flags).start();
    let mut queue = Queue::to(&program, "visitors");
    let mut until = |kind: &str| {
        eventually(kind, || {
            queue.come(20);
            receiver.got().iter().any(|message| message.kind == kind)
        });
    };
    until("approval_needed");
    done(&program, "rollout checkout pause --by ada");
    until("paused");
    done(&program, "rollout checkout resume --by ada");
    done(&program, "rollout checkout approve --by ada");
    until("done");
    let messages = receiver.got();
    let kinds = kinds(&messages);
    let wanted = ["step", "approval_needed", "paused", "resumed", "step", "done"];
    let kinds: Vec<_> = kinds.into_iter().filter(|kind| *kind != "inconclusive").collect();
    assert_eq!(kinds, wanted, "{messages:?}");
    let step = messages.iter().find(|message| message.kind == "step").unwrap();
    assert_eq!((&step.json()["step"], &step.json()["percent"]), (&json!(2), &json!(60)));
    assert!(step.text().starts_with("checkout is now at 60 %"), "{}", step.text());
    assert_eq!(messages.iter().find(|message| message.kind == "paused").unwrap().json()["by"], "ada");
}

/// With and without a ledger, and also when it is lost just then.
#[test]
fn a_trip_is_told_whatever_becomes_of_the_ledger() {
    for ledger in ["kept", "none", "lost"] {
        let receiver = Receiver::of_all();
        let checkout_app = Patient::start(Fate::default());
        let mut setup = Setup::to(&[checkout_app.app.address]).key("webhooks", &receiver.url());
        if ledger == "none" {
            setup = setup.top("ledger = \"none\"");
        }
        let program = setup.flags(&guarded(50, "errors = \"5xx\"")).start();
        let mut queue = Queue::to(&program, "before");
        queue.come(100);
        happen_where_kept(&program, ledger);
        if ledger == "lost" {
            receiver.wait_for(1);
            for file in ["flagstaff.db", "flagstaff.db-wal", "flagstaff.db-shm"] {
                let _ = std::fs::remove_file(program.path(file));
            }
            // a folder in its place cannot be opened
            std::fs::create_dir(program.path("flagstaff.db")).unwrap();
        }
        checkout_app.does(Fate { errors: [0.0, 1.0], ..Fate::default() }, 1);
        eventually("it is rolled back", || {
            queue.come(20);
            program.metric("flagstaff_guard_tripped", "flag=\"checkout\"") == 1.0
        });
        if ledger == "lost" {
            std::fs::remove_dir(program.path("flagstaff.db")).unwrap();
        }
        eventually("it is told", || told(&receiver).contains(&"checkout tripped".into()));
        let trip = receiver.got().pop().unwrap();
        assert!(trip.json()["evidence"].is_object() && trip.text().contains("had an error"), "{trip:?}");
        let wanted: &[&str] =
            if ledger == "none" { &["checkout tripped"] } else { &["checkout paused", "checkout tripped"] };
        assert_eq!(told(&receiver), wanted, "{ledger}");
    }
}

/// Something that was told already when the ledger is lost, and is not told again.
fn happen_where_kept(program: &Program, ledger: &str) {
    if ledger != "none" {
        happen(program, "checkout", &[FactKind::Paused]);
    }
}
