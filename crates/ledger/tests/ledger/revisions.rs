//! The log of revisions of the flags.

use std::time::Duration;

use flagstaff_flags::{FlagTexts, RevisionSource};
use flagstaff_ledger::{
    Keeper, LedgerSettings, Location, NewRevision, RecordedRevision, Recorder, RevisionChanges, RevisionStore,
};

use crate::desk::*;
use crate::postgres::each_store;

/// The flags of a text are its words.
fn compare(before: Option<&FlagTexts>, after: &FlagTexts) -> RevisionChanges {
    let words = |texts: &FlagTexts| texts.definitions.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>();
    let before = before.map(words).unwrap_or_default();
    let flags: Vec<_> = words(after).into_iter().filter(|word| !before.contains(word)).collect();
    RevisionChanges { text: flags.join(" "), flags }
}

fn new(text: &str, source: RevisionSource, by: &str, environment: Option<&str>) -> NewRevision {
    let texts = FlagTexts { definitions: text.into(), overlay: environment.map(Into::into) };
    NewRevision {
        // hexadecimal, as revisions are, and another one in each environment
        revision: text
            .bytes()
            .chain(environment.unwrap_or_default().bytes())
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        environment: environment.map(Into::into),
        at: jiff::Timestamp::now(),
        source,
        by: by.into(),
        commit: None,
        why: String::new(),
        place: "flags.toml".into(),
        texts,
        compare,
    }
}

fn file(text: &str) -> NewRevision {
    new(text, RevisionSource::File, "", None)
}

struct Program(Recorder, Keeper);

impl Program {
    fn start(location: &Location) -> Self {
        let (recorder, keeper) = Recorder::start(LedgerSettings::new(location.clone())).unwrap();
        Self(recorder, keeper)
    }

