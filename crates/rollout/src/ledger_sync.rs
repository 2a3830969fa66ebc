//! The books: what the conductor decided goes into the ledger, and what others decided comes out of it.

use std::collections::HashMap;
use std::time::Duration;

use flagstaff_flags::{ExperimentId, Fact, Name};
use flagstaff_ledger::{Error, FirstSign, Place, Register};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::monitor::Word;
use crate::webhooks::Teller;

/// How often the ledger is asked what others did.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long to wait after a failure.
const RETRY: Duration = Duration::from_secs(1);
/// How long the last entries may take when the program ends.
const LAST: Duration = Duration::from_secs(3);

/// What is to be entered, or asked.
#[derive(Debug)]
pub(crate) enum Entry {
    /// Facts, of one or of many flags.
    Facts(Vec<Fact>),
    /// Signs of a flag, since the fact with which it began.
    Signs(Name, u64, Vec<FirstSign>),
    /// What signs are there of a flag, since the fact with which it began?
    AskSigns(Name, u64),
    /// Who came at a step?
    AskArrivals { flag: Name, epoch: u64, step: usize, trial: ExperimentId, since: Timestamp, arms: usize },
}

impl Entry {
    /// Leaves out the facts of a flag.
    fn leave_out(&mut self, flag: &Name) {
        if let Self::Facts(facts) = self {
            facts.retain(|fact| fact.flag != *flag);
        }
    }
}

/// What the books tell.
#[derive(Debug)]
pub(crate) enum Told {
    /// All facts of all flags: the first word there is.
    All(HashMap<Name, Vec<Fact>>),
    /// Facts of a flag that others added.
    News(Name, Vec<Fact>),
    /// All facts of a flag, for others were first with a number.
    Instead(Name, Vec<Fact>),
    /// The ledger has fewer facts of a flag than it had: up to this number.
    Lost(Name, u64),
    /// Signs of a flag, since the fact with which it began.
    Signs(Name, u64, Vec<FirstSign>),
    /// Who was new at a step, by arm, and how many came to the treatment.
    Arrivals(Name, usize, Vec<u64>, u64),
    /// The ledger is away, or back.
    Away(Option<String>),
}

/// Opens the books. They close when the other end is dropped, after what is entered, or after a while.
pub(crate) fn open(place: Place, words: mpsc::Sender<Word>, teller: Teller) -> (mpsc::UnboundedSender<Entry>, Books) {
    let (entries, heard) = mpsc::unbounded_channel();
    let books =
        Books { place, words, heard, teller, register: None, known: None, waiting: Vec::new(), is_away: false };
    (entries, books)
}

/// Who keeps the books.
pub(crate) struct Books {
    place: Place,
    words: mpsc::Sender<Word>,
    heard: mpsc::UnboundedReceiver<Entry>,
    teller: Teller,
    register: Option<Register>,
    /// The number of the newest fact of each flag that was told or entered; none before the first reading.
    known: Option<HashMap<Name, u64>>,
    waiting: Vec<Entry>,
    is_away: bool,
}

impl Books {
    /// Keeps them until the conductor has ended, and a little longer for what is still to be entered.
    pub(crate) async fn keep(&mut self, ended: oneshot::Receiver<()>) {
        let too_late = async {
            // whether it said so or was dropped, it has ended
            let _ = ended.await;
            tokio::time::sleep(LAST).await;
        };
        tokio::select! {
            () = self.enter_all() => {}
            () = too_late => tracing::warn!("the ledger did not take the last facts in time"),
        }
        self.register = None;
    }

    /// Goes on after a panic: what the conductor decided and is neither written nor waiting is entered. One that knows nothing yet is
    /// told all there is again.
    pub(crate) fn recover(&mut self, knows: bool, facts: Vec<Fact>) {
        self.register = None;
        if !knows {
            self.known = None;
        }
        while let Ok(entry) = self.heard.try_recv() {
            self.waiting.push(entry);
        }
        let Some(known) = &self.known else { return };
        let waits = |fact: &Fact| {
            self.waiting.iter().any(|entry| matches!(entry, Entry::Facts(facts) if facts.contains(fact)))
        };
        let missing = |fact: &Fact| fact.number > known.get(&fact.flag).copied().unwrap_or_default() && !waits(fact);
        let missing: Vec<_> = facts.into_iter().filter(missing).collect();
        if !missing.is_empty() {
            self.waiting.push(Entry::Facts(missing));
        }
    }

    async fn enter_all(&mut self) {
        loop {
            let is_open = self.gather().await;
            match self.turn().await {
                Ok(()) => self.tell_away(None).await,
                Err(error) => {
                    self.register = None;
                    self.tell_away(Some(error.to_string())).await;
                    tokio::time::sleep(RETRY).await;
                }
            }
            if !is_open && self.waiting.is_empty() {
                return;
            }
        }
    }

