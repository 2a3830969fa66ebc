//! What is derived from a snapshot, made before it is seen or at the first sight of it.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use flagstaff_flags::Snapshot;

/// What is derived from the newest snapshot that was seen. Reading takes no lock. Should two threads see a new snapshot at once, both
/// make it, both results are right, and one is kept.
///
/// A request that began under an older snapshot makes its own anew: there are few, and only after a change.
pub struct PerSnapshot<T> {
    newest: ArcSwapOption<Derived<T>>,
    /// Made before its snapshot was seen.
    prepared: ArcSwapOption<Derived<T>>,
}

struct Derived<T> {
    snapshot: Arc<Snapshot>,
    value: Arc<T>,
}

impl<T> PerSnapshot<T> {
    /// Nothing was seen yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { newest: ArcSwapOption::const_empty(), prepared: ArcSwapOption::const_empty() }
    }

    /// Makes what is derived from a snapshot before it is seen, so that nobody who sees it has to.
    pub fn prepare(&self, snapshot: &Arc<Snapshot>, make: impl FnOnce() -> T) {
        let derived = Derived { snapshot: Arc::clone(snapshot), value: Arc::new(make()) };
        self.prepared.store(Some(Arc::new(derived)));
    }

    /// What is derived from this snapshot. `make` is called when the snapshot is new, with what was derived from the one before.
    pub fn get(&self, snapshot: &Arc<Snapshot>, make: impl FnOnce(Option<&T>) -> T) -> Arc<T> {
        self.with(snapshot, make, Arc::clone)
    }

    /// What is derived from the newest snapshot that was seen.
    #[must_use]
    pub fn newest(&self) -> Option<Arc<T>> {
        self.newest.load().as_ref().map(|derived| Arc::clone(&derived.value))
    }

    /// As [`PerSnapshot::get`], for a caller that only looks at it.
    pub fn with<R>(
        &self,
        snapshot: &Arc<Snapshot>,
        make: impl FnOnce(Option<&T>) -> T,
        read: impl FnOnce(&Arc<T>) -> R,
    ) -> R {
        let newest = self.newest.load();
        let before = newest.as_ref();
        if let Some(derived) = before.filter(|derived| Arc::ptr_eq(&derived.snapshot, snapshot)) {
            return read(&derived.value);
        }
        if let Some(prepared) =
            self.prepared.load().as_ref().filter(|prepared| Arc::ptr_eq(&prepared.snapshot, snapshot))
        {
            self.newest.store(Some(Arc::clone(prepared)));
            return read(&prepared.value);
        }
        let value = Arc::new(make(before.map(|before| &*before.value)));
        let derived = Derived { snapshot: Arc::clone(snapshot), value: Arc::clone(&value) };
        self.newest.store(Some(Arc::new(derived)));
        read(&value)
    }
}

impl<T> Default for PerSnapshot<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for PerSnapshot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerSnapshot").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_made_once_for_each_snapshot() {
        let snapshot = || Arc::new(Snapshot::new("r", vec![], vec![], vec![], vec![]).unwrap());
        let (first, second) = (snapshot(), snapshot());
        let derived = PerSnapshot::new();
        let get = |snapshot| *derived.get(snapshot, |before: Option<&u32>| before.map_or(1, |before| before + 1));
        assert_eq!([get(&first), get(&first), get(&second), get(&second)], [1, 1, 2, 2]);
        let third = snapshot();
        derived.prepare(&third, || 9);
        assert_eq!([get(&second), get(&third), get(&third)], [2, 9, 9]);
    }
}
