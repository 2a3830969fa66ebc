//! What is to be told where nothing is kept: in memory, until it is told or the program ends.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use flagstaff_flags::Fact;

/// Facts that may wait for one receiver; of more, the oldest are given up.
const MAX_WAITING: usize = 1_000;
/// After so many tries in vain a fact no longer holds up those of its flag that came later.
const TRIES_IN_TURN: u32 = 11;

/// Facts that wait for one receiver, in the order in which they happened.
#[derive(Debug, Default)]
pub(super) struct MemoryOutbox(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    quiet: Option<Instant>,
}

#[derive(Debug)]
struct Waiting {
    fact: Fact,
    tries: u32,
    next: Option<Instant>,
}

impl MemoryOutbox {
    /// Adds what happened.
    pub(super) fn add(&self, facts: &[Fact]) {
        let mut queue = self.queue();
        let new = facts.iter().map(|fact| Waiting { fact: fact.clone(), tries: 0, next: None });
        queue.waiting.extend(new);
        let over = queue.waiting.len().saturating_sub(MAX_WAITING);
        queue.waiting.drain(..over);
        drop(queue);
        if over > 0 {
            tracing::error!(facts = over, "a webhook's receiver is away for too long; the oldest news is given up");
        }
    }

    /// The next fact to tell now, and how often it was tried.
    pub(super) fn next(&self, now: Instant) -> Option<(Fact, u32)> {
        let queue = self.queue();
        if queue.quiet.is_some_and(|until| now < until) {
            return None;
        }
        let mut held_up = HashSet::new();
        let mut is_due = |one: &&Waiting| {
            let due = one.next.is_none_or(|next| next <= now) && !held_up.contains(&one.fact.flag);
            if one.tries < TRIES_IN_TURN {
                held_up.insert(one.fact.flag.clone());
            }
            due
        };
        queue.waiting.iter().find(&mut is_due).map(|one| (one.fact.clone(), one.tries))
    }

    /// It was told, or never will be.
    pub(super) fn done(&self, fact: &Fact) {
        let mut queue = self.queue();
        let tried = queue.waiting.iter().any(|one| is(&one.fact, fact) && one.tries > 0);
        queue.waiting.retain(|one| !is(&one.fact, fact));
        if tried {
            // the receiver is back: what waits for it need not wait longer
            queue.waiting.iter_mut().for_each(|one| one.next = None);
        }
    }

    /// It was not taken, and is to be told again after a wait; with `quiet`, nothing else is told until then.
    pub(super) fn again(&self, fact: &Fact, now: Instant, wait: Duration, quiet: bool) {
        let mut queue = self.queue();
        let next = now.checked_add(wait);
        if quiet {
            queue.quiet = next;
        }
        for one in queue.waiting.iter_mut().filter(|one| is(&one.fact, fact)) {
            one.tries += 1;
            one.next = next;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is(one: &Fact, other: &Fact) -> bool {
    one.number == other.number && one.flag == other.flag
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Definition, FactKind, Name};
    use jiff::Timestamp;

    use super::*;

    fn fact(flag: &str, number: u64) -> Fact {
        Fact {
            flag: Name::new(flag).unwrap(),
            number,
            at: Timestamp::UNIX_EPOCH,
            definition: Definition(1),
            kind: FactKind::Step,
            step: 0,
            by: String::new(),
            why: String::new(),
            evidence: None,
        }
    }

    fn next(memory: &MemoryOutbox, at: Instant) -> Option<String> {
        memory.next(at).map(|(fact, tries)| format!("{}-{} {tries}", fact.flag, fact.number))
    }

    #[test]
    fn what_is_not_taken_waits_and_its_flag_with_it() {
        let (memory, now) = (MemoryOutbox::default(), Instant::now());
        memory.add(&[fact("a", 1), fact("a", 2), fact("b", 1)]);
        let second = Duration::from_secs(1);
        memory.again(&fact("a", 1), now, second, false);
        assert_eq!(next(&memory, now).unwrap(), "b-1 0");
        assert_eq!(next(&memory, now + second).unwrap(), "a-1 1");
        for _ in 0..10 {
            memory.again(&fact("a", 1), now, second, false);
        }
        assert_eq!(next(&memory, now).unwrap(), "a-2 0", "not without limit");
        memory.again(&fact("a", 2), now, second, false);
        memory.done(&fact("a", 2));
        assert_eq!(next(&memory, now).unwrap(), "a-1 11", "the receiver is back");
        memory.again(&fact("b", 1), now, second, true);
        assert_eq!(next(&memory, now), None, "it asked for quiet");
        memory.done(&fact("a", 1));
        memory.done(&fact("b", 1));
        assert_eq!(next(&memory, now + second), None);
    }

    #[test]
    fn it_does_not_grow_without_limit() {
        let memory = MemoryOutbox::default();
        memory.add(&(1..=1_500).map(|number| fact("a", number)).collect::<Vec<_>>());
        assert_eq!(memory.queue().waiting.len(), MAX_WAITING);
        assert_eq!(next(&memory, Instant::now()).unwrap(), "a-501 0");
    }
}
