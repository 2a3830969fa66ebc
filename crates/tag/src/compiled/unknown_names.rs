//! Names that code asks for and nobody defined.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use flagstaff_flags::Name;

/// More names share one label, so that nobody's input makes metrics grow without end.
const MOST: usize = 100;

/// Counts unknown names, and tells each once.
#[derive(Debug, Default)]
pub(crate) struct Unknown(Mutex<HashSet<String>>);

impl Unknown {
    /// Counts a name.
    pub(crate) fn saw(&self, name: &str) {
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
        if seen.len() >= MOST {
            return "(more)".into();
        }
        seen.insert(name.into());
        tracing::warn!(flag = name, "a flag is asked for that nobody defined; it is off");
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_bounded() {
        let unknown = Unknown::default();
        for i in 0..MOST {
            assert_eq!(unknown.label(&format!("flag_{i}")), format!("flag_{i}"));
        }
        assert_eq!(unknown.label("one_more"), "(more)");
        assert_eq!(unknown.label("flag_3"), "flag_3");
        assert_eq!(unknown.label("No Name"), "(no name)");
    }
}
