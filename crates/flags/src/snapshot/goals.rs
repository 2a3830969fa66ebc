//! Which goals a request or an event reaches.

use crate::{EventGoal, Goal, Snapshot, Trigger};

impl Snapshot {
    /// The goals that a request with this answer reaches.
    pub fn goals_reached<'a>(
        &'a self,
        method: &'a str,
        path: &'a str,
        status: u16,
    ) -> impl Iterator<Item = &'a Goal> {
        self.goals().iter().filter(move |goal| match &goal.trigger {
            Trigger::Request { route, status: wanted } => route.fits(method, path) && wanted.contains(status),
            Trigger::Event(_) | Trigger::Bounce { .. } => false,
        })
    }

    /// The goals that an event of this name can reach, each with what it makes of it.
    pub fn goals_of_event<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a Goal, &'a EventGoal)> {
        self.goals().iter().filter_map(move |goal| match &goal.trigger {
            Trigger::Event(wanted) if wanted.event == name => Some((goal, wanted)),
            _ => None,
        })
    }
}
