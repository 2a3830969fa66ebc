//! How the running program is, for operators.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flagstaff_admin::{FlagsHealth, Health as Told};

/// What is known of the running program. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Health {
    source: Arc<str>,
    revision: Arc<str>,
    draining: Arc<AtomicBool>,
}

impl Health {
    pub(crate) fn new(source: &str, revision: &str) -> Self {
        Self {
            source: source.into(),
            revision: revision.into(),
            draining: Arc::default(),
        }
    }

    /// It takes no new visitors from now on.
    pub(crate) fn drains(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// How it is now. There is always a good set of flags: without one, nothing is bound.
    pub(crate) fn now(&self) -> Told {
        let flags = FlagsHealth {
            revision: self.revision.to_string(),
            source: self.source.to_string(),
            loaded_at: String::new(),
            problem: None,
        };
        Told::new(!self.draining.load(Ordering::Relaxed), flags)
    }
}
