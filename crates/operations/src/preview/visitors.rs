//! The last visitors, as a running program keeps them.

use std::sync::Arc;

use flagstaff_flags::{AskedKeys, KeptSubject, Snapshot};

/// The last visitors, and the flags that are in force for them.
#[derive(Clone, Debug)]
pub struct RecentVisitors {
    /// Those who asked last are at the end.
    pub visitors: Vec<Arc<KeptSubject>>,
    /// Why there are none, where there are none.
    pub why_none: WhyNoVisitors,
    /// The flags in force, with what is recorded of them; none where no program runs here.
    pub in_force: Option<Arc<Snapshot>>,
}

/// Why no visitor is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNoVisitors {
    /// None came since the start.
    NoneCame,
    /// The settings say `recent_requests = 0`.
    NotKept,
    /// Only a running program knows them.
    NoProgram,
}

impl WhyNoVisitors {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::NoneCame => "no visitor came since the start, so nobody knows yet whom it moves",
            Self::NotKept => {
                "nobody knows whom it moves, because the settings keep no recent requests (recent_requests = 0)"
            }
            Self::NoProgram => "whom it moves, a running program can say",
        }
    }
}

impl RecentVisitors {
    /// Nothing is known of visitors, as where no program runs.
    #[must_use]
    pub const fn unknown() -> Self {
        Self { visitors: Vec::new(), why_none: WhyNoVisitors::NoProgram, in_force: None }
    }

    /// What the conditions of these flags look at and was not kept of some visitor, because no condition looked at it then.
    pub(super) fn unknown_keys(&self, snapshot: &Snapshot) -> Vec<String> {
        let asked = snapshot.asked_keys();
        let mut sets: Vec<&AskedKeys> = Vec::new();
        for visitor in &self.visitors {
            let kept = visitor.values.asked();
            if !sets.contains(&kept) {
                sets.push(kept);
            }
        }
        let mut all: Vec<String> = sets.iter().flat_map(|kept| asked.beyond(kept)).map(ToString::to_string).collect();
        all.sort();
        all.dedup();
        all
    }
}
