//! The windows of all flags, found by name or, as requests ask for them, by their places in a snapshot.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, Guard};
use flagstaff_flags::{BucketBy, Definition, Flag, FlagId, Name, Snapshot};

use super::flag_window::{FlagWindow, KnownVisitors};

/// All windows there are.
pub(super) struct Windows {
    /// Read on every request; replaced when a flag begins.
    table: ArcSwap<WindowTable>,
    /// Held while it is replaced.
    change: Mutex<()>,
    /// The number of the newest window.
    newest: AtomicU64,
}

/// The windows at a time.
pub(crate) struct WindowTable {
    by_name: HashMap<Name, Arc<FlagWindow>>,
    /// The snapshot that requests are decided with, or will be in a moment.
    snapshot: Arc<Snapshot>,
    /// The windows of its flags, in their order: a request looks up no name.
    in_order: Vec<Option<Arc<FlagWindow>>>,
}

impl Windows {
    /// None yet, of the flags of a snapshot.
    pub(super) fn new(snapshot: Arc<Snapshot>) -> Self {
        let table = WindowTable { by_name: HashMap::new(), snapshot, in_order: Vec::new() };
        Self { table: ArcSwap::from_pointee(table), change: Mutex::default(), newest: AtomicU64::new(0) }
    }

    /// All as they are now. They are looked at where they are: to count all who hold them would have all threads write to one place.
    pub(super) fn load(&self) -> Guard<Arc<WindowTable>> {
        self.table.load()
    }

    /// Nobody changes a window meanwhile.
    pub(super) fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        self.change.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests will be decided with this snapshot in a moment.
    pub(super) fn follow(&self, snapshot: &Arc<Snapshot>) {
        self.replace(|table| table.snapshot = Arc::clone(snapshot));
    }

    /// A flag begins anew: what was seen of it says nothing any more, but the visitors who saw it stay known.
    pub(super) fn begin(&self, flag: &Flag, step: usize) {
        self.replace(|table| {
            if let Some(window) = table.of_definition(flag) {
                let window = window.restarted(self.next(), flag, step);
                table.by_name.insert(flag.name.clone(), Arc::new(window));
            } else if !table.is_newest(&flag.name) {
                table.by_name.remove(&flag.name);
            }
        });
    }

    /// Forgets what was seen of other definitions of a flag than this. The newest stays: the controller may hear of it later.
    pub(super) fn forget_others(&self, flag: &Name, definition: Definition) {
        let is_other = |table: &WindowTable| {
            let own = table.named(flag.as_str());
            own.is_some_and(|own| own.definition != definition) && !table.is_newest(flag)
        };
        self.replace_if(is_other, |table| _ = table.by_name.remove(flag));
    }

    /// Begins with all flags of the newest snapshot that are watched and have no window by their definition, and forgets those that it
    /// does not have.
    pub(super) fn take_over(&self) {
        self.replace_if(WindowTable::differs, |table| {
            let snapshot = Arc::clone(&table.snapshot);
            table.by_name.retain(|name, _| snapshot.find(name.as_str()).is_some());
            let many = table.watched().count();
            let lacking: Vec<_> = table.watched().filter(|(_, flag)| table.of_definition(flag).is_none()).collect();
            for (id, flag) in lacking {
                let visitors = KnownVisitors::of_one_in(many);
                let window = FlagWindow::new(self.next(), &flag, snapshot.step(id), visitors);
                table.by_name.insert(flag.name.clone(), Arc::new(window));
            }
        });
    }

    fn replace(&self, change: impl FnOnce(&mut WindowTable)) {
        self.replace_if(|_| true, change);
    }

    fn replace_if(&self, is_wanted: impl FnOnce(&WindowTable) -> bool, change: impl FnOnce(&mut WindowTable)) {
        let _one_at_a_time = self.one_at_a_time();
        let table = self.load();
        if !is_wanted(&table) {
            return;
        }
        let (by_name, snapshot) = (table.by_name.clone(), Arc::clone(&table.snapshot));
        let mut table = WindowTable { by_name, snapshot, in_order: Vec::new() };
        change(&mut table);
        table.in_order = table.snapshot.flags().iter().map(|flag| table.of_definition(flag).cloned()).collect();
        self.table.store(Arc::new(table));
    }

    fn next(&self) -> u64 {
        self.newest.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl WindowTable {
    /// The window of a flag, whatever its definition is.
    pub(super) fn named(&self, flag: &str) -> Option<&Arc<FlagWindow>> {
        self.by_name.get(flag)
    }

    /// All, by name.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Name, &FlagWindow)> {
        self.by_name.iter().map(|(name, window)| (name, &**window))
    }

    /// What is known of a flag as a snapshot defines it.
    pub(super) fn of(&self, snapshot: &Arc<Snapshot>, id: FlagId) -> Option<&FlagWindow> {
        if Arc::ptr_eq(snapshot, &self.snapshot) {
            return self.in_order.get(id.index())?.as_deref();
        }
        self.of_definition(snapshot.flag(id)?).map(|window| &**window)
    }

    /// Whether what is known of a flag is of its newest definition.
    fn is_newest(&self, flag: &Name) -> bool {
        let newest = self.snapshot.flag_named(flag.as_str());
        newest.is_some_and(|newest| self.of_definition(newest).is_some())
    }

    /// Whether a flag that is watched has no window, or the flag of a window is gone.
    fn differs(&self) -> bool {
        self.watched().any(|(_, flag)| self.of_definition(&flag).is_none())
            || self.by_name.keys().any(|name| self.snapshot.find(name.as_str()).is_none())
    }

    /// The flags that have visitors to watch.
    fn watched(&self) -> impl Iterator<Item = (FlagId, Arc<Flag>)> {
        let has_visitors = |flag: &&Arc<Flag>| flag.bucket_by != BucketBy::Request;
        let is_watched = |flag: &&Arc<Flag>| flag.guard.is_some() || flag.rollout.is_some();
        let watched = self.snapshot.flags().iter().filter(is_watched).filter(has_visitors);
        watched.filter_map(|flag| Some((self.snapshot.find(flag.name.as_str())?, Arc::clone(flag))))
    }

    fn of_definition(&self, flag: &Flag) -> Option<&Arc<FlagWindow>> {
        self.by_name.get(&flag.name).filter(|window| window.definition == flag.definition)
    }
}
