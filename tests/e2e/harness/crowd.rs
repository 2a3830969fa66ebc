//! Many visitors of a site with a form, some of whom send it, at rates the test knows.

use std::net::SocketAddr;
use std::sync::Mutex;

use super::app::App;
use super::raw::{Answer, Raw};

/// Connections at once.
const CONNECTIONS: usize = 4;
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";
const HTML: &str = "Accept: text/html\r\n";

/// An app with a form. It says in the body whether it was asked for with the flag `form` on, and takes what is sent.
pub(crate) fn form() -> App {
    App::start(|exchange| {
        exchange.body();
        let variant = exchange.field("x-flag-form").unwrap_or_else(|| "off".into());
        let status = if exchange.method == "POST" { 303 } else { 200 };
        exchange.answer(status, "Cache-Control: no-store\r\n", variant)
    })
}

/// What was done, counted by the test that did it: off, then on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Done {
    pub(crate) visitors: [u64; 2],
    pub(crate) conversions: [u64; 2],
    /// Conversions that are owed to the rate.
    owed: [f64; 2],
}

impl Done {
    /// Counts a visitor, and says whether this one is to send the form: as many do as the rate says, to the last one.
    fn meets(&mut self, variant: usize, rates: [f64; 2]) -> bool {
        self.visitors[variant] += 1;
        self.owed[variant] += rates[variant];
        let sends = self.owed[variant] >= 1.0 - 1e-9;
        if sends {
            self.owed[variant] -= 1.0;
            self.conversions[variant] += 1;
        }
        sends
    }
}

/// Who comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowd {
    pub(crate) address: SocketAddr,
    pub(crate) visitors: usize,
    /// How many of those who see the form send it: off, on.
    pub(crate) rates: [f64; 2],
    /// Besides them, bots (4 for 10) and prefetches (2 for 10).
    pub(crate) noise: bool,
}

impl Crowd {
    /// Everybody comes, over several connections.
    pub(crate) fn comes(self) -> Done {
        let done = Mutex::new(Done::default());
        std::thread::scope(|scope| {
            for connection in 0..CONNECTIONS {
                let done = &done;
                scope.spawn(move || {
                    let mut raw = Raw::connect(self.address);
                    for visitor in (connection..self.visitors).step_by(CONNECTIONS) {
                        self.visit(&mut raw, done);
                        self.noise(&mut raw, visitor % 10);
                    }
                });
            }
        });
        done.into_inner().unwrap()
    }

    fn visit(self, raw: &mut Raw, done: &Mutex<Done>) {
        let answer = ask(raw, "GET", BROWSER, HTML);
        assert_eq!(answer.status, 200, "{}", answer.head);
        let cookies = cookies(&answer);
        let variant = usize::from(answer.text() == "on");
        if done.lock().unwrap().meets(variant, self.rates) {
            let answer = ask(raw, "POST", BROWSER, &format!("{HTML}{cookies}"));
            assert_eq!((answer.status, answer.text() == "on"), (303, variant == 1));
        }
    }

    fn noise(self, raw: &mut Raw, of_ten: usize) {
        let (bot, prefetch) = ("Mozilla/5.0 (compatible; Googlebot/2.1)", "Sec-Purpose: prefetch\r\n");
        let (agent, line) = match of_ten {
            _ if !self.noise => return,
            0..4 => (bot, ""),
            4..6 => (BROWSER, prefetch),
            _ => return,
        };
        let answer = ask(raw, "GET", agent, &format!("{HTML}{line}"));
        let cookies = cookies(&answer);
        ask(raw, "POST", agent, &format!("{HTML}{line}{cookies}"));
    }
}

/// The `Cookie` line of a browser that got this answer.
fn cookies(answer: &Answer) -> String {
    let all = answer.all("set-cookie");
    let pairs: Vec<_> = all.iter().filter_map(|cookie| cookie.split(';').next()).collect();
    assert!(!pairs.is_empty(), "{}", answer.head);
    format!("Cookie: {}\r\n", pairs.join("; "))
}

/// A visitor with an id comes for the form, on a connection that stays.
pub(crate) fn look(raw: &mut Raw, visitor: &str) -> Answer {
    ask(raw, "GET", BROWSER, &format!("{HTML}Cookie: flagstaff_visitor={visitor}\r\n"))
}

/// One request for the form on a connection that stays; `lines` with their ends.
pub(crate) fn ask(raw: &mut Raw, method: &str, agent: &str, lines: &str) -> Answer {
    let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
    raw.send(format!("{method} /form HTTP/1.1\r\nHost: shop\r\nUser-Agent: {agent}\r\n{length}{lines}\r\n"));
    raw.answer()
}

/// What a page says happened.
pub(crate) fn tell(raw: &mut Raw, path: &str, visitor: &str, lines: &str, body: &str) -> Answer {
    raw.send(format!(
        "POST {path} HTTP/1.1\r\nHost: shop\r\nUser-Agent: {BROWSER}\r\nCookie: flagstaff_visitor={visitor}\r\n{lines}Content-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    raw.answer()
}
