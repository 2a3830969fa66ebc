//! A controller at work, on a thread of its own.

use std::sync::Arc;
use std::time::Duration;

use flagstaff_flags::{Facts, Publisher, Snapshot};
use flagstaff_ledger::Place;
use tokio::sync::{mpsc, oneshot};

use crate::controller::Conductor;
use crate::ledger_sync::{self, Books};
use crate::monitor::{Sentry, Word};
use crate::webhooks::Teller;

/// What waits for the conductor at most; what comes beyond is dropped and counted.
pub(crate) const WORDS: usize = 65_536;
/// How long the start waits for what is recorded. Until it is known, flags with a rollout or a guard stay off.
const FIRST_READING: Duration = Duration::from_secs(3);

/// What is known at the start, before the ledger is read.
#[derive(Debug, Default)]
pub struct Start {
    /// Facts as they were last known.
    pub known: Facts,
    /// The flags are the last good ones, because their file cannot be used: serving them is no edit.
    pub is_last_good: bool,
}

/// A conductor at work. Dropped, it writes down what it knows and ends.
pub struct Conducting {
    pub(crate) words: mpsc::Sender<Word>,
    sentry: Arc<Sentry>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What the conductor's thread does, and what it keeps should it end with a panic: words that wait, what was decided, and what is
/// still to be written down.
struct Work {
    conductor: Conductor,
    heard: mpsc::Receiver<Word>,
    books: Option<Books>,
    has_begun: bool,
    /// The last to be dropped: connections of the books are closed on it.
    runtime: tokio::runtime::Runtime,
}

impl Work {
    fn go_on(&mut self) {
        if std::mem::replace(&mut self.has_begun, true) {
            self.recover();
        }
        let Self { runtime, conductor, heard, books, .. } = self;
        runtime.block_on(async {
            let (ending, ended) = oneshot::channel();
            let conducting = async {
                conductor.run(heard).await;
                // books that failed hear nothing
                let _ = ending.send(());
            };
            match books {
                Some(books) => drop(tokio::join!(conducting, books.keep(ended))),
                None => conducting.await,
            }
        });
    }

    fn recover(&mut self) {
        if let Some(books) = &mut self.books {
            books.recover(self.conductor.is_ready(), self.conductor.facts());
        }
        self.conductor.recover();
    }
}

/// Tells a conductor of flags that were loaded.
#[derive(Clone)]
pub struct Herald(mpsc::Sender<Word>);

impl Herald {
    /// A snapshot is in force.
    pub fn loaded(&self, snapshot: &Snapshot) {
        // Called on the thread that watches files, which may wait; an ended conductor needs no news.
        let _ = self.0.blocking_send(Word::Loaded(Arc::new(snapshot.clone())));
    }
}

impl Conducting {
    /// Begins to conduct the flags of a publisher, with what a ledger knows of them, and waits a little for that. Without a
    /// ledger guards work, but nothing outlives the process and nothing climbs. The teller hears of facts once they are
    /// written down, or else at once. Until the ledger is read, flags are as they were last known.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        publisher: Arc<Publisher>,
        ledger: Option<Place>,
        teller: Teller,
        start: Start,
    ) -> std::io::Result<Self> {
        let (words, heard) = mpsc::channel(WORDS);
        let sentry = Arc::new(Sentry::new(words.clone(), publisher.reader()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        if ledger.is_some() {
            publisher.learn(Facts { unknown: true, ..start.known });
        }
        let (ready, is_ready) = std::sync::mpsc::channel();
        let books = ledger.map(|place| ledger_sync::open(place, words.clone(), teller.clone()));
        let (entries, books) = books.unzip();
        let conductor = Conductor::new(publisher, Arc::clone(&sentry), entries, teller, ready);
        let conductor = conductor.serving_last_good(start.is_last_good);
        let mut work = Work { conductor, heard, books, has_begun: false, runtime };
        let thread = flagstaff_supervise::thread("conductor", move || work.go_on())?;
        // whether in time or not, it runs
        let _ = is_ready.recv_timeout(FIRST_READING);
        Ok(Self { words, sentry, thread: Some(thread) })
    }

    /// What hears of answers.
    pub fn sentry(&self) -> Arc<Sentry> {
        Arc::clone(&self.sentry)
    }

    /// What tells of flags that were loaded.
    pub fn herald(&self) -> Herald {
        Herald(self.words.clone())
    }
}

impl Drop for Conducting {
    fn drop(&mut self) {
        let _ = self.words.blocking_send(Word::Stop);
        if let Some(thread) = self.thread.take() {
            // it ended by itself
            let _ = thread.join();
        }
    }
}
