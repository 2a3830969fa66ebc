//! A receiver of webhooks, which does what a test wants it to do.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use flagstaff_flags::{Definition, Fact, FactKind, Name};
use flagstaff_ledger::{FactStore, Location};
use jiff::Timestamp;
use serde_json::Value;

use super::app::{App, Exchange, Then};
use super::program::Program;
use super::{run, within};

/// Longer than the claim of a program that was killed.
const WAIT_LIMIT: std::time::Duration = std::time::Duration::from_secs(120);

/// Who sends samples.
const BY_COMMAND: &str = "flagstaff webhook test";

/// What the receiver does with a message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    Take,
    /// Answers with this status and these fields.
    Say(u16, &'static str),
    /// Ends the connection without an answer.
    Cut,
    /// Never answers.
    Hang,
}

/// A message, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) kind: String,
    pub(crate) signature: Option<String>,
    pub(crate) body: String,
    pub(crate) taken: bool,
}

impl Message {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    #[track_caller]
    pub(crate) fn text(&self) -> String {
        self.json()["text"].as_str().unwrap().to_owned()
    }
}

/// The receiver, listening.
#[derive(Debug)]
pub(crate) struct Receiver {
    app: App,
    got: Arc<Mutex<Vec<Message>>>,
}

impl Receiver {
    /// For what the test itself adds; decides by how often it has had a message before.
    pub(crate) fn start(decide: impl Fn(&Message, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::of(|message| message.json().get("by").is_none_or(|by| by == "test" || by == BY_COMMAND), decide)
    }

    /// For everything, which it takes at once.
    pub(crate) fn of_all() -> Self {
        Self::of(|_| true, |_, _| Reply::Take)
    }

    /// What is none of the test's is taken and forgotten.
    fn of(
        matters: impl Fn(&Message) -> bool + Send + Sync + 'static,
        decide: impl Fn(&Message, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let got = Arc::new(Mutex::new(Vec::<Message>::new()));
        let all = Arc::clone(&got);
        let app = App::start(move |exchange| {
            let mut message = read(exchange);
            if !matters(&message) {
                return exchange.answer(200, "", "ok");
            }
            let reply = {
                let mut all = all.lock().unwrap();
                let before = all.iter().filter(|one| one.id == message.id).count();
                let reply = decide(&message, before);
                message.taken = matches!(reply, Reply::Take);
                all.push(message);
                reply
            };
            match reply {
                Reply::Take => exchange.answer(200, "", "ok"),
                Reply::Say(status, fields) => exchange.answer(status, fields, "no"),
                Reply::Cut => Then::Close,
                Reply::Hang => {
                    exchange.wait_for_end();
                    Then::Close
                }
            }
        });
        Self { app, got }
    }

    pub(crate) fn takes() -> Self {
        Self::start(|_, _| Reply::Take)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.app.address
    }

    /// The line of the settings that leads here.
    pub(crate) fn url(&self) -> String {
        format!("url = \"http://{}/hook\"", self.address())
    }

    /// Connections open now.
    pub(crate) fn open(&self) -> usize {
        self.app.open()
    }

    /// Everything that came, taken or not.
    pub(crate) fn got(&self) -> Vec<Message> {
        self.got.lock().unwrap().clone()
    }

    pub(crate) fn taken(&self) -> Vec<Message> {
        self.got().into_iter().filter(|message| message.taken).collect()
    }

    /// Waits until so many were taken, and returns them.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Message> {
        within(WAIT_LIMIT, "the messages come", || self.taken().len() >= count);
        self.taken()
    }
}

fn read(exchange: &mut Exchange<'_>) -> Message {
    let body = String::from_utf8(exchange.body()).unwrap();
    let field = |name| exchange.field(name);
    assert_eq!((exchange.method.as_str(), field("content-type").as_deref()), ("POST", Some("application/json")));
    assert!(field("user-agent").unwrap().starts_with("flagstaff/"));
    let kind = serde_json::from_str::<Value>(&body).unwrap()["kind"].as_str().unwrap_or_default().to_owned();
    Message {
        id: field("x-flagstaff-delivery").unwrap(),
        event: field("x-flagstaff-event").unwrap(),
        kind,
        signature: field("x-flagstaff-signature"),
        body,
        taken: false,
    }
}

/// Adds facts about a flag to the program's ledger, as another program would.
#[track_caller]
pub(crate) fn happen(program: &Program, flag: &str, kinds: &[FactKind]) {
    happen_because(program, flag, kinds, "the test says so");
}

#[track_caller]
pub(crate) fn happen_because(program: &Program, flag: &str, kinds: &[FactKind], why: &str) {
    happen_at(&Location::file(&program.path("flagstaff.db")).unwrap(), flag, kinds, why);
}

#[track_caller]
pub(crate) fn happen_at(place: &Location, flag: &str, kinds: &[FactKind], why: &str) {
    let fact = |number: u64, kind: FactKind| Fact {
        flag: Name::new(flag).unwrap(),
        number,
        at: Timestamp::now(),
        definition: Definition(1),
        kind,
        step: 0,
        by: "test".into(),
        why: why.into(),
        evidence: Some("{\"p\":0.001}".into()),
    };
    run(async {
        let mut register = FactStore::open(place).await.unwrap();
        loop {
            let newest = register.newest().await.unwrap();
            let newest = newest.iter().find(|(name, _)| name.as_str() == flag).map_or(0, |(_, number)| *number);
            let facts: Vec<_> = (newest + 1..).zip(kinds).map(|(number, kind)| fact(number, *kind)).collect();
            if register.add(&facts).await.unwrap() {
                break;
            }
        }
        register.close().await;
    });
}
