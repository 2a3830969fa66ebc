//! Files are read again when they change.
//!
//! The system says at once when something happens in the folders concerned; beside it the files are looked at every so
//! often, because network file systems say nothing and watches die with their folder. Either way only the content counts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use flagstaff_flags::Publisher;
use jiff::Zoned;

use crate::assemble::parse::{Loaded, Options};
use crate::report::Report;
use crate::store::files::{Contents, Files};
use crate::store::folders::Folders;
use crate::store::reload::{Intake, Observer, Status};

/// How long files must stay as they are before they are read, so that nobody is caught in the middle of a save.
const SETTLE: Duration = Duration::from_millis(50);

/// How often files that keep changing are waited for.
const PATIENCE: usize = 10;

/// How often files are looked at without being told to, unless said otherwise.
pub const POLL: Duration = Duration::from_secs(2);

/// Files on watch. Dropped, it stops.
#[derive(Debug)]
pub struct Watch {
    nudges: Sender<Nudge>,
    status: Status,
    thread: Option<JoinHandle<()>>,
}

/// Why to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nudge {
    /// Something changed.
    Changed,
    /// A folder on watch is no longer where it was.
    Lost,
    /// Look no more.
    Stop,
}

impl Watch {
    /// Watches files, beginning with what differs from the snapshot in force. `options.today` is set anew at each reading,
    /// where there is one. The files are looked at every `poll`, which is [`POLL`] by default.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(
        files: Files,
        options: Options,
        poll: Duration,
        publisher: Arc<Publisher>,
        observer: impl Observer,
    ) -> std::io::Result<Self> {
        let (nudges, heard) = mpsc::channel();
        let intake = Intake::new(publisher, observer);
        let status = intake.status().clone();
        let folders = Folders::new(nudges.clone());
        let mut guard = Guard {
            files,
            options,
            intake,
            folders,
            seen: None,
            unkept: None,
            is_told: false,
            is_told_of_keeping: false,
        };
        let thread = Some(flagstaff_supervise::thread("flags-watch", move || guard.run(&heard, poll))?);
        Ok(Self { nudges, status, thread })
    }

    /// How it goes.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.clone()
    }

    /// Looks at the files now.
    pub fn look(&self) {
        // The thread ends only when this is dropped.
        let _ = self.nudges.send(Nudge::Changed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.nudges.send(Nudge::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What is in the files: contents, or why they cannot be read.
type Seen = Result<Contents, Report>;

/// The thread's own.
struct Guard<O> {
    files: Files,
    options: Options,
    intake: Intake<O>,
    folders: Folders,
    seen: Option<Seen>,
    /// Good contents that could not be kept yet.
    unkept: Option<Contents>,
    /// It was said that the system tells nothing.
    is_told: bool,
    /// It was said that nothing can be kept.
    is_told_of_keeping: bool,
}

impl<O: Observer> Guard<O> {
    fn run(&mut self, heard: &Receiver<Nudge>, poll: Duration) {
        loop {
            self.renew(poll);
            self.look();
            match heard.recv_timeout(poll) {
                Ok(Nudge::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Nudge::Lost) => self.folders.forget(),
                Ok(Nudge::Changed) | Err(RecvTimeoutError::Timeout) => {}
            }
            // What else was said meanwhile is about the same save.
            for nudge in heard.try_iter() {
                match nudge {
                    Nudge::Stop => return,
                    Nudge::Lost => self.folders.forget(),
                    Nudge::Changed => {}
                }
            }
        }
    }

    /// Has the system tell changes of the files. Where it does not, that is said once.
    fn renew(&mut self, poll: Duration) {
        let instant = self.folders.renew(&self.files);
        self.intake.status().set_instant(instant.as_ref().is_ok_and(|all| *all));
        if let Err(why) = instant
            && !self.is_told
        {
            self.is_told = true;
            self.intake.observer().on_polling(&why, poll);
        }
    }

    fn look(&mut self) {
        if let Some(contents) = self.unkept.take() {
            self.keep(Some(&contents));
        }
        let mut now = self.files.read();
        if self.seen.as_ref().is_some_and(|seen| same(seen, &now)) {
            return;
        }
        for _ in 0..PATIENCE {
            thread::sleep(SETTLE);
            let later = self.files.read();
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
        if !(first && now.as_ref().is_ok_and(|now| now.revision() == self.intake.revision())) {
            let outcome = match &now {
                Ok(contents) => self.parse(contents),
                Err(report) => Err(report.clone()),
            };
            let is_good = outcome.is_ok();
            self.intake.take(outcome);
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
        match self.files.keep(contents) {
            Ok(()) => (self.unkept, self.is_told_of_keeping) = (None, false),
            Err(error) => {
                self.unkept = Some(contents.clone());
                if !std::mem::replace(&mut self.is_told_of_keeping, true) {
                    self.intake.observer().on_not_kept(&error.to_string());
                }
            }
        }
    }

    /// What the contents mean. A text that the program itself cannot bear is refused like any other.
    fn parse(&self, contents: &Contents) -> Result<Loaded, Report> {
        let parse = || self.files.parse(contents, &self.options());
        catch_unwind(AssertUnwindSafe(parse)).unwrap_or_else(|_| {
            let help = "this is a mistake of the program: please report it with the file".to_owned();
            let file = self.files.definitions().to_string_lossy();
            Err(Report::of_file(&file, "the file cannot be read: reading it ended with a panic", Some(help)))
        })
    }

    fn options(&self) -> Options {
        // By the clock of this place, as everywhere else.
        let today = self.options.today.map(|_| Zoned::now().date());
        Options { today, ..self.options.clone() }
    }
}

fn same(a: &Seen, b: &Seen) -> bool {
    match (a, b) {
        (Ok(a), Ok(b)) => a == b,
        (Err(a), Err(b)) => a.problems() == b.problems(),
        _ => false,
    }
}
