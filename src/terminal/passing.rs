//! A line on a terminal that tells how far something is, and goes when it is done.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use flagstaff_flags::printable;

/// How often it changes at most.
const PERIOD: Duration = Duration::from_millis(100);

/// The line. Where standard error is no terminal, nothing is written.
pub(crate) struct Passing {
    next: Option<Instant>,
    is_shown: bool,
}

impl Passing {
    /// A line that is there only when it takes longer than this.
    pub(crate) fn new(quiet: Duration) -> Self {
        let next = io::stderr().is_terminal().then(|| Instant::now() + quiet);
        Self { next, is_shown: false }
    }

    /// Shows this in place of what was there, where it is time.
    pub(crate) fn say(&mut self, text: impl FnOnce() -> String) {
        let now = Instant::now();
        if self.next.is_none_or(|next| now < next) {
            return;
        }
        self.next = Some(now + PERIOD);
        self.is_shown = true;
        // where it cannot be written, nobody waits for it
        let _ = write!(io::stderr().lock(), "\r{}\x1b[K", printable(&text()));
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.clear();
    }
}
