//! Flagstaff.

use std::cell::RefCell;
use std::sync::Arc;

use flagstaff_flags::{Decisions, Snapshot, Subject, User, VariantId};
use jiff::Timestamp;

use crate::engine::Engine;

pub struct Flagstaff {
    /// Made for one visitor after the other in the same memory.
    decisions: RefCell<Decisions>,
    visitors: Vec<String>,
    users: Vec<User>,
}

impl Flagstaff {
    pub fn new(snapshot: Arc<Snapshot>, visitors: &[String]) -> Self {
        Self { decisions: RefCell::new(snapshot.undecided()), visitors: visitors.to_vec(), users: Vec::new() }
    }

    /// With users, who are logged in.
    pub fn of_users(snapshot: Arc<Snapshot>, users: &[String]) -> Self {
        let user = |id: &String| User { id: id.clone(), ..User::default() };
        Self { users: users.iter().map(user).collect(), ..Self::new(snapshot, users) }
    }
}

impl Engine for Flagstaff {
    fn name(&self) -> &'static str {
        "flagstaff"
    }

    fn decide(&self, visitor: usize) -> usize {
        let subject = Subject::at(Timestamp::UNIX_EPOCH).visitor(&self.visitors[visitor]);
        let mut decisions = self.decisions.borrow_mut();
        match self.users.get(visitor) {
            Some(user) => decisions.decide_again(&subject.user(user)),
            None => decisions.decide_again(&subject),
        }
        decisions.variants().filter(|variant| *variant != VariantId::OFF).count()
    }
}
