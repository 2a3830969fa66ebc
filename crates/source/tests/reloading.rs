//! Real files, saved in every way that files are saved.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flagstaff_flags::{Reader, publisher};
use flagstaff_source::{FlagSource, Loaded, ParseOptions, ReloadObserver, Reloader, Report, load};

/// Longer than anything takes.
const TIMEOUT: Duration = Duration::from_secs(30);

/// So long that no poll comes before a test has ended: what is seen was told.
const NEVER: Duration = Duration::from_secs(3600);

const OFTEN: Duration = Duration::from_millis(100);

/// What was seen, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl ReloadObserver for Log {
    fn on_loaded(&self, loaded: &Loaded) {
        let names: Vec<_> = loaded.snapshot.flags().iter().map(|flag| flag.name.to_string()).collect();
        self.0.lock().unwrap().push(format!("loaded {}", names.join(",")));
    }

    fn on_rejected(&self, report: &Report) {
        self.0.lock().unwrap().push(format!("rejected {}", report.problems()[0].message));
    }
}

impl Log {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

struct Fixture {
    folder: tempfile::TempDir,
    file: PathBuf,
    watch: Reloader,
    reader: Reader,
    log: Log,
}

fn flags(names: &[&str]) -> String {
    names.iter().map(|name| format!("[flags.{name}]\n")).collect()
}

impl Fixture {
    /// A file with flag `a`, on watch.
    fn new(poll: Duration) -> Self {
        Self::of(poll, |folder| {
            let file = folder.join("flags.toml");
            fs::write(&file, flags(&["a"])).unwrap();
            file
        })
    }

