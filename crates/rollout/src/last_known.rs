//! The facts of flags as they were last known, in a file: for a start while the ledger is away.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use flagstaff_flags::{Definition, Name, Publisher, RecordedFacts};
use flagstaff_source::StateFolder;
use serde_json::{Value, json};

/// How often it is checked whether something new is known.
const CHECK_EVERY: Duration = Duration::from_millis(250);

/// A file that keeps what one ledger says of flags.
#[derive(Clone, Debug)]
pub(crate) struct LastKnown {
    folder: StateFolder,
    name: String,
}

/// Writes what is known while the program runs. Dropped, it writes once more and ends.
#[derive(Debug)]
pub(crate) struct LastKnownWriter {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl LastKnown {
    /// In a folder, for the ledger at this address.
    #[must_use]
    pub(crate) fn new(folder: StateFolder, ledger: &str) -> Self {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        // an address may hold a password
        let place = ledger.rsplit_once('@').map_or(ledger, |(_, place)| place);
        let place: String = place.chars().rev().take(100).map(plain).collect();
        let name = format!("facts-{}.json", place.chars().rev().collect::<String>());
        Self { folder, name }
    }

    /// What was last known. Empty, where nothing was kept or what was kept makes no sense.
    #[must_use]
    pub(crate) fn read(&self) -> RecordedFacts {
        let bytes = self.folder.read(&self.name).ok().flatten().unwrap_or_default();
        let kept: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        from_json(&kept).unwrap_or_default()
    }

    /// Writes what a publisher knows, from now on and whenever it changes.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn keep(self, publisher: Arc<Publisher>) -> std::io::Result<LastKnownWriter> {
        let (stop, stopped) = mpsc::channel();
        let mut kept = None;
        let body = move || self.keep_until(&stopped, &publisher, &mut kept);
        let thread = flagstaff_supervise::thread("last known", body)?;
        Ok(LastKnownWriter { stop: Some(stop), thread: Some(thread) })
    }

    fn keep_until(&self, stopped: &Receiver<()>, publisher: &Publisher, kept: &mut Option<RecordedFacts>) {
        let mut is_told = false;
        loop {
            let ends = stopped.recv_timeout(CHECK_EVERY) != Err(RecvTimeoutError::Timeout);
            let now = known(publisher);
            if !now.unknown && kept.as_ref() != Some(&now) {
                match self.folder.write(&self.name, as_json(&now).to_string().as_bytes()) {
                    Ok(()) => (*kept, is_told) = (Some(now), false),
                    Err(_) if is_told => {}
                    Err(error) => {
                        is_told = true;
                        tracing::warn!(%error, "what is known of flags cannot be kept for a start while the ledger is away; it is tried again");
                    }
                }
            }
            if ends {
                return;
            }
        }
    }
}

impl Drop for LastKnownWriter {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // it ended by itself, or with a panic that was told
            let _ = thread.join();
        }
    }
}

/// What a publisher knows, of which flags.
fn known(publisher: &Publisher) -> RecordedFacts {
    let names = publisher.current().flags().iter().map(|flag| flag.name.clone()).collect();
    RecordedFacts { known: names, ..publisher.recorded() }
}

fn as_json(facts: &RecordedFacts) -> Value {
    let tripped = facts.tripped.iter().map(|(name, definition)| json!([name.as_str(), definition.0.to_string()]));
    let steps = facts.steps.iter().map(|(name, one, step)| json!([name.as_str(), one.0.to_string(), step]));
    let off = facts.switched_off.iter().map(|(name, words)| json!([name.as_str(), words]));
    let remembered = facts.remembered.iter().map(|(name, since)| json!([name.as_str(), since]));
    json!({
        "tripped": tripped.collect::<Vec<_>>(),
        "steps": steps.collect::<Vec<_>>(),
        "switched_off": off.collect::<Vec<_>>(),
        "remembered": remembered.collect::<Vec<_>>(),
        "known": facts.known.iter().map(Name::as_str).collect::<Vec<_>>(),
    })
}

/// None where anything of it makes no sense: a half of it could keep on what was rolled back.
fn from_json(kept: &Value) -> Option<RecordedFacts> {
    let list = |key: &str| kept.get(key).and_then(Value::as_array);
    let text = |one: &Value, at: usize| Some(one.get(at)?.as_str()?.to_owned());
    let name = |one: &Value| Name::new(&text(one, 0)?).ok();
    let definition = |one: &Value| Some(Definition(text(one, 1)?.parse().ok()?));
    let step = |one: &Value| usize::try_from(one.get(2)?.as_u64()?).ok();
    let tripped = list("tripped")?.iter().map(|one| Some((name(one)?, definition(one)?)));
    let steps = list("steps")?.iter().map(|one| Some((name(one)?, definition(one)?, step(one)?)));
    let off = list("switched_off")?.iter().map(|one| Some((name(one)?, text(one, 1)?)));
    // an earlier version of the program wrote none
    let remembered = list("remembered").map(Vec::as_slice).unwrap_or_default();
    let remembered = remembered.iter().map(|one| Some((name(one)?, one.get(1)?.as_u64()?)));
    let known = list("known")?.iter().map(|one| Name::new(one.as_str()?).ok());
    Some(RecordedFacts {
        tripped: tripped.collect::<Option<_>>()?,
        steps: steps.collect::<Option<_>>()?,
        switched_off: off.collect::<Option<_>>()?,
        remembered: remembered.collect::<Option<_>>()?,
        known: known.collect::<Option<_>>()?,
        unknown: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_or_not_at_all() {
        let name = |name: &str| Name::new(name).unwrap();
        let all = RecordedFacts {
            tripped: vec![(name("a"), Definition(u64::MAX))],
            steps: vec![(name("b"), Definition(7), 3)],
            switched_off: vec![(name("c"), "switched off by ada".into())],
            remembered: vec![(name("a"), 12)],
            known: vec![name("a"), name("b"), name("c")],
            unknown: false,
        };
        assert_eq!(from_json(&as_json(&all)), Some(all.clone()));
        for (key, broken) in [
            ("tripped", json!([["a", "x"]])),
            ("steps", json!([["b", "7", -1]])),
            ("remembered", json!([["a", -1]])),
            ("known", json!("a")),
        ] {
            let mut kept = as_json(&all);
            kept[key] = broken;
            assert_eq!(from_json(&kept), None, "{key}");
        }
    }

    #[test]
    fn two_ledgers_have_two_files_and_no_password_is_in_a_name() {
        let of = |ledger: &str| LastKnown::new(StateFolder::new(std::path::Path::new("x")), ledger).name;
        assert_ne!(of("a.db"), of("b.db"));
        assert!(!of("postgres://me:secret@host/facts").contains("secret"));
    }
}
