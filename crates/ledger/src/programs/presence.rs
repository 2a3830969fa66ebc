//! A program says from time to time that it is there, and sees which others are.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use super::program::{Program, SeenProgram};
use super::program_store::ProgramStore;
use crate::store::error::Error;
use crate::store::location::Location;

/// How often a program says that it is there.
pub const BEAT: Duration = Duration::from_secs(10);
/// How long saying it may take; then it is said the next time.
const BEAT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the farewell may take.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the end waits for what is under way. What takes longer ends with the process.
const END_TIMEOUT: Duration = Duration::from_secs(2);

/// Says that a program is there until it is dropped. Requests never wait for it.
#[derive(Debug)]
pub struct Presence {
    stop: Option<Sender<()>>,
    ended: Mutex<Receiver<()>>,
    seen: SeenPrograms,
}

/// The programs that were seen last. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct SeenPrograms(Arc<Mutex<Vec<SeenProgram>>>);

impl SeenPrograms {
    /// All that were seen last, this one too; none before the ledger first answered.
    #[must_use]
    pub fn get(&self) -> Vec<SeenProgram> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, seen: Vec<SeenProgram>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = seen;
    }
}

impl Presence {
    /// Begins. `describe` says what the program is, of this id; `on_seen` hears which programs there are.
    ///
    /// # Errors
    /// When the system gives no thread or no random number.
    pub fn start(
        location: Location,
        describe: impl Fn(&str) -> Program + Send + 'static,
        on_seen: impl Fn(&Program, &[SeenProgram]) + Send + 'static,
    ) -> std::io::Result<Self> {
        let id = format!("{:016x}", getrandom::u64().map_err(std::io::Error::other)?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = channel();
        let seen = SeenPrograms::default();
        let mut beats = Beats { location, is_begun: false, seen: seen.clone() };
        let (end, ended) = channel::<()>();
        flagstaff_supervise::thread("presence", move || {
            // dropped with the thread
            let _end = &end;
            loop {
                let program = describe(&id);
                // a timer needs the runtime around it; a ledger that is away is told by its writer
                if let Ok(Ok(all)) = runtime.block_on(async { timeout(BEAT_TIMEOUT, beats.beat(&program)).await }) {
                    on_seen(&program, &all);
                }
                if stopped.recv_timeout(BEAT) != Err(RecvTimeoutError::Timeout) {
                    let _ = runtime.block_on(async { timeout(FAREWELL_TIMEOUT, beats.farewell(&id)).await });
                    return;
                }
            }
        })?;
        Ok(Self { stop: Some(stop), ended: Mutex::new(ended), seen })
    }

    /// The programs that were seen last.
    #[must_use]
    pub fn seen(&self) -> SeenPrograms {
        self.seen.clone()
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        // the other end is dropped when the thread ends
        let _ = ended.recv_timeout(END_TIMEOUT);
    }
}

struct Beats {
    location: Location,
    /// The tables are there.
    is_begun: bool,
    seen: SeenPrograms,
}

impl Beats {
    /// A connection for one beat: an idle one of each program would be many.
    async fn open(&mut self) -> Result<ProgramStore, Error> {
        if self.is_begun {
            return ProgramStore::open_to_read(&self.location).await;
        }
        let store = ProgramStore::open(&self.location).await?;
        self.is_begun = true;
        Ok(store)
    }

    async fn beat(&mut self, program: &Program) -> Result<Vec<SeenProgram>, Error> {
        let mut store = self.open().await?;
        store.is_there(program).await?;
        let all = store.all().await?;
        store.close().await;
        self.seen.set(all.clone());
        Ok(all)
    }

    async fn farewell(&mut self, id: &str) -> Result<(), Error> {
        if !self.is_begun {
            return Ok(());
        }
        let mut store = self.open().await?;
        store.is_gone(id).await?;
        store.close().await;
        Ok(())
    }
}
