//! Names of flags that are asked for and that no flag file defines.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use flagstaff_flags::Name;

/// Names with a label of their own, for each kind of asker. All others share one, so that no input makes metrics grow without limit.
const MAX_NAMES: usize = 100;

/// The one who asks for a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// The app: its code, or the headers of its answers.
    App,
    /// A visitor: links and pages, which anybody may write.
    Visitor,
}

/// A name that is asked for and that no flag file defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// The name.
    pub name: String,
    /// The one who asked.
    pub asker: Asker,
    /// How often since the start.
    pub times: u64,
}

/// Counts unknown names, and logs once each that the app asks for.
#[derive(Debug, Default)]
pub(crate) struct UnknownNames {
    by_app: Mutex<HashMap<String, u64>>,
    by_visitors: Mutex<HashMap<String, u64>>,
}

impl UnknownNames {
    /// Counts a name.
    pub(crate) fn count(&self, name: &str, asker: Asker) {
        metrics::counter!("flagstaff_unknown_flags_total", "flag" => self.label(name, asker)).increment(1);
    }

    /// All that were asked for, the most frequent first.
    pub(crate) fn all(&self) -> Vec<UnknownName> {
        let of = |asker| {
            let seen = self.seen(asker).lock().unwrap_or_else(PoisonError::into_inner);
            let one = |(name, times): (&String, &u64)| UnknownName { name: name.clone(), asker, times: *times };
            seen.iter().map(one).collect::<Vec<_>>()
        };
        let mut all = of(Asker::App);
        all.extend(of(Asker::Visitor));
        all.sort_by(|a, b| b.times.cmp(&a.times).then_with(|| a.name.cmp(&b.name)));
        all
    }

    const fn seen(&self, asker: Asker) -> &Mutex<HashMap<String, u64>> {
        match asker {
            Asker::App => &self.by_app,
            Asker::Visitor => &self.by_visitors,
        }
    }

    fn label(&self, name: &str, asker: Asker) -> String {
        if Name::new(name).is_err() {
            return "(no name)".into();
        }
        let mut seen = self.seen(asker).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = seen.get_mut(name) {
            *times += 1;
            return name.into();
        }
        if seen.len() >= MAX_NAMES {
            return "(more)".into();
        }
        seen.insert(name.into(), 1);
        if asker == Asker::App {
            tracing::warn!(flag = name, "the app asks for a flag that is not defined; it is off");
        }
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
            assert_eq!(unknown.label(&format!("flag_{i}"), Asker::App), format!("flag_{i}"));
        }
        assert_eq!(unknown.label("one_more", Asker::App), "(more)");
        assert_eq!(unknown.label("flag_3", Asker::App), "flag_3");
        assert_eq!(unknown.label("No Name", Asker::App), "(no name)");
        assert_eq!(unknown.label("one_more", Asker::Visitor), "one_more", "visitors take no place of the app's");
        let all = unknown.all();
        assert_eq!((all.len(), all[0].name.as_str(), all[0].times), (MAX_NAMES + 1, "flag_3", 2));
    }
}
