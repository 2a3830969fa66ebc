//! How an edit of the file is undone: as a command that runs as it is printed, and what is left to do by hand.

use flagstaff_source::edit::{EditPlan, Undo};

/// What the undo of an edit depends on.
#[derive(Clone, Copy, Default)]
pub(super) struct Undoing {
    /// On or off, where that was wanted.
    pub(super) wanted: Option<bool>,
    /// A fact held the flag off, and does no longer.
    pub(super) is_released: bool,
    /// To undo it would be asked about, too.
    pub(super) is_asked_about: bool,
}

impl Undoing {
    /// How to have the flag as it was before the plan.
    pub(super) fn of(self, name: &str, plan: &EditPlan) -> String {
        let changed: Vec<_> = plan.undo().iter().filter(|one| one.is_changed).collect();
        let is_of_switch = changed.iter().all(|one| one.key == "enabled");
        match self.wanted {
            Some(false) => format!("flagstaff on {name}"),
            Some(true) if is_of_switch => format!("flagstaff off {name}"),
            _ => self.with_keys(name, &changed),
        }
    }

    fn with_keys(self, name: &str, changed: &[&Undo]) -> String {
        let mut set: Vec<_> =
            changed.iter().filter_map(|one| Some(format!("{}={}", one.key, one.value.as_ref()?))).collect();
        // the fact does not come back, so the file says it
        if self.is_released && !changed.iter().any(|one| one.key == "enabled") {
            set.insert(0, "enabled=false".into());
        }
        let added: Vec<_> =
            changed.iter().filter(|one| one.value.is_none()).map(|one| format!("`{}`", one.key)).collect();
        let yes = if self.is_asked_about { " --yes" } else { "" };
        let set = (!set.is_empty()).then(|| format!("flagstaff set {name} {}{yes}", quoted(&set)));
        let added = (!added.is_empty()).then(|| format!("take {} out of the file", added.join(" and ")));
        set.into_iter().chain(added).collect::<Vec<_>>().join(", and ")
    }
}

/// Words as a shell takes them.
fn quoted(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "=._-:/".contains(c);
    let quote = |word: &String| {
        if word.chars().all(plain) { word.clone() } else { format!("'{}'", word.replace('\'', "'\\''")) }
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}
