//! An app that does otherwise for those with the flag `checkout`, and visitors who come to it one after the other.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::app::App;
use super::program::Program;
use super::raw::{Answer, Raw};

/// How the app treats visitors: those without the flag, those with it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fate {
    /// The part of the answers that are errors.
    pub(crate) errors: [f64; 2],
    /// How long an answer takes.
    pub(crate) takes: [Duration; 2],
}

/// The app. What it does can be changed while it runs.
pub(crate) struct Patient {
    pub(crate) app: App,
    state: Arc<Mutex<(Fate, fastrand::Rng)>>,
}

impl Patient {
    pub(crate) fn start(fate: Fate) -> Self {
        let state = Arc::new(Mutex::new((fate, fastrand::Rng::with_seed(1))));
        let shared = Arc::clone(&state);
        let app = App::start(move |exchange| {
            exchange.body();
            let variant = exchange.field("x-flag-checkout").unwrap_or_else(|| "off".into());
            let place = usize::from(variant != "off");
            let (takes, fails) = {
                let (fate, random) = &mut *shared.lock().unwrap();
                (fate.takes[place], random.f64() < fate.errors[place])
            };
            std::thread::sleep(takes);
            exchange.answer(if fails { 500 } else { 200 }, "Cache-Control: no-store\r\n", variant)
        });
        Self { app, state }
    }

    /// From now on it does this, by dice of this seed.
    pub(crate) fn does(&self, fate: Fate, seed: u64) {
        *self.state.lock().unwrap() = (fate, fastrand::Rng::with_seed(seed));
    }
}

/// Visitors who come one after the other, each new.
pub(crate) struct Queue {
    raw: Raw,
    name: String,
    came: usize,
}

impl Queue {
    pub(crate) fn to(program: &Program, name: &str) -> Self {
        Self { raw: program.raw(), name: name.into(), came: 0 }
    }

    /// The next visitor asks for a page. Says whether it came with the flag.
    pub(crate) fn next(&mut self) -> bool {
        self.came += 1;
        self.ask("GET / HTTP/1.1", self.came).text() == "on"
    }

    /// A visitor, by number, asks for a page. Says whether it came with the flag, and whether the answer was an error.
    pub(crate) fn outcome(&mut self, visitor: usize) -> (bool, bool) {
        let answer = self.ask("GET / HTTP/1.1", visitor);
        (answer.text() == "on", answer.status >= 500)
    }

    /// A visitor, by number, asks for something. Names of queues have at most 15 letters: ids have 22.
    pub(crate) fn ask(&mut self, line: &str, visitor: usize) -> Answer {
        let id = format!("{:-<15}{visitor:07}", self.name);
        self.raw.send(format!(
            "{line}\r\nHost: shop\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0\r\nAccept: text/html\r\n\
             Cookie: flagstaff_visitor={id}\r\nContent-Length: 0\r\n\r\n"
        ));
        self.raw.answer()
    }

    /// The number of the visitor who came last.
    pub(crate) fn last(&self) -> usize {
        self.came
    }

    /// So many come. Says how many of them with the flag.
    pub(crate) fn come(&mut self, visitors: usize) -> usize {
        (0..visitors).filter(|_| self.next()).count()
    }
}