    fn of(poll: Duration, make: impl FnOnce(&Path) -> PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = make(folder.path());
        let environment = Some("test".to_owned());
        let options = ParseOptions { environment, ..ParseOptions::default() };
        let (publisher, reader) = publisher(load(&file, &options).unwrap().snapshot);
        let log = Log::default();
        let source = FlagSource::files(&file, Some("test")).polled(Some(poll));
        let watch = Reloader::start(source, options, Arc::new(publisher), log.clone()).unwrap();
        let fixture = Self { folder, file, watch, reader, log };
        // From here on every change is told.
        fixture.until("on watch", || fixture.watch.status().get().instant || poll == OFTEN);
        fixture
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn now(&self) -> Vec<String> {
        self.reader.load().flags().iter().map(|flag| flag.name.to_string()).collect()
    }

    #[track_caller]
    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let start = Instant::now();
        while !holds() {
            assert!(start.elapsed() < TIMEOUT, "never {what}; flags {:?}, seen {:?}", self.now(), self.log.all());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[track_caller]
    fn expect(&self, names: &[&str]) {
        self.until(&format!("{names:?}"), || self.now() == names);
    }

    #[track_caller]
    fn expect_rejected(&self, words: &str) {
        let has = |problem: Option<String>| problem.is_some_and(|problem| problem.contains(words));
        self.until(words, || has(self.watch.status().get().problem));
        assert!(!self.watch.status().get().healthy);
    }
}

#[test]
fn saved_in_place_as_nano_does() {
    let f = Fixture::new(NEVER);
    fs::write(&f.file, flags(&["a", "b"])).unwrap();
    f.expect(&["a", "b"]);
    fs::write(&f.file, flags(&["c"])).unwrap();
    f.expect(&["c"]);
}

#[test]
fn saved_as_vim_does() {
    let f = Fixture::new(NEVER);
    for name in ["b", "c", "d"] {
        // The old file becomes the backup, a new one is written under its name, the backup goes.
        fs::write(f.path("4913"), "").unwrap();
        fs::remove_file(f.path("4913")).unwrap();
        fs::rename(&f.file, f.path("flags.toml~")).unwrap();
        fs::write(&f.file, flags(&[name])).unwrap();
        fs::remove_file(f.path("flags.toml~")).unwrap();
        f.expect(&[name]);
    }
    assert_eq!(f.watch.status().get().rejections, 0, "{:?}", f.log.all());
}

#[test]
fn saved_beside_and_moved_over() {
    let f = Fixture::new(NEVER);
    for name in ["b", "c"] {
        fs::write(f.path(".flags.toml.tmp"), flags(&[name])).unwrap();
        fs::rename(f.path(".flags.toml.tmp"), &f.file).unwrap();
        f.expect(&[name]);
    }
}

#[test]
fn written_slowly() {
    use std::io::Write as _;
    let f = Fixture::new(NEVER);
    let mut file = fs::File::create(&f.file).unwrap();
    for part in ["[flags.b]\nper", "cent = 5", "0\n[flags.", "c]\n"] {
        file.write_all(part.as_bytes()).unwrap();
        file.flush().unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(file);
    f.expect(&["b", "c"]);
}

#[test]
fn swapped_as_kubernetes_does() {
    let version = |folder: &Path, name: &str, flag: &str| {
        fs::create_dir(folder.join(name)).unwrap();
        fs::write(folder.join(name).join("flags.toml"), flags(&[flag])).unwrap();
    };
    let f = Fixture::of(NEVER, |folder| {
        version(folder, "..2026_1", "a");
        symlink("..2026_1", folder.join("..data")).unwrap();
        symlink("..data/flags.toml", folder.join("flags.toml")).unwrap();
        folder.join("flags.toml")
    });
    for (i, flag) in ["b", "c", "d"].into_iter().enumerate() {
        let (old, new) = (format!("..2026_{}", i + 1), format!("..2026_{}", i + 2));
        version(f.folder.path(), &new, flag);
        symlink(&new, f.path("..data_tmp")).unwrap();
        fs::rename(f.path("..data_tmp"), f.path("..data")).unwrap();
        fs::remove_dir_all(f.path(&old)).unwrap();
        f.expect(&[flag]);
    }
}

#[test]
fn a_link_to_another_folder() {
    let f = Fixture::of(NEVER, |folder| {
        fs::create_dir(folder.join("etc")).unwrap();
        fs::create_dir(folder.join("srv")).unwrap();
        fs::write(folder.join("srv/real.toml"), flags(&["a"])).unwrap();
        symlink("../srv/real.toml", folder.join("etc/flags.toml")).unwrap();
        folder.join("etc/flags.toml")
    });
    fs::write(f.path("srv/real.toml"), flags(&["b"])).unwrap();
    f.expect(&["b"]);
    fs::write(f.path("srv/other.toml"), flags(&["c"])).unwrap();
    symlink("../srv/other.toml", f.path("etc/new")).unwrap();
    fs::rename(f.path("etc/new"), &f.file).unwrap();
    f.expect(&["c"]);
}

#[test]
fn a_bad_file_changes_nothing_and_is_told_once() {
    let f = Fixture::new(OFTEN);
    let bad: [(&[u8], &str); 6] = [
        (b"[flags.a]\npercnt = 1\n", "did you mean `percent`?"),
        (b"", "empty"),
        (b"[flags.a]\n\xff", "UTF-8"),
        (b"[flags.b", "not TOML"),
        (b"\0\0\0\0", "not TOML"),
        (&[b'#'; 10_000_000], "bytes"),
    ];
    for (i, (bytes, words)) in bad.into_iter().enumerate() {
        fs::write(&f.file, bytes).unwrap();
        f.expect_rejected(words);
        // Several polls come by.
        std::thread::sleep(OFTEN * 5);
        assert_eq!(f.now(), ["a"]);
        assert_eq!(f.watch.status().get().rejections, i as u64 + 1, "{:?}", f.log.all());
    }
    fs::write(&f.file, flags(&["b"])).unwrap();
    f.expect(&["b"]);
    let health = f.watch.status().get();
    assert!(health.healthy && health.problem.is_none());
    assert_eq!(health.revision, f.reader.load().revision());
}

#[test]
fn gone_and_back() {
    let f = Fixture::new(NEVER);
    fs::remove_file(&f.file).unwrap();
    f.expect_rejected("cannot be read");
    assert_eq!(f.now(), ["a"]);
    fs::write(&f.file, flags(&["b"])).unwrap();
    f.expect(&["b"]);
    fs::remove_file(&f.file).unwrap();
    fs::create_dir(&f.file).unwrap();
    f.expect_rejected("not a file");
    fs::remove_dir(&f.file).unwrap();
    fs::write(&f.file, flags(&["b"])).unwrap();
    f.until("healthy", || f.watch.status().get().healthy);
}

#[test]
fn permission_lost_and_given_back() {
    let f = Fixture::new(OFTEN);
    let mode = |mode| fs::set_permissions(&f.file, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o000);
    if fs::read(&f.file).is_ok() {
        // The user who runs this may read everything.
        return;
    }
    f.expect_rejected("cannot be read");
    mode(0o644);
    f.until("healthy", || f.watch.status().get().healthy);
    assert_eq!(f.now(), ["a"]);
}

#[test]
fn an_overlay_comes_and_goes() {
    let f = Fixture::new(NEVER);
    let overlay = f.path("flags.test.toml");
    fs::write(&overlay, flags(&["b"])).unwrap();
    f.expect(&["a", "b"]);
    fs::write(&overlay, "[flags.a]\npercnt = 1").unwrap();
    f.expect_rejected("flags.test.toml:2:1");
    fs::remove_file(&overlay).unwrap();
    f.expect(&["a"]);
}

#[test]
fn the_folder_is_made_anew() {
    let f = Fixture::of(OFTEN, |folder| {
        fs::create_dir(folder.join("etc")).unwrap();
        fs::write(folder.join("etc/flags.toml"), flags(&["a"])).unwrap();
        folder.join("etc/flags.toml")
    });
    for name in ["b", "c"] {
        fs::remove_dir_all(f.path("etc")).unwrap();
        f.expect_rejected("cannot be read");
        fs::create_dir(f.path("etc")).unwrap();
        fs::write(&f.file, flags(&[name])).unwrap();
        f.expect(&[name]);
    }
    f.until("on watch again", || f.watch.status().get().instant);
    fs::rename(f.path("etc"), f.path("old")).unwrap();
    fs::create_dir(f.path("etc")).unwrap();
    fs::write(&f.file, flags(&["d"])).unwrap();
    f.expect(&["d"]);
}

#[test]
fn a_watch_that_died_with_its_folder_is_set_anew() {
    let f = Fixture::of(NEVER, |folder| {
        fs::create_dir(folder.join("etc")).unwrap();
        fs::write(folder.join("etc/flags.toml"), flags(&["a"])).unwrap();
        folder.join("etc/flags.toml")
    });
    fs::remove_dir_all(f.path("etc")).unwrap();
    f.expect_rejected("cannot be read");
    fs::create_dir(f.path("etc")).unwrap();
    fs::write(&f.file, flags(&["b"])).unwrap();
    // Nothing tells of a folder that is made; the next look finds it, and puts it on watch.
    f.watch.look();
    f.expect(&["b"]);
    f.until("on watch again", || f.watch.status().get().instant);
    fs::write(&f.file, flags(&["c"])).unwrap();
    f.expect(&["c"]);
}

#[test]
fn nothing_is_published_when_nothing_changed() {
    let f = Fixture::new(OFTEN);
    fs::write(f.path("other.txt"), "x").unwrap();
    fs::write(&f.file, flags(&["a"])).unwrap();
    std::thread::sleep(OFTEN * 5);
    assert_eq!(f.log.all(), [""; 0]);
    assert_eq!(f.watch.status().get().loads, 0);
}

#[test]
fn what_changed_before_the_watch_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flags.toml");
    fs::write(&file, flags(&["a"])).unwrap();
    let (publisher, reader) = publisher(load(&file, &ParseOptions::default()).unwrap().snapshot);
    fs::write(&file, flags(&["b"])).unwrap();
    let log = Log::default();
    let watch = Reloader::start(
        FlagSource::files(&file, None).polled(Some(NEVER)),
        ParseOptions::default(),
        Arc::new(publisher),
        log.clone(),
    )
    .unwrap();
    let f = Fixture { folder, file, watch, reader, log };
    f.expect(&["b"]);
}
