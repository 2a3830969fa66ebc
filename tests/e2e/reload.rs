//! Flags that change all the time, in every way files change, while visitors keep asking.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use flagstaff_layer::TaggerSettings;
use flagstaff_source::{ParseOptions, Text, parse};

use crate::harness::app::App;
use crate::harness::edits::revision;
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};
use crate::harness::raw::{Raw, fields};
use crate::parity::Service;

const WRITES: u64 = 10_000;
/// Writes between two pauses in which the program may settle.
const BURST: u64 = 40;

/// Flags of one writing: every variant carries its number, so that an answer shows of which writing each flag was. Fillers in
/// between make two halves of a file different things to read.
fn good(n: u64) -> String {
    let flag = |name: &str| {
        format!(
            "[flags.{name}]\nvariants = {{ \"n{n}\" = 60, \"m{n}\" = 40 }}\nowner = \"me\"\nexpires = 2099-01-01\n\n"
        )
    };
    let filler = format!("# {}\n", "filler ".repeat(usize::try_from(n % 7).unwrap() * 40));
    format!("{}{filler}{}{filler}{}", flag("first"), flag("middle"), flag("last"))
}

/// Something that must not be taken.
fn bad(n: u64) -> Vec<u8> {
    let text = good(n);
    match n % 6 {
        0 => Vec::new(),
        1 => text.as_bytes()[..text.len() / 2 + 3].to_vec(),
        2 => text.replace("= 60", "= 70").into_bytes(),
        3 => [text.as_bytes(), b"\xff\xfe"].concat(),
        4 => text.replace("variants", "varaints").into_bytes(),
        _ => text.replace("[flags.last]", "[flags.last").into_bytes(),
    }
}

/// How a file comes to have another content.
struct Writer {
    flags: PathBuf,
    beside: PathBuf,
}

impl Writer {
    /// As most editors, and we, save.
    fn by_rename(&self, content: &[u8]) {
        fs::write(&self.beside, content).unwrap();
        fs::rename(&self.beside, &self.flags).unwrap();
    }

    /// As the simplest editors save: for a moment it is empty. Never through a link.
    fn in_place(&self, content: &[u8]) {
        if self.flags.is_symlink() {
            fs::remove_file(&self.flags).unwrap();
        }
        fs::write(&self.flags, content).unwrap();
    }

    /// As Kubernetes replaces a ConfigMap: the file is a link through a folder that is a link, which is swapped.
    fn by_symlink(&self, n: u64, content: &[u8]) {
        let folder = self.flags.parent().unwrap();
        let version = folder.join(format!("..version_{n}"));
        fs::create_dir_all(&version).unwrap();
        fs::write(version.join("flags.toml"), content).unwrap();
        let (data, next) = (folder.join("..data"), folder.join("..data_next"));
        let before = fs::read_link(&data).ok();
        std::os::unix::fs::symlink(version.file_name().unwrap(), &next).unwrap();
        fs::rename(&next, &data).unwrap();
        if !self.flags.is_symlink() {
            std::os::unix::fs::symlink("..data/flags.toml", &self.beside).unwrap();
            fs::rename(&self.beside, &self.flags).unwrap();
        }
        if let Some(before) = before.filter(|before| Path::new(before) != version.file_name().unwrap()) {
            fs::remove_dir_all(folder.join(before)).unwrap();
        }
    }

    fn write(&self, n: u64) {
        let content = if n % 3 == 1 { bad(n) } else { good(n).into_bytes() };
        match n / BURST % 3 {
            0 => self.by_rename(&content),
            1 => self.in_place(&content),
            _ => self.by_symlink(n, &content),
        }
    }
}

