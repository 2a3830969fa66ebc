//! Sessions that ended before their time: somebody signed out. A cookie that was copied before that lets nobody in.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// As many are remembered; the one that would be over first makes room.
const MAX_ENDED: usize = 10_000;

/// Sessions that ended before their time, by their ids, until the time of every cookie of theirs is over.
#[derive(Debug, Default)]
pub(super) struct EndedSessions(Mutex<HashMap<String, u64>>);

impl EndedSessions {
    /// A session ends. Its cookies would be good until this time, in seconds since 1970.
    pub(super) fn add(&self, id: String, until: u64, now: u64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, until| now < *until);
        if all.len() >= MAX_ENDED
            && let Some(first) = all.iter().min_by_key(|(_, until)| **until).map(|(id, _)| id.clone())
        {
            all.remove(&first);
        }
        all.insert(id, until);
    }

    /// Whether a session ended before its time.
    pub(super) fn has(&self, id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_may_be_are_remembered_and_as_long_as_need_be() {
        let ended = EndedSessions::default();
        ended.add("first".into(), 50, 10);
        ended.add("second".into(), 100, 20);
        assert!(ended.has("first") && ended.has("second") && !ended.has("third"));
        ended.add("third".into(), 200, 50);
        assert!(!ended.has("first") && ended.has("second"));
        for n in 0..MAX_ENDED as u64 {
            ended.add(n.to_string(), 300 + n, 60);
        }
        assert!(!ended.has("second") && !ended.has("third") && ended.has("9999"));
        assert_eq!(ended.0.lock().unwrap().len(), MAX_ENDED);
    }
}
