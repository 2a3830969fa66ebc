//! The threads and tasks that run, and those that are down.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::{Counter, counter};

/// The names of threads and tasks that are down, each with how many of that name are.
static AILING: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

fn all() -> MutexGuard<'static, BTreeMap<String, usize>> {
    AILING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The names of threads and tasks of this process that ended with a panic and are not back yet, in alphabetical order.
#[must_use]
pub fn ailing() -> Vec<String> {
    all().keys().cloned().collect()
}

/// One thread or task.
#[derive(Debug)]
pub(crate) struct Life {
    name: String,
    restarts: Counter,
}

impl Life {
    /// Begins with its counter at 0, so that a rule on its increase sees the first restart.
    pub(crate) fn begin(name: &str) -> Self {
        let restarts = counter!(crate::RESTARTS, "thread" => name.to_owned());
        restarts.increment(0);
        Self { name: name.into(), restarts }
    }

    /// It ended with a panic and starts again after this pause.
    pub(crate) fn fails(&self, pause: Duration) {
        *all().entry(self.name.clone()).or_default() += 1;
        tracing::error!(thread = self.name, "ended with a panic; it starts again in {pause:?}");
    }

    /// It starts again.
    pub(crate) fn goes_on(&self) {
        let mut all = all();
        if let Some(number) = all.get_mut(&self.name) {
            *number -= 1;
            if *number == 0 {
                all.remove(&self.name);
            }
        }
        self.restarts.increment(1);
    }
}