/// A client that asks without end, and checks every answer.
fn client(program: &Program, visitor: String, stop: &Arc<AtomicBool>, asked: &Arc<AtomicU64>) -> JoinHandle<()> {
    let (address, stop, asked) = (program.address, Arc::clone(stop), Arc::clone(asked));
    thread::spawn(move || {
        let mut raw = Raw::connect(address);
        while !stop.load(SeqCst) {
            raw.send(format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: flagstaff_visitor={visitor}\r\n\r\n"));
            let answer = raw.answer();
            assert_eq!(answer.status, 200, "{}", answer.head);
            assert_is_of_one_writing(&answer.text());
            asked.fetch_add(1, SeqCst);
            thread::sleep(Duration::from_micros(500));
        }
    })
}

/// Every flag, in every header, has the number of the same writing; says which.
#[track_caller]
fn assert_is_of_one_writing(head: &str) -> u64 {
    let one = |name: &str| {
        let mut all = fields(head).filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let value = all.next().unwrap_or_else(|| panic!("no {name}: {head}")).1;
        assert!(all.next().is_none(), "{name} twice: {head}");
        value.to_owned()
    };
    let number = |variant: &str| variant[1..].parse::<u64>().unwrap_or_else(|_| panic!("{variant}: {head}"));
    let first = one("x-flag-first");
    let (middle, last) = (one("x-flag-middle"), one("x-flag-last"));
    let numbers = [&first, &middle, &last].map(|variant| number(variant));
    assert!(numbers.iter().all(|n| *n == numbers[0]), "{head}");
    assert_eq!(one("x-flags"), format!("first={first}, middle={middle}, last={last}"));
    numbers[0]
}

#[test]
fn ten_thousand_writings_fail_no_request_and_mix_no_two() {
    let app = App::start(|exchange| {
        let head = exchange.head.clone();
        exchange.answer(200, "", head)
    });
    let program = Setup::to(&[app.address]).top("workers = 2").key("log", "level = \"off\"").flags(&good(0)).start();
    let writer = Writer { flags: program.path("flags.toml"), beside: program.path("flags.toml.new") };
    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let clients: Vec<_> =
        (0..3).map(|n| client(&program, format!("somebody-who-asks-{n:04}"), &stop, &asked)).collect();
    let mut warm = 0;
    for n in 1..=WRITES {
        writer.write(n);
        if n % BURST == 0 {
            // Long enough for a file at rest to be read: what was written last in this burst is seen, good or bad.
            thread::sleep(Duration::from_millis(130));
        }
        if n == WRITES / 5 {
            warm = program.process.memory();
        }
    }
    let last = WRITES + 1;
    writer.by_rename(good(last).as_bytes());
    let wanted = revision(&good(last));
    eventually("the last good one is in force", || program.health()["flags"]["revision"] == wanted.as_str());
    assert_eq!(assert_is_of_one_writing(&program.get("/").1), last);

    // What comes now is bad: it is told, and changes nothing.
    writer.by_rename(&bad(2));
    eventually("the bad one is told", || program.health()["status"] == "degraded");
    let health = program.health();
    assert_eq!(health["flags"]["revision"], wanted);
    assert!(health["flags"]["problem"].as_str().unwrap().contains("110"), "{health}");
    assert_eq!(assert_is_of_one_writing(&program.get("/").1), last);

    stop.store(true, SeqCst);
    for client in clients {
        client.join().expect("no request failed, none saw two writings");
    }
    let (loaded, rejected) = (reloads(&program, "loaded"), reloads(&program, "rejected"));
    assert!(loaded > 20.0 && rejected > 10.0, "{loaded} loaded, {rejected} rejected");
    assert!(asked.load(SeqCst) > 1000, "{asked:?} requests");
    let now = program.process.memory();
    assert!(now < warm + 16 * 1024, "{warm} KiB when warm, {now} KiB after it all");
}

fn reloads(program: &Program, result: &str) -> f64 {
    program.metric("flagstaff_reloads_total", &format!("result=\"{result}\""))
}

/// Inside a service every writing that is taken counts, with nothing in between to settle.
#[test]
fn ten_thousand_snapshots_in_a_service_mix_no_two() {
    let service = Service::start(&TaggerSettings::default());
    let publish = |bytes: &[u8]| {
        let name = "flags.toml";
        let loaded = parse(Text { name, bytes }, None, &ParseOptions::default());
        loaded.map(|loaded| service.publisher.publish(&loaded.snapshot)).is_ok()
    };
    assert!(publish(good(0).as_bytes()));
    let stop = Arc::new(AtomicBool::new(false));
    let (address, stopped) = (service.address, Arc::clone(&stop));
    let client = thread::spawn(move || {
        let mut raw = Raw::connect(address);
        let mut numbers = BTreeSet::new();
        while !stopped.load(SeqCst) {
            raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            let head = format!("\r\n{}", raw.answer().text().replace('\n', "\r\n"));
            numbers.insert(assert_is_of_one_writing(&head));
        }
        numbers
    });
    for n in 1..=WRITES {
        let taken = if n % 3 == 1 { publish(&bad(n)) } else { publish(good(n).as_bytes()) };
        assert_eq!(taken, n % 3 != 1, "{n}");
    }
    stop.store(true, SeqCst);
    let seen = client.join().expect("no request saw two");
    assert!(seen.len() > 20, "{} of them were seen", seen.len());
}

/// What editors and people do to files, one at a time, each to be followed.
#[test]
fn every_way_to_save_is_followed() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).flags(&good(0)).start();
    let writer = Writer { flags: program.path("flags.toml"), beside: program.path("flags.toml~") };
    let followed = |n: u64| {
        let wanted = revision(&good(n));
        eventually(&format!("writing {n} is in force"), || {
            let health = program.health();
            health["flags"]["revision"] == wanted.as_str() && health["status"] == "ok"
        });
        assert_eq!(assert_is_of_one_writing(&program.get("/").1), n);
    };
    let told = |what: &str| eventually(what, || program.health()["status"] == "degraded");
    let text = |n: u64| good(n).into_bytes();
    followed(0);
    writer.by_rename(&text(1));
    followed(1);
    writer.in_place(&text(2));
    followed(2);
    writer.by_symlink(3, &text(3));
    followed(3);
    writer.by_symlink(4, &text(4));
    followed(4);
    // Vim with `backupcopy=no`: the file is moved away and written anew.
    fs::rename(&writer.flags, &writer.beside).unwrap();
    fs::write(&writer.flags, text(5)).unwrap();
    fs::remove_file(&writer.beside).unwrap();
    followed(5);
    // Gone, and back.
    fs::remove_file(&writer.flags).unwrap();
    told("the missing file is told");
    assert_eq!(assert_is_of_one_writing(&program.get("/").1), 5);
    fs::write(&writer.flags, text(6)).unwrap();
    followed(6);
    // The same once more after something bad: it is well again though nothing is new.
    writer.in_place(&bad(2));
    told("the bad file is told");
    writer.in_place(&text(6));
    followed(6);
    // Written bit by bit.
    let whole = text(7);
    for end in (0..whole.len()).step_by(whole.len() / 10).chain([whole.len()]) {
        fs::write(&writer.flags, &whole[..end]).unwrap();
        thread::sleep(Duration::from_millis(20));
    }
    followed(7);
    // A folder where the file was, and the file again.
    fs::remove_file(&writer.flags).unwrap();
    fs::create_dir(&writer.flags).unwrap();
    told("the folder is told");
    fs::remove_dir(&writer.flags).unwrap();
    fs::write(&writer.flags, text(8)).unwrap();
    followed(8);
    // Far too large.
    writer.by_rename(&[text(9), vec![b'#'; 10 << 20]].concat());
    told("the large file is told");
    assert_eq!(assert_is_of_one_writing(&program.get("/").1), 8);
    writer.by_rename(&text(10));
    followed(10);
}

#[test]
fn an_overlay_comes_changes_and_goes() {
    let app = App::mirror();
    let program = Setup::to(&[app.address])
        .top("environment = \"production\"")
        .flags("[flags.a]\npercent = 100\n\n[flags.b]\nenabled = false\n")
        .start();
    let overlay = program.path("flags.production.toml");
    let told = |wanted: Option<&str>| {
        eventually(&format!("{wanted:?} is told"), || {
            let (_, head) = program.get("/");
            let mut flags = fields(&head).filter(|(name, _)| name.eq_ignore_ascii_case("x-flags"));
            flags.next().map(|(_, value)| value) == wanted
        });
    };
    told(Some("a=on"));
    fs::write(&overlay, "[flags.b]\nenabled = true\n").unwrap();
    told(Some("a=on, b=on"));
    fs::write(&overlay, "[flags.a]\nenabled = false\n").unwrap();
    told(None);
    fs::write(&overlay, "[flags.a]\nenabld = true\n").unwrap();
    eventually("the mistake is told", || program.health()["status"] == "degraded");
    told(None);
    fs::remove_file(&overlay).unwrap();
    told(Some("a=on"));
    eventually("nothing is wrong any more", || program.health()["status"] == "ok");
}