    /// Accepts a text, and waits until the log has this many rows.
    fn accepts(&self, location: &Location, revision: NewRevision, rows: usize) {
        let (wanted, environment) = (revision.revision.clone(), revision.environment.clone());
        self.0.record_revision(revision);
        let start = std::time::Instant::now();
        loop {
            let all = log(location, environment.as_deref());
            if all.len() >= rows && all.iter().any(|row| row.revision == wanted) {
                return assert_eq!(all.len(), rows, "{all:?}");
            }
            assert!(start.elapsed() < Duration::from_secs(20), "not in time: {all:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn end(self) {
        assert!(self.1.close(Duration::from_secs(20)));
    }
}

/// All rows, the oldest first; none before there is a ledger.
fn log(location: &Location, environment: Option<&str>) -> Vec<RecordedRevision> {
    block_on(async {
        let Ok(mut store) = RevisionStore::open_to_read(location).await else { return Vec::new() };
        let mut all = store.newest(environment, None, 1000).await.unwrap();
        store.close().await;
        all.reverse();
        all
    })
}

fn edits(location: &Location, edit: &NewRevision, meanwhile: impl FnOnce()) {
    let before = block_on(async {
        let mut store = RevisionStore::open(location).await.unwrap();
        let before = store.before_edit(edit.environment.as_deref()).await.unwrap();
        store.close().await;
        before
    });
    meanwhile();
    block_on(async {
        let mut store = RevisionStore::open(location).await.unwrap();
        store.record_edit(edit, &before).await.unwrap();
        store.close().await;
    });
}

fn revisions(all: &[RecordedRevision]) -> Vec<(u64, &str, &str)> {
    all.iter().map(|row| (row.number, row.changes.as_str(), row.by.as_str())).collect()
}

/// Also where what it began with has come back meanwhile: that is another row.
#[test]
fn a_program_that_is_late_goes_on_from_the_row_of_its_time() {
    each_store(|location| {
        let one = Program::start(location);
        one.accepts(location, file("a"), 1);
        let began = file("a");
        one.accepts(location, file("a b"), 2);
        let then = file("a b");
        one.accepts(location, file("a"), 3);
        let late = Program::start(location);
        [began, then, file("a")].into_iter().for_each(|revision| late.0.record_revision(revision));
        late.end();
        assert_eq!(log(location, None).len(), 3);
        one.end();
    });
}

/// A command that edits records first what it found, and that is later than the program took it.
#[test]
fn a_program_that_began_before_the_first_row_goes_on_from_it() {
    each_store(|location| {
        let began = file("a");
        let one = Program::start(location);
        one.accepts(location, file("a"), 1);
        let then = file("a b");
        one.accepts(location, file("a b"), 2);
        let late = Program::start(location);
        [began, then].into_iter().for_each(|revision| late.0.record_revision(revision));
        late.end();
        assert_eq!(log(location, None).len(), 2);
        one.end();
    });
}

#[test]
fn a_program_that_is_late_finds_what_another_accepted() {
    each_store(|location| {
        let (one, late) = (Program::start(location), Program::start(location));
        late.accepts(location, file("a"), 1);
        one.accepts(location, file("a"), 1);
        one.accepts(location, file("a b"), 2);
        one.accepts(location, file("a b c"), 3);
        // the other one takes the same way later, and adds nothing
        late.accepts(location, file("a b"), 3);
        late.accepts(location, file("a b c"), 3);
        one.accepts(location, file("a b"), 4);
        one.accepts(location, file("a b c"), 5);
        late.accepts(location, file("a b"), 5);
        late.0.record_revision(file("a b"));
        late.end();
        one.end();
        let again = Program::start(location);
        again.accepts(location, file("a b c"), 5);
        again.end();
        // it started while the second one was in force, and its first row is written only now
        let (slow, second) = (Program::start(location), log(location, None).swap_remove(1));
        slow.0.record_revision(NewRevision { at: second.at, ..file("a b") });
        slow.end();
        assert_eq!(
            revisions(&log(location, None)),
            [(1, "a", ""), (2, "b", ""), (3, "c", ""), (4, "", ""), (5, "c", "")]
        );
    });
}

#[test]
fn an_edit_has_its_author_also_when_a_program_is_first() {
    each_store(|location| {
        let program = Program::start(location);
        program.accepts(location, file("a"), 1);
        let edit = new("a b", RevisionSource::Command, "ada", None);
        edits(location, &edit, || program.accepts(location, file("a b"), 2));
        let edit = new("a b c", RevisionSource::Page, "grace", None);
        edits(location, &edit, || ());
        program.accepts(location, file("a b c"), 3);
        // another edit to the same text is another row, and leaves the earlier ones alone
        program.accepts(location, file("a b"), 4);
        edits(location, &new("a b c", RevisionSource::Command, "bob", None), || ());
        program.accepts(location, file("a b c"), 5);
        program.end();
        let all = log(location, None);
        assert_eq!(revisions(&all), [(1, "a", ""), (2, "b", "ada"), (3, "c", "grace"), (4, "", ""), (5, "c", "bob")]);
        let sources: Vec<_> = all.iter().map(|row| row.source.unwrap().as_str()).collect();
        assert_eq!(sources, ["file", "command", "page", "file", "command"]);
    });
}

#[test]
fn environments_are_apart_and_share_the_author_of_one_file() {
    each_store(|location| {
        let (one, other) = (Program::start(location), Program::start(location));
        let in_test = |text: &str| new(text, RevisionSource::File, "", Some("over"));
        one.accepts(location, file("a"), 1);
        other.accepts(location, in_test("a"), 1);
        // the program of the other environment is faster in one case, and slower in the next
        let edit = new("a b", RevisionSource::Command, "ada", None);
        edits(location, &edit, || other.accepts(location, in_test("a b"), 2));
        edits(location, &new("a b c", RevisionSource::Command, "bob", None), || ());
        other.accepts(location, in_test("a b c"), 3);
        one.end();
        other.end();
        assert_eq!(revisions(&log(location, None)), [(1, "a", ""), (2, "b", "ada"), (3, "c", "bob")]);
        assert_eq!(revisions(&log(location, Some("over"))), [(1, "a", ""), (2, "b", "ada"), (3, "c", "bob")]);
        let mut overlay = in_test("a b c");
        overlay.texts.overlay = Some("other".into());
        overlay.revision = "0123".into();
        let program = Program::start(location);
        program.accepts(location, overlay, 4);
        program.end();
        assert_eq!(log(location, Some("over"))[3].source, Some(RevisionSource::Overlay));
        let environments = block_on(async {
            let mut store = RevisionStore::open_to_read(location).await.unwrap();
            store.environments().await.unwrap()
        });
        assert_eq!(environments, ["over"]);
    });
}

#[test]
fn revisions_are_found_by_their_beginning_and_by_flag() {
    each_store(|location| {
        let program = Program::start(location);
        for (rows, text) in [(1, "a_b"), (2, "axb"), (3, "a_b"), (4, "c")] {
            program.accepts(location, file(text), rows);
        }
        program.end();
        block_on(async {
            let mut store = RevisionStore::open_to_read(location).await.unwrap();
            let numbers = |all: Vec<RecordedRevision>| all.iter().map(|one| one.number).collect::<Vec<_>>();
            let of_flag = store.newest(None, Some(&name("a_b")), 10).await.unwrap();
            assert_eq!(numbers(of_flag), [3, 1], "an underscore is no other character");
            assert_eq!(numbers(store.newest(None, None, 2).await.unwrap()), [4, 3]);
            assert_eq!(numbers(store.beginning(None, "61", 10).await.unwrap()), [3, 2], "each as it came last");
            assert_eq!(numbers(store.beginning(None, "615F", 10).await.unwrap()), [3]);
            assert!(store.beginning(None, "6%", 10).await.unwrap().is_empty());
            assert_eq!(store.first(None).await.unwrap().map(|first| first.0), Some(1));
            let one = store.numbered(None, 2).await.unwrap().unwrap();
            let texts = store.texts(&one).await.unwrap().unwrap();
            assert_eq!((&*texts.definitions, texts.overlay), ("axb", None));
        });
    });
}

/// A ledger that is lost is begun again with what is in force.
#[test]
fn a_new_file_begins_with_what_is_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let location = Location::file(&path).unwrap();
    let program = Program::start(&location);
    program.accepts(&location, file("a"), 1);
    program.accepts(&location, file("a b"), 2);
    for ending in ["db", "db-wal", "db-shm"] {
        let _ = std::fs::remove_file(path.with_extension(ending));
    }
    let start = std::time::Instant::now();
    while log(&location, None).is_empty() {
        assert!(start.elapsed() < Duration::from_secs(20), "not in time");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(revisions(&log(&location, None)), [(1, "a b", "")]);
    program.end();
}
