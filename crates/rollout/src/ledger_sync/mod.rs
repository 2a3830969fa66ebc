//! Keeps the controller and the ledger in step: what the controller decided goes into the ledger, and what other programs decided
//! comes out of it.

mod arrivals;
mod due;
mod followed;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use flagstaff_flags::{Fact, Name};
use flagstaff_ledger::{Error, FactStore, Location, News};
use flagstaff_source::{FactChannel, OpenFactChannel};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use self::arrivals::ArrivalsCounter;
use self::due::Due;
use self::followed::Followed;
use crate::messages::{ArrivalsQuestion, LedgerCommand, LedgerEvent, LedgerLink, Message};
use crate::webhooks::WebhookSender;

/// How long to wait for more signs of others before they are read.
const READ_TOGETHER: Duration = Duration::from_millis(25);
/// How often the clock of the ledger is looked at.
const CLOCK_EVERY: Duration = Duration::from_secs(5);
/// How long to wait after a failure.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How long the last commands may take when the program ends.
const LAST_COMMANDS: Duration = Duration::from_secs(3);

/// Writes and reads facts and signs for a controller.
pub(crate) struct LedgerSync {
    location: Location,
    messages: mpsc::Sender<Message>,
    commands: mpsc::UnboundedReceiver<LedgerCommand>,
    webhooks: WebhookSender,
    fact_store: Option<FactStore>,
    /// The number of the newest fact of each flag that was told or added; `None` before the first reading.
    known: Option<HashMap<Name, u64>>,
    followed: Followed,
    due: Arc<Due>,
    /// Where other programs are told of facts, beside the ledger.
    channel: Option<OpenFactChannel>,
    /// When all is looked at.
    next_look: Instant,
    /// When the clock of the ledger is looked at; at once where it never was.
    next_clock: Option<Instant>,
    waiting: Vec<LedgerCommand>,
    /// Questions who came, answered beside all else.
    questions: Option<mpsc::UnboundedSender<ArrivalsQuestion>>,
    is_away: bool,
}

impl LedgerSync {
    /// For a ledger that is opened when it is first asked. The sender is the way to it: when that is dropped, it ends after what it was
    /// given, or after a while.
    pub(crate) fn new(
        location: Location,
        messages: mpsc::Sender<Message>,
        webhooks: WebhookSender,
    ) -> (LedgerLink, Self) {
        let (sender, commands) = mpsc::unbounded_channel();
        let link = LedgerLink { commands: sender, is_file: location.path().is_some() };
        let (fact_store, known, waiting, is_away) = (None, None, Vec::new(), false);
        let (followed, due, next_look) = (Followed::default(), Arc::default(), Instant::now());
        let sync = Self {
            location,
            messages,
            commands,
            webhooks,
            fact_store,
            known,
            followed,
            due,
            channel: None,
            next_look,
            next_clock: None,
            waiting,
            questions: None,
            is_away,
        };
        (link, sync)
    }