    /// Waits for entries until it is time to look. Returns whether more can come.
    async fn gather(&mut self) -> bool {
        let until = Instant::now() + if self.known.is_some() { LOOK_EVERY } else { Duration::ZERO };
        while self.waiting.is_empty() {
            match timeout_at(until, self.heard.recv()).await {
                Ok(Some(entry)) => self.waiting.push(entry),
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
        while let Ok(entry) = self.heard.try_recv() {
            self.waiting.push(entry);
        }
        true
    }

    /// Reads what is new and enters what waits. What was entered waits no more, whatever fails after it.
    async fn turn(&mut self) -> Result<(), Error> {
        if self.register.as_ref().is_none_or(Register::is_gone) {
            self.register = Some(Register::open(&self.place).await?);
        }
        self.look().await?;
        while let Some(entry) = self.waiting.first() {
            let Some(register) = &mut self.register else { return Ok(()) };
            let told = match entry {
                Entry::Facts(facts) => {
                    let facts = facts.clone();
                    self.enter(&facts).await?;
                    None
                }
                Entry::Signs(flag, epoch, signs) => {
                    register.keep_signs(flag, *epoch, signs).await?;
                    None
                }
                Entry::AskSigns(flag, epoch) => {
                    Some(Told::Signs(flag.clone(), *epoch, register.signs(flag, *epoch).await?))
                }
                Entry::AskArrivals { flag, epoch, step, trial, since, arms } => {
                    let came = register.came(flag, *epoch, *step).await?;
                    let arrivals = register.arrivals(*trial, *since, *arms).await?;
                    Some(Told::Arrivals(flag.clone(), *step, arrivals, came))
                }
            };
            self.waiting.remove(0);
            if let Some(told) = told {
                self.tell(told).await;
            }
        }
        Ok(())
    }

    /// Tells what others added, and what is no longer there.
    async fn look(&mut self) -> Result<(), Error> {
        let Some(register) = &mut self.register else { return Ok(()) };
        let newest: HashMap<Name, u64> = register.newest().await?.into_iter().collect();
        let Some(known) = &mut self.known else {
            let mut all = HashMap::new();
            for flag in newest.keys() {
                all.insert(flag.clone(), register.facts(flag, 1).await?);
            }
            self.known = Some(newest);
            self.tell(Told::All(all)).await;
            return Ok(());
        };
        let mut told = Vec::new();
        for (flag, number) in &newest {
            let before = known.get(flag).copied().unwrap_or_default();
            if *number > before {
                told.push(Told::News(flag.clone(), register.facts(flag, before + 1).await?));
            }
        }
        for (flag, before) in known.iter() {
            let number = newest.get(flag).copied().unwrap_or_default();
            if number < *before {
                // whoever hears of it writes down all there is, with numbers that fit
                self.waiting.iter_mut().for_each(|entry| entry.leave_out(flag));
                told.push(Told::Lost(flag.clone(), number));
            }
        }
        *known = newest;
        for told in told {
            self.tell(told).await;
        }
        Ok(())
    }

    /// Enters facts: all at once, or flag by flag where somebody else was first with some.
    async fn enter(&mut self, facts: &[Fact]) -> Result<(), Error> {
        if self.add(facts).await? {
            return Ok(());
        }
        for facts in facts.chunk_by(|a, b| a.flag == b.flag) {
            let Some(first) = facts.first().filter(|_| !facts.is_empty()) else { continue };
            if self.add(facts).await? {
                continue;
            }
            let Some(register) = &mut self.register else { return Ok(()) };
            let instead = register.facts(&first.flag, 1).await?;
            // what waits of this flag has numbers that no longer fit; whoever hears of it decides again
            self.waiting.iter_mut().for_each(|entry| entry.leave_out(&first.flag));
            let newest = instead.last().map_or(0, |fact| fact.number);
            self.known.get_or_insert_default().insert(first.flag.clone(), newest);
            self.tell(Told::Instead(first.flag.clone(), instead)).await;
        }
        Ok(())
    }

    async fn add(&mut self, facts: &[Fact]) -> Result<bool, Error> {
        let Some(register) = &mut self.register else { return Ok(false) };
        let added = register.add(facts).await?;
        if added {
            self.teller.tell(facts);
            let known = self.known.get_or_insert_default();
            known.extend(facts.iter().map(|fact| (fact.flag.clone(), fact.number)));
        }
        Ok(added)
    }

    async fn tell_away(&mut self, why: Option<String>) {
        if self.is_away == why.is_some() {
            return;
        }
        self.is_away = why.is_some();
        match &why {
            Some(why) => {
                tracing::warn!(why, "rollouts and guards cannot reach the ledger; guards go on, rollouts hold");
            }
            None => tracing::info!("rollouts and guards reach the ledger again"),
        }
        self.tell(Told::Away(why)).await;
    }

    async fn tell(&mut self, told: Told) {
        // when nobody listens any more, the program ends
        let _ = self.words.send(Word::Books(told)).await;
    }
}
