//! Names of flags that code asks for and no flag file defines.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use flagstaff_flags::Name;

/// Names with a label of their own. All others share one, so that no input makes metrics grow without limit.
const MAX_NAMES: usize = 100;

/// Counts unknown names, and logs each once.
#[derive(Debug, Default)]
pub(crate) struct UnknownNames(Mutex<HashSet<String>>);

impl UnknownNames {
    /// Counts a name.
    pub(crate) fn count(&self, name: &str) {
        metrics::counter!("flagstaff_unknown_flags_total", "flag" => self.label(name)).increment(1);
    }

    fn label(&self, name: &str) -> String {
        if Name::new(name).is_err() {
            return "(no name)".into();
        }
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(name) {
            return name.into();
        }
        if seen.len() >= MAX_NAMES {
            return "(more)".into();
        }
        seen.insert(name.into());
        tracing::warn!(flag = name, "the app asks for a flag that is not defined; it is off");
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_bounded() {
        let unknown = UnknownNames::default();
        for i in 0..MAX_NAMES {
            assert_eq!(unknown.label(&format!("flag_{i}")), format!("flag_{i}"));
        }
        assert_eq!(unknown.label("one_more"), "(more)");
        assert_eq!(unknown.label("flag_3"), "flag_3");
        assert_eq!(unknown.label("No Name"), "(no name)");
    }
}