    /// Tells other programs of facts, and hears of theirs, on a channel too.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn tell_on(&mut self, channel: Box<dyn FactChannel>) -> std::io::Result<()> {
        let due = self.due();
        self.channel = Some(channel.open(Box::new(move || due.add(News::Facts)))?);
        Ok(())
    }

    /// Who hears that something is new in the ledger says so there.
    fn due(&self) -> Arc<Due> {
        Arc::clone(&self.due)
    }

    /// Works until the controller has ended, and a little longer for what is still to be written.
    pub(crate) async fn run(&mut self, controller_ended: oneshot::Receiver<()>) {
        let too_late = async {
            // whether it said so or was dropped, it has ended
            let _ = controller_ended.await;
            tokio::time::sleep(LAST_COMMANDS).await;
        };
        let (due, location) = (self.due(), self.location.clone());
        let (questions, counter) = ArrivalsCounter::new(location.clone(), self.messages.clone());
        self.questions = Some(questions);
        tokio::select! {
            () = self.serve() => {}
            () = counter.run() => {}
            () = due.listen(&location) => {}
            () = too_late => tracing::warn!("the ledger did not take the last facts in time"),
        }
        self.fact_store = None;
    }

    /// Goes on after a panic: what the controller decided and is neither written nor waiting is written. A controller that knows nothing
    /// yet is told all there is again.
    pub(crate) fn recover(&mut self, knows: bool, facts: Vec<Fact>) {
        self.fact_store = None;
        self.next_clock = None;
        if !knows {
            self.known = None;
        }
        self.due.add_all();
        self.take_all();
        let Some(known) = &self.known else { return };
        let is_waiting = |fact: &Fact| {
            self.waiting
                .iter()
                .any(|command| matches!(command, LedgerCommand::AddFacts(facts) if facts.contains(fact)))
        };
        let missing =
            |fact: &Fact| fact.number > known.get(&fact.flag).copied().unwrap_or_default() && !is_waiting(fact);
        let missing: Vec<_> = facts.into_iter().filter(missing).collect();
        if !missing.is_empty() {
            self.waiting.push(LedgerCommand::AddFacts(missing));
        }
    }

    async fn serve(&mut self) {
        loop {
            let is_open = self.collect().await;
            match self.round().await {
                Ok(()) => self.tell_away(None).await,
                Err(error) => {
                    self.fact_store = None;
                    self.due.add_all();
                    self.tell_away(Some(error.to_string())).await;
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
            if !is_open && self.waiting.is_empty() {
                return;
            }
        }
    }

    /// Waits for commands until there is something to look at. Returns whether more can come.
    async fn collect(&mut self) -> bool {
        // a ledger that no longer tells what is new is looked at more often from now on
        self.next_look = self.next_look.min(Instant::now() + self.due.look_every());
        let mut is_open = true;
        tokio::select! {
            biased;
            // what waits after a failure is tried again at once
            () = std::future::ready(()), if !self.waiting.is_empty() => {}
            command = self.commands.recv() => {
                is_open = command.is_some();
                command.into_iter().for_each(|command| self.take(command));
            }
            () = self.due.changed() => {
                if !self.due.has_facts() {
                    sleep(READ_TOGETHER).await;
                }
            }
            () = sleep_until(self.next_look) => {
                self.due.add_all();
                self.next_look = Instant::now() + self.due.look_every();
            }
        }
        self.take_all();
        is_open
    }

    fn take_all(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            self.take(command);
        }
    }

    fn take(&mut self, command: LedgerCommand) {
        match command {
            // one that is lost is asked again
            LedgerCommand::CountArrivals(question) => {
                let _ = self.questions.as_ref().map(|questions| questions.send(question));
            }
            command => self.waiting.push(command),
        }
    }

    /// Reads what is new and does what waits. What was done waits no more, whatever fails after it.
    async fn round(&mut self) -> Result<(), Error> {
        if self.fact_store.as_ref().is_none_or(FactStore::is_gone) {
            self.fact_store = Some(FactStore::open(&self.location).await?);
            self.due.add_all();
        }
        if self.due.take(News::Facts) {
            self.look_at_clock().await?;
            self.read_new().await?;
        }
        let mut has_signs = self.due.take(News::Signs);
        while let Some(command) = self.waiting.first() {
            let Some(fact_store) = &mut self.fact_store else { return Ok(()) };
            match command {
                LedgerCommand::AddFacts(facts) => {
                    let facts = facts.clone();
                    self.write(&facts).await?;
                }
                LedgerCommand::KeepSigns(signs) => {
                    fact_store.keep_signs(signs).await?;
                    has_signs = true;
                }
                LedgerCommand::FollowSigns(of) => {
                    self.followed.follow(of.clone());
                    has_signs = true;
                }
                // it was taken elsewhere
                LedgerCommand::CountArrivals(_) => {}
            }
            self.waiting.remove(0);
        }
        if has_signs { self.read_signs().await } else { Ok(()) }
    }

    /// Tells from time to time what the clock of the ledger says: this machine's may be set meanwhile.
    async fn look_at_clock(&mut self) -> Result<(), Error> {
        let is_due = self.next_clock.is_none_or(|next| Instant::now() >= next);
        let Some(fact_store) = self.fact_store.as_mut().filter(|_| is_due) else { return Ok(()) };
        // one that fails is asked again before there are facts
        let ahead = fact_store.clock_ahead().await?;
        self.next_clock = Some(Instant::now() + CLOCK_EVERY);
        self.tell(LedgerEvent::Clock(ahead)).await;
        Ok(())
    }

    /// Tells the signs that came, from here and from other programs, in their order.
    async fn read_signs(&mut self) -> Result<(), Error> {
        let Some(fact_store) = &mut self.fact_store else { return Ok(()) };
        self.followed.number(fact_store).await?;
        let newest = self.followed.newest(fact_store).await?;
        while let Some(fact_store) = &mut self.fact_store {
            let events = self.followed.next(fact_store, &newest).await?;
            if events.is_empty() {
                break;
            }
            for event in events {
                self.tell(event).await;
            }
        }
        Ok(())
    }

    /// Tells what other programs added, and what is no longer there.
    async fn read_new(&mut self) -> Result<(), Error> {
        let Some(fact_store) = &mut self.fact_store else { return Ok(()) };
        let newest: HashMap<Name, u64> = fact_store.newest().await?.into_iter().collect();
        let Some(known) = &mut self.known else {
            let mut all = HashMap::new();
            for flag in newest.keys() {
                all.insert(flag.clone(), fact_store.facts(flag, 1).await?);
            }
            self.known = Some(newest);
            self.tell(LedgerEvent::AllFacts(all)).await;
            return Ok(());
        };
        let mut events = Vec::new();
        for (flag, number) in &newest {
            let before = known.get(flag).copied().unwrap_or_default();
            if *number > before {
                events.push(LedgerEvent::FactsAdded(flag.clone(), fact_store.facts(flag, before + 1).await?));
            }
        }
        for (flag, before) in known.iter() {
            let number = newest.get(flag).copied().unwrap_or_default();
            if number < *before {
                // the controller writes down all there is, with numbers that fit
                self.waiting.iter_mut().for_each(|command| leave_out(command, flag));
                events.push(LedgerEvent::FactsLost(flag.clone(), number));
            }
        }
        *known = newest;
        for event in events {
            self.tell(event).await;
        }
        Ok(())
    }

    /// Writes facts: all at once, or flag by flag where another program was first with some.
    async fn write(&mut self, facts: &[Fact]) -> Result<(), Error> {
        if self.add(facts).await? {
            return Ok(());
        }
        for facts in facts.chunk_by(|a, b| a.flag == b.flag) {
            let Some(first) = facts.first().filter(|_| !facts.is_empty()) else { continue };
            if self.add(facts).await? {
                continue;
            }
            let Some(fact_store) = &mut self.fact_store else { return Ok(()) };
            let instead = fact_store.facts(&first.flag, 1).await?;
            // what waits of this flag has numbers that no longer fit; the controller decides again
            self.waiting.iter_mut().for_each(|command| leave_out(command, &first.flag));
            let newest = instead.last().map_or(0, |fact| fact.number);
            self.known.get_or_insert_default().insert(first.flag.clone(), newest);
            self.tell(LedgerEvent::Conflict(first.flag.clone(), instead)).await;
        }
        Ok(())
    }

    async fn add(&mut self, facts: &[Fact]) -> Result<bool, Error> {
        let Some(fact_store) = &mut self.fact_store else { return Ok(false) };
        let added = fact_store.add(facts).await?;
        if added {
            self.webhooks.send(facts);
            self.channel.iter().for_each(OpenFactChannel::tell);
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
        self.tell(LedgerEvent::Unreachable(why)).await;
    }

    async fn tell(&mut self, event: LedgerEvent) {
        // a controller that listens no more has ended
        let _ = self.messages.send(Message::Ledger(event)).await;
    }
}

/// Leaves out the facts of a flag.
fn leave_out(command: &mut LedgerCommand, flag: &Name) {
    if let LedgerCommand::AddFacts(facts) = command {
        facts.retain(|fact| fact.flag != *flag);
    }
}
