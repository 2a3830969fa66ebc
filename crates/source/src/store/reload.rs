//! What is done with a document that was read: it is published, or the last good one stays; and that is reported.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use flagstaff_flags::Publisher;
use metrics::counter;

use crate::assemble::Loaded;
use crate::findings::Report;

/// Is told when documents come. Called on the thread that watches, so it should return soon.
pub trait ReloadObserver: Send + 'static {
    /// A document was taken; its snapshot is published.
    fn on_loaded(&self, _loaded: &Loaded) {}

    /// A document was refused, or none could be read; the last good one stays. Once for each that is different.
    fn on_rejected(&self, _report: &Report) {}

    /// Flags that are good could not be kept for a start with broken ones, for this reason. Reported once.
    fn on_not_kept(&self, _why: &str) {}

    /// Nobody says when flags change, for this reason, so they are looked at every so often. Reported once, until it is said again.
    fn on_polling(&self, _why: &str, _every: Duration) {}
}

impl ReloadObserver for () {}

/// How reloading goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadHealth {
    /// The document seen last is the one in force.
    pub healthy: bool,
    /// The revision in force.
    pub revision: String,
    /// Since when.
    pub loaded_at: SystemTime,
    /// What was wrong with the document seen last, as drawn by [`Report::render`].
    pub problem: Option<String>,
    /// Documents taken since the start.
    pub loads: u64,
    /// Documents refused since the start.
    pub rejections: u64,
    /// Changes are noticed at once; otherwise they are found by looking every so often.
    pub instant: bool,
}

/// A handle on how reloading goes; cheap to clone and to ask.
#[derive(Clone, Debug)]
pub struct ReloadStatus {
    health: Arc<Mutex<ReloadHealth>>,
    publisher: Arc<Publisher>,
}

impl ReloadStatus {
    /// How it goes now.
    #[must_use]
    pub fn get(&self) -> ReloadHealth {
        // asked of the flags themselves: what else is noted is so a moment later
        let revision = self.publisher.current().revision().into();
        ReloadHealth { revision, ..self.lock().clone() }
    }

    fn lock(&self) -> MutexGuard<'_, ReloadHealth> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_instant(&self, instant: bool) {
        self.lock().instant = instant;
    }
}

/// The one place where documents arrive, from any store.
pub(crate) struct Reload<O> {
    publisher: Arc<Publisher>,
    observer: O,
    status: ReloadStatus,
}

impl<O: ReloadObserver> Reload<O> {
    pub(crate) fn new(publisher: Arc<Publisher>, observer: O) -> Self {
        let health = ReloadHealth {
            healthy: true,
            revision: publisher.current().revision().into(),
            loaded_at: SystemTime::now(),
            problem: None,
            loads: 0,
            rejections: 0,
            instant: false,
        };
        for result in ["loaded", "rejected"] {
            counter!("flagstaff_reloads_total", "result" => result).increment(0);
        }
        let status = ReloadStatus { health: Arc::new(Mutex::new(health)), publisher: Arc::clone(&publisher) };
        Self { publisher, observer, status }
    }

    pub(crate) fn observer(&self) -> &O {
        &self.observer
    }

    pub(crate) fn status(&self) -> &ReloadStatus {
        &self.status
    }

    /// The revision in force.
    pub(crate) fn revision(&self) -> String {
        self.publisher.current().revision().into()
    }

    pub(crate) fn apply(&self, outcome: Result<Loaded, Report>) {
        match outcome {
            Ok(loaded) => self.accept(&loaded),
            Err(report) => self.reject(&report),
        }
    }

    fn accept(&self, loaded: &Loaded) {
        self.publisher.publish(&loaded.snapshot);
        counter!("flagstaff_reloads_total", "result" => "loaded").increment(1);
        {
            let mut health = self.status.lock();
            health.healthy = true;
            health.loaded_at = SystemTime::now();
            health.problem = None;
            health.loads += 1;
        }
        self.observer.on_loaded(loaded);
    }

    fn reject(&self, report: &Report) {
        counter!("flagstaff_reloads_total", "result" => "rejected").increment(1);
        {
            let mut health = self.status.lock();
            health.healthy = false;
            health.problem = Some(report.render(false));
            health.rejections += 1;
        }
        self.observer.on_rejected(report);
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Snapshot, publisher};
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    use super::*;
    use crate::assemble::{ParseOptions, parse};
    use crate::decode::text::Text;

    #[test]
    fn good_and_bad_documents_are_counted_apart() {
        let recorder = DebuggingRecorder::new();
        let seen = recorder.snapshotter();
        let (publisher, reader) = publisher(Snapshot::empty());
        let reload = Reload::new(Arc::new(publisher), ());
        let take = |text: &str| {
            let (name, bytes) = ("flags.toml", text.as_bytes());
            reload.apply(parse(Text { name, bytes }, None, &ParseOptions::default()));
        };
        metrics::with_local_recorder(&recorder, || {
            take("[flags.a]");
            take("[flags.a]\npercnt = 1");
            take("");
        });
        let counted: Vec<_> = seen
            .snapshot()
            .into_vec()
            .into_iter()
            .map(|(key, _, _, value)| (key.key().labels().map(|l| l.value().to_owned()).collect::<String>(), value))
            .collect();
        assert!(counted.contains(&("loaded".into(), DebugValue::Counter(1))), "{counted:?}");
        assert!(counted.contains(&("rejected".into(), DebugValue::Counter(2))), "{counted:?}");
        let health = reload.status().get();
        assert_eq!((health.loads, health.rejections, health.healthy), (1, 2, false));
        assert!(health.problem.is_some_and(|problem| problem.contains("empty")));
        assert_eq!(health.revision, reader.load().revision());
    }
}
