//! Counts who came at steps, beside all else that the ledger is asked: to count may take long where an experiment has many visitors,
//! and facts must not wait for it.

use std::collections::VecDeque;
use std::time::Duration;

use flagstaff_ledger::{Error, FactStore, Location};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::RETRY_AFTER;
use crate::messages::{ArrivalsQuestion, LedgerEvent, Message};

/// Of the time, one part in so many is spent on counting at most.
const PART: u32 = 10;
/// The longest pause after a count that took long.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Answers questions one after the other, on a connection of its own.
pub(super) struct ArrivalsCounter {
    location: Location,
    questions: mpsc::UnboundedReceiver<ArrivalsQuestion>,
    /// One of each flag at most, the oldest first.
    waiting: VecDeque<ArrivalsQuestion>,
    messages: mpsc::Sender<Message>,
    fact_store: Option<FactStore>,
}

impl ArrivalsCounter {
    pub(super) fn new(
        location: Location,
        messages: mpsc::Sender<Message>,
    ) -> (mpsc::UnboundedSender<ArrivalsQuestion>, Self) {
        let (sender, questions) = mpsc::unbounded_channel();
        (sender, Self { location, questions, waiting: VecDeque::new(), messages, fact_store: None })
    }

    /// Works as long as anybody can ask.
    pub(super) async fn run(mut self) {
        while let Some(question) = self.next().await {
            let begun = Instant::now();
            let answer = self.count(&question).await;
            let pause = if answer.is_ok() { begun.elapsed() * (PART - 1) } else { RETRY_AFTER };
            let event = answer.unwrap_or_else(|error| {
                tracing::debug!(flag = %question.flag, %error, "who came at a step is not known");
                self.fact_store = None;
                LedgerEvent::ArrivalsUnknown(question.flag.clone())
            });
            // a controller that ended needs no answer
            let _ = self.messages.send(Message::Ledger(event)).await;
            sleep(pause.min(LONGEST_PAUSE)).await;
        }
    }

    async fn next(&mut self) -> Option<ArrivalsQuestion> {
        if self.waiting.is_empty() {
            let question = self.questions.recv().await?;
            self.add(question);
        }
        while let Ok(question) = self.questions.try_recv() {
            self.add(question);
        }
        self.waiting.pop_front()
    }

    /// A newer question of a flag takes the place of an older one.
    fn add(&mut self, question: ArrivalsQuestion) {
        match self.waiting.iter_mut().find(|other| other.flag == question.flag) {
            Some(other) => *other = question,
            None => self.waiting.push_back(question),
        }
    }

    async fn count(&mut self, question: &ArrivalsQuestion) -> Result<LedgerEvent, Error> {
        let fact_store = match self.fact_store.take().filter(|open| !open.is_gone()) {
            Some(open) => self.fact_store.insert(open),
            None => self.fact_store.insert(FactStore::open(&self.location).await?),
        };
        let ArrivalsQuestion { flag, epoch, step, experiment, since, arms } = question;
        let treatment = fact_store.came(flag, *epoch, *step).await?;
        let by_arm = fact_store.arrivals(*experiment, *since, arms).await?;
        Ok(LedgerEvent::Arrivals { flag: flag.clone(), epoch: *epoch, step: *step, by_arm, treatment })
    }
}
