//! The first command of the README: the program alone, with the settings of this folder, and no app of one's own.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use flagstaff_flags::Draw;

use crate::flags_spoofing::KEYS;
use crate::harness::browser::Browser;
use crate::harness::command::flagstaff;
use crate::harness::program::Setup;
use crate::harness::{eventually, free_address};

fn shipped(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)).unwrap()
}

#[test]
fn the_demo_differs_by_visitor_and_follows_the_file() {
    let flags = shipped("flags.toml");
    let program = Setup::default().flags(&flags).start();
    let url = format!("http://{}", program.address);
    eventually("it says where it is", || program.process.log().contains(&url));

    let first = Browser::new(program.address).get("/contact");
    assert_eq!(first.status, 200);
    assert!(first.head.contains("flagstaff_visitor="), "{}", first.head);

    let is_short = |browser: &mut Browser| !browser.get("/contact").text().contains("name=\"phone\"");
    let mut browsers: Vec<_> =
        (0..24).map(|n| Browser::of(program.address, &format!("a-guest-of-the-demo{n:03}"))).collect();
    let before: Vec<_> = browsers.iter_mut().map(is_short).collect();
    assert!(before.contains(&true) && before.contains(&false), "{before:?}");
    assert_eq!(browsers.iter_mut().map(is_short).collect::<Vec<_>>(), before);

    let at = flags.find("[flags.show_new_contact_form]").unwrap();
    let (head, rest) = flags.split_at(at);
    program.save_flags(&format!("{head}{}", rest.replacen("percent = 50", "percent = 100", 1)));
    assert!(browsers.iter_mut().all(is_short));
    program.save_flags(&flags);
    assert_eq!(browsers.iter_mut().map(is_short).collect::<Vec<_>>(), before);
}

/// The program without a word on its command line, in a folder with `config/`. Ends when dropped.
struct Bare(Child);

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the program without a word, and waits until it said everything and listens.
fn bare(folder: &Path) -> (Bare, SocketAddr, String) {
    let listen = free_address();
    let mut program = Command::new(env!("CARGO_BIN_EXE_flagstaff"))
        .current_dir(folder)
        .env("FLAGSTAFF_LISTEN", listen.to_string())
        .env("FLAGSTAFF_ADMIN", free_address().to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map(Bare)
        .unwrap();
    let mut said = String::new();
    let mut output = BufReader::new(program.0.stdout.take().unwrap());
    while !said.contains("revision") {
        assert!(output.read_line(&mut said).unwrap() > 0, "{said}");
    }
    assert!(said.contains(&format!("http://{listen}\n")), "{said}");
    eventually("it listens", || TcpStream::connect(listen).is_ok());
    (program, listen, said)
}

#[test]
fn with_nothing_at_all_there_is_an_example() {
    let folder = tempfile::tempdir().unwrap();
    let (_program, listen, said) = bare(folder.path());
    assert!(said.contains("flags.toml, an example to edit"), "{said}");
    assert_eq!(Browser::new(listen).get("/contact").status, 200);
    let edit = flagstaff(folder.path(), ["off", "show_new_contact_form"], &[]);
    assert_eq!(edit.code, 0, "{edit:?}");
    let edited = fs::read_to_string(folder.path().join("flags.toml")).unwrap();
    let (_second, _, said) = bare(folder.path());
    assert!(!said.contains("an example"), "{said}");
    assert_eq!(fs::read_to_string(folder.path().join("flags.toml")).unwrap(), edited, "it is never written over");
}

#[test]
fn the_first_command_needs_no_word() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("config")).unwrap();
    for name in ["flags.toml", "flagstaff.toml"] {
        fs::write(folder.path().join("config").join(name), shipped(name)).unwrap();
    }
    let (_program, listen, _) = bare(folder.path());

    let shows_short = |visitor: &str| !Browser::of(listen, visitor).get("/contact").text().contains("name=\"phone\"");
    let mut ids = (0..).map(|n| format!("guest-without-words{n:03}"));
    let long = ids.find(|id| Draw::of("show_new_contact_form", id).bucket() >= 50).unwrap();
    assert!(!shows_short(&long));
    let edit = flagstaff(folder.path(), ["set", "show_new_contact_form", "percent=100"], &[]);
    assert_eq!(edit.code, 0, "{edit:?}");
    eventually("the next answer is another", || shows_short(&long));
    let edit = flagstaff(folder.path(), ["off", "show_new_contact_form"], &[]);
    assert_eq!(edit.code, 0, "{edit:?}");
    eventually("and another", || !shows_short(&long));
}

#[test]
fn pages_may_read_what_is_for_browsers() {
    let program = Setup::default().flags(&shipped("flags.toml")).start();
    let mut kinds = BTreeMap::new();
    for n in 0..24 {
        let mut browser = Browser::of(program.address, &format!("a-guest-of-the-demo{n:03}"));
        let answer = browser.get("/.flagstaff/flags.json");
        let json: serde_json::Value = serde_json::from_str(&answer.text()).unwrap();
        let flags = json["flags"].as_object().unwrap();
        assert_eq!(flags.keys().collect::<Vec<_>>(), ["pricing_display"], "only with client = true");
        *kinds.entry(flags["pricing_display"]["variant"].to_string()).or_insert(0) += 1;
        let tag = answer.field("etag").unwrap();
        assert_eq!(browser.get_with("/.flagstaff/flags.json", &format!("If-None-Match: {tag}\r\n")).status, 304);
    }
    assert!(kinds.len() > 1, "{kinds:?}");
    assert_eq!(Browser::new(program.address).get("/.flagstaff/nothing").status, 404);
}

#[test]
fn the_shipped_settings_are_fine() {
    let folder = tempfile::tempdir().unwrap();
    let text = shipped("flagstaff.toml");
    fs::write(folder.path().join("flags.toml"), shipped("flags.toml")).unwrap();
    let dry_run = |text: &str| {
        fs::write(folder.path().join("flagstaff.toml"), text).unwrap();
        let keys = [("FLAGSTAFF_KEYS", KEYS)];
        flagstaff(folder.path(), ["run", "--config", "flagstaff.toml", "--dry-run"], &keys)
    };
    let said = dry_run(&text);
    assert_eq!(said.code, 0, "{said:?}");
    // What stands behind a `#` can be written as it stands, but for files that are not here, and a replica of a ledger that is a file.
    let written: Vec<_> = text.lines().filter_map(written).collect();
    assert!(written.len() > 50, "{written:?}");
    let said = dry_run(&written.join("\n"));
    assert_eq!(said.code, 0, "{said:?}\n{}", written.join("\n"));
}

/// The key or table on a line of the settings, without its mark.
fn written(line: &str) -> Option<&str> {
    let bare = line.trim_start_matches("# ");
    let is_word = |key: &str| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let is_key = bare.split_once(" = ").is_some_and(|(key, _)| is_word(key));
    let is_table = bare.starts_with('[') && bare != "[tls]" && !bare.starts_with("[tls] ");
    let needs_more = [".pem", "/run/", "keys_file", "token_file", "tokens_file", "ledger_read"];
    ((is_key || is_table) && !needs_more.iter().any(|word| bare.contains(word))).then_some(bare)
}
