//! The first day: `flagstaff init` in an app's folder, and then `flagstaff run` and `flagstaff add`, with nothing written by hand.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::harness::app::App;
use crate::harness::command::{Said, flagstaff};
use crate::harness::raw::Raw;
use crate::harness::{eventually, free_address};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn said(folder: &TempDir, line: &str) -> Said {
    flagstaff(folder.path(), line.split(' '), &[("USER", "zoe")])
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// Files by what became of them.
fn files(said: &Said, state: &str) -> Vec<String> {
    let json = said.json();
    let of = json["files"].as_array().unwrap().iter().filter(|file| file["state"] == state);
    of.map(|file| file["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_written_is_accepted_for_every_kind_of_app() {
    for (file, text, upstream, shown) in [
        ("manage.py", "", "127.0.0.1:8000", "Django (manage.py)"),
        ("requirements.txt", "flask\n", "127.0.0.1:5000", "Flask (requirements.txt)"),
        ("requirements.txt", "fastapi\n", "127.0.0.1:8000", "FastAPI"),
        ("package.json", "{\"dependencies\": {\"next\": \"16\"}}", "localhost:3000", "Next.js"),
        ("Gemfile", "gem 'rails'\n", "localhost:3000", "Rails"),
        ("index.php", "", "127.0.0.1:8000", "PHP"),
        ("notes.txt", "", "127.0.0.1:8000", "no file here tells what it is"),
    ] {
        let folder = folder(&[(file, text)]);
        let init = said(&folder, "init");
        assert!(init.code == 0 && init.out.contains(shown) && init.err.is_empty(), "{file}: {init:?}");
        assert!(init.out.contains("Do not commit: /flagstaff.db*, /flagstaff-state/"), "{init:?}");
        assert!(read(&folder, "flagstaff.toml").contains(&format!("upstream = [\"{upstream}\"]")), "{file}");
        let check = said(&folder, "check --strict");
        assert!(check.code == 0 && check.out.contains("1 flag in flags.toml"), "{file}: {check:?}");
        let (listen, admin) = (free_address().to_string(), free_address().to_string());
        let run = flagstaff(folder.path(), ["run", "--dry-run", "--listen", &listen, "--admin", &admin], &[]);
        assert!(run.code == 0 && run.err.is_empty(), "{file}: {run:?}");
        assert_eq!(said(&folder, "hygiene").code, 0);
        let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("flagstaff-state"), mode("flagstaff-state/keys")), (0o700, 0o600));
    }
}

#[test]
fn nothing_that_is_there_is_changed() {
    let folder = folder(&[
        ("manage.py", ""),
        ("requirements.txt", "django-waffle==5\n"),
        (".gitignore", "*.pyc\nflagstaff-state"),
        ("flags.toml", "[flags.mine]\nowner = \"me\"\nexpires = 2099-01-01\n"),
    ]);
    let first = said(&folder, "init --json");
    assert_eq!(files(&first, "written"), ["flagstaff-state/keys", "flagstaff.toml"]);
    assert_eq!(
        (files(&first, "kept"), files(&first, "extended")),
        (vec!["flags.toml".into()], vec![".gitignore".into()])
    );
    assert_eq!(read(&folder, ".gitignore"), "*.pyc\nflagstaff-state\n/flagstaff.db*\n");
    assert!(first.json()["app"]["waffle"] == true && read(&folder, "flagstaff.toml").contains("\nwaffle = true "));
    assert!(said(&folder, "list").out.contains("mine"));

    let before: Vec<_> =
        ["flagstaff.toml", "flags.toml", ".gitignore", "flagstaff-state/keys"].map(|name| read(&folder, name)).into();
    let again = said(&folder, "init");
    assert!(again.code == 0 && again.out.contains("nothing was changed"), "{again:?}");
    let after: Vec<_> =
        ["flagstaff.toml", "flags.toml", ".gitignore", "flagstaff-state/keys"].map(|name| read(&folder, name)).into();
    assert_eq!(before, after);

    let config = self::folder(&[("config/flagstaff.toml", "upstream = \"127.0.0.1:1\"\n")]);
    assert_eq!(files(&said(&config, "init --json"), "kept"), ["config/flagstaff.toml"]);
    assert!(!config.path().join("flagstaff.toml").exists());
    let nowhere = said(&config, "init --dir nowhere");
    assert!(nowhere.code == 2 && nowhere.err.contains("--dir nowhere: there is no such folder"), "{nowhere:?}");
}

/// The program, started in a folder with only its addresses said.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(folder: &Path, environment: &[(&str, String)]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flagstaff"));
    command.arg("run").current_dir(folder).envs(environment.iter().map(|(name, value)| (name, value)));
    Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

#[test]
fn an_app_sees_the_split_after_two_commands() {
    let app = App::mirror();
    let folder = folder(&[("app/manage.py", "")]);
    assert_eq!(said(&folder, "init --dir app").code, 0);
    let inside = folder.path().join("app");
    let add = flagstaff(&inside, ["add", "new_form", "percent=20", "owner=growth"], &[]);
    assert_eq!(add.code, 0, "{add:?}");
    let text = fs::read_to_string(inside.join("flags.toml")).unwrap();
    assert!(text.contains("\n[flags.new_form]\n") && text.ends_with("percent = 20\nowner = \"growth\"\n"), "{text}");

    let (listen, admin) = (free_address(), free_address());
    let said = [("FLAGSTAFF_LISTEN", listen), ("FLAGSTAFF_ADMIN", admin), ("FLAGSTAFF_UPSTREAM", app.address)];
    let _running = run(&inside, &said.map(|(name, address)| (name, address.to_string())));
    let on = || {
        let mut raw = Raw::connect(listen);
        raw.send("GET / HTTP/1.1\r\nHost: test\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
        raw.answer().text().to_ascii_lowercase().contains("x-flag-example: on")
    };
    eventually("it listens", || std::net::TcpStream::connect(listen).is_ok());
    let with = (0..100).filter(|_| on()).count();
    assert!((20..=80).contains(&with), "{with} of 100");
    assert!(inside.join("flagstaff.db").exists(), "the ledger is beside the settings");
}
