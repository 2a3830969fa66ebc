//! A client that keeps cookies, as browsers do.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::raw::{Answer, Raw};

/// One visitor's browser.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    address: SocketAddr,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, cookies: BTreeMap::new() }
    }

    /// A browser that was here before.
    pub(crate) fn of(address: SocketAddr, visitor: &str) -> Self {
        Self::new(address).with_cookie("flagstaff_visitor", visitor)
    }

    pub(crate) fn with_cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.insert(name.into(), value.into());
        self
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    #[track_caller]
    pub(crate) fn get(&mut self, target: &str) -> Answer {
        self.get_with(target, "")
    }

    /// With more header lines, each with its end.
    #[track_caller]
    pub(crate) fn get_with(&mut self, target: &str, lines: &str) -> Answer {
        self.ask("GET", target, lines, "")
    }

    /// Sends a form.
    #[track_caller]
    pub(crate) fn post(&mut self, target: &str, form: &str) -> Answer {
        let lines = format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", form.len());
        self.ask("POST", target, &lines, form)
    }

    /// Sends JSON, with more header lines.
    #[track_caller]
    pub(crate) fn post_json(&mut self, target: &str, lines: &str, json: &str) -> Answer {
        let lines = format!("Content-Type: application/json\r\nContent-Length: {}\r\n{lines}", json.len());
        self.ask("POST", target, &lines, json)
    }

    #[track_caller]
    fn ask(&mut self, method: &str, target: &str, lines: &str, body: &str) -> Answer {
        let mut raw = Raw::connect(self.address);
        let cookies = self.cookie_line();
        raw.send(format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0\r\nConnection: close\r\n{cookies}{lines}\r\n{body}",
            self.address
        ));
        let answer = raw.answer();
        self.keep(&answer);
        answer
    }

    /// The `Cookie` line, or nothing.
    pub(crate) fn cookie_line(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        if pairs.is_empty() { String::new() } else { format!("Cookie: {}\r\n", pairs.join("; ")) }
    }

    /// Takes the cookies that an answer sets.
    pub(crate) fn keep(&mut self, answer: &Answer) {
        for line in answer.all("set-cookie") {
            let (pair, attributes) = line.split_once(';').unwrap_or((&line, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
    }
}
