//! Flags are read again when they change.
//!
//! The system says at once when something happens in the folders concerned; beside it the files are looked at every so
//! often, because network file systems say nothing and watches die with their folder. Redis says it too, by publish. Either way only the
//! content counts.

use std::iter;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use flagstaff_flags::Publisher;
use jiff::Zoned;

use super::contents::Contents;
use super::document_store::{Wake, Watcher};
use super::reload::{Reload, ReloadObserver, ReloadStatus};
use super::source::FlagSource;
use crate::assemble::{Loaded, ParseOptions};
use crate::findings::Report;

/// How often files that keep changing are waited for.
const SETTLE_TRIES: usize = 10;
/// From one look to the next at least, however often something is said to have changed.
const REST: Duration = Duration::from_millis(100);

/// A source on watch. Dropped, it stops.
#[derive(Debug)]
pub struct Reloader {
    wakes: Sender<Wake>,
    status: ReloadStatus,
    thread: Option<JoinHandle<()>>,
}

impl Reloader {
    /// Watches a source, beginning with what differs from the snapshot in force. `options.today` is set anew at each reading,
    /// where there is one. It is looked at every [`FlagSource::poll`].
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(
        source: FlagSource,
        options: ParseOptions,
        publisher: Arc<Publisher>,
        observer: impl ReloadObserver,
    ) -> std::io::Result<Self> {
        let (wakes, woken) = mpsc::channel();
        let reload = Reload::new(publisher, observer);
        let status = reload.status().clone();
        let (watcher, poll) = (source.watch(wakes.clone()), source.poll());
        let mut watch_loop = WatchLoop {
            source,
            options,
            reload,
            watcher,
            seen: None,
            unkept: None,
            polling_reported: false,
            not_kept_reported: false,
        };
        let thread = Some(flagstaff_supervise::background_thread("flags-watch", move || {
            let _ = watch_loop.run(&woken, poll);
        })?);
        Ok(Self { wakes, status, thread })
    }

    /// How it goes.
    #[must_use]
    pub fn status(&self) -> ReloadStatus {
        self.status.clone()
    }

    /// Looks at it now.
    pub fn look(&self) {
        // The thread ends only when this is dropped.
        let _ = self.wakes.send(Wake::Changed);
    }
}

impl Drop for Reloader {
    fn drop(&mut self) {
        let _ = self.wakes.send(Wake::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What is in the files: contents, or why they cannot be read.
type Seen = Result<Contents, Report>;

/// What the thread that watches has.
struct WatchLoop<O> {
    source: FlagSource,
    options: ParseOptions,
    reload: Reload<O>,
    watcher: Box<dyn Watcher>,
    seen: Option<Seen>,
    /// Good contents that could not be kept yet.
    unkept: Option<Contents>,
    /// It was reported that the system says nothing.
    polling_reported: bool,
    /// It was reported that nothing can be kept.
    not_kept_reported: bool,
}

impl<O: ReloadObserver> WatchLoop<O> {
    fn run(&mut self, woken: &Receiver<Wake>, poll: Duration) -> ControlFlow<()> {
        loop {
            self.renew(poll);
            self.look();
            let (looked, mut limit) = (Instant::now(), poll);
            // what else is said meanwhile is about the same save
            while self.wait(woken, limit)? || looked.elapsed() < REST {
                limit = REST.saturating_sub(looked.elapsed());
            }
        }
    }

    /// Waits until something is said, or for so long. Says which; it breaks off where nobody wants to look any more.
    fn wait(&mut self, woken: &Receiver<Wake>, limit: Duration) -> ControlFlow<(), bool> {
        match woken.recv_timeout(limit) {
            Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return ControlFlow::Break(()),
            Ok(Wake::Lost) => self.watcher.forget(),
            Ok(Wake::Changed) => {}
            Err(RecvTimeoutError::Timeout) => return ControlFlow::Continue(false),
        }
        ControlFlow::Continue(true)
    }

    /// Has the system say when the files change. Where it does not, that is reported once.
    fn renew(&mut self, poll: Duration) {
        let instant = self.watcher.renew();
        self.polling_reported &= instant != Ok(true);
        self.reload.status().set_instant(instant.as_ref().is_ok_and(|all| *all));
        if let Err(why) = instant
            && !self.polling_reported
        {
            self.polling_reported = true;
            self.reload.observer().on_polling(&why, poll);
        }
    }

    fn look(&mut self) {
        if let Some(contents) = self.unkept.take() {
            self.keep(Some(&contents));
        }
        let mut now = self.source.read();
        if self.seen.as_ref().is_some_and(|seen| same(seen, &now)) {
            return;
        }
        for settle in iter::repeat_n(self.source.settle(), SETTLE_TRIES).flatten() {
            thread::sleep(settle);
            let later = self.source.read();
            let settled = same(&now, &later);
            now = later;
            if settled {
                break;
            }
        }
        let first = self.seen.is_none();
        if self.seen.as_ref().is_some_and(|seen| same(seen, &now)) {
            return;
        }
        if !(first && now.as_ref().is_ok_and(|now| now.revision() == self.reload.revision())) {
            let outcome = match &now {
                Ok(contents) => self.parse(contents),
                Err(report) => Err(report.clone()),
            };
            let is_good = outcome.is_ok();
            self.reload.apply(outcome);
            self.keep(now.as_ref().ok().filter(|_| is_good));
        } else {
            self.keep(now.as_ref().ok());
        }
        self.seen = Some(now);
    }

    /// Keeps contents that are good, for a start with broken ones.
    fn keep(&mut self, good: Option<&Contents>) {
        let Some(contents) = good else {
            return;
        };
        match self.source.keep(contents) {
            Ok(()) => (self.unkept, self.not_kept_reported) = (None, false),
            Err(error) => {
                self.unkept = Some(contents.clone());
                if !std::mem::replace(&mut self.not_kept_reported, true) {
                    self.reload.observer().on_not_kept(&error.to_string());
                }
            }
        }
    }

    /// What the contents mean. A text that makes the program panic is refused like any other.
    fn parse(&self, contents: &Contents) -> Result<Loaded, Report> {
        let parse = || self.source.parse(contents, &self.options());
        catch_unwind(AssertUnwindSafe(parse)).unwrap_or_else(|_| {
            let help = "this is a bug in the program: please report it with the file".to_owned();
            let file = self.source.name();
            Err(Report::of_file(&file, "the file cannot be read: reading it ended with a panic", Some(help)))
        })
    }

    fn options(&self) -> ParseOptions {
        // By the clock of this place, as everywhere else.
        let today = self.options.today.map(|_| Zoned::now().date());
        ParseOptions { today, ..self.options.clone() }
    }
}

fn same(a: &Seen, b: &Seen) -> bool {
    match (a, b) {
        (Ok(a), Ok(b)) => a == b,
        (Err(a), Err(b)) => a.problems() == b.problems(),
        _ => false,
    }
}
