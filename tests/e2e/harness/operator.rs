//! An operator who asks a running program with the token.

use serde_json::Value;

use super::program::{Program, Setup};
use super::raw::{Answer, Raw};

/// The token of these tests.
pub(crate) const TOKEN: &str = "token-of-the-tests";

impl Setup {
    /// Operators are let in.
    pub(crate) fn with_token(self) -> Self {
        self.env("FLAGSTAFF_ADMIN_TOKEN", TOKEN)
    }
}

impl Program {
    /// Sends a request of an operator; the connection is for its answer.
    #[track_caller]
    pub(crate) fn operator(&self, method: &str, target: &str, lines: &str, body: &str) -> Raw {
        let mut raw = Raw::connect(self.admin);
        let (host, length) = (self.admin, body.len());
        raw.send(format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {length}\r\n\
             Content-Type: application/json\r\n{lines}\r\n{body}"
        ));
        raw
    }

    /// The answer to a request of an operator.
    #[track_caller]
    pub(crate) fn asks(&self, method: &str, target: &str, body: &str) -> Answer {
        self.operator(method, target, "Connection: close\r\n", body).answer()
    }

    /// The same, as JSON.
    #[track_caller]
    pub(crate) fn asks_json(&self, method: &str, target: &str, body: &str) -> Value {
        let answer = self.asks(method, target, body);
        serde_json::from_slice(&answer.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", answer.head, answer.text()))
    }
}

/// A request with these fields, and with the Host of the address where they name none.
#[track_caller]
pub(crate) fn send(program: &Program, request: &str, fields: &[&str], body: &str) -> Answer {
    let mut raw = Raw::connect(program.admin);
    let mut head = format!("{request} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    if !fields.iter().any(|field| field.starts_with("Host:")) {
        head += &format!("Host: {}\r\n", program.admin);
    }
    fields.iter().for_each(|field| head += &format!("{field}\r\n"));
    raw.send(format!("{head}\r\n{body}"));
    raw.answer()
}

/// The cookie of the session that a token opens through the form, as a field.
#[track_caller]
pub(crate) fn session(program: &Program, token: &str) -> String {
    let origin = format!("Origin: http://{}", program.admin);
    let form = "Content-Type: application/x-www-form-urlencoded";
    let answer = send(program, "POST /session", &[&origin, form], &format!("token={token}&next=%2Fflags"));
    assert_eq!((answer.status, answer.field("location").as_deref()), (303, Some("/flags")), "{}", answer.text());
    cookie(&answer)
}

pub(crate) fn cookie(answer: &Answer) -> String {
    let set = answer.field("set-cookie").unwrap();
    format!("Cookie: {}", set.split(';').next().unwrap())
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

/// A stream of events.
pub(crate) struct Events(Raw);

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Value,
}

impl Program {
    /// Listens to a stream of events, with more header lines.
    #[track_caller]
    pub(crate) fn listens(&self, target: &str, lines: &str) -> Events {
        let mut raw = self.operator("GET", target, lines, "");
        let head = raw.head();
        assert!(head.starts_with("HTTP/1.1 200") && head.contains("text/event-stream"), "{head}");
        Events(raw)
    }
}

impl Events {
    /// The next event; heartbeats and the frames of chunks are passed over.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Event {
        loop {
            let text = String::from_utf8(self.0.until(b"\n\n")).unwrap();
            let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            let Some(data) = field("data: ") else { continue };
            let data = serde_json::from_str(&data).unwrap();
            return Event { name: field("event: ").unwrap_or_default(), id: field("id: "), data };
        }
    }

    /// The next event of this name.
    #[track_caller]
    pub(crate) fn next_of(&mut self, name: &str) -> Event {
        loop {
            let event = self.next();
            if event.name == name {
                return event;
            }
        }
    }

    /// Whether the stream ends, whatever still comes.
    pub(crate) fn ends(mut self) -> bool {
        self.0.rest();
        true
    }
}
