//! `flagstaff import waffle` and `flagstaff check --waffle`, beside the real django-waffle.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::app::App;
use crate::harness::browser::Browser;
use crate::harness::command::{Said, flagstaff};
use crate::harness::program::{Program, Setup};
use crate::harness::python::python;

/// A project's database, the dump of it, and what the real waffle decides.
struct World {
    folder: TempDir,
    decided: Value,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = python();
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/apps/waffle_world.py"));
        command.arg(folder.path().join("waffle.json")).env("SHOP_DATABASE", folder.path().join("db.sqlite3"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let decided = serde_json::from_slice(&output.stdout).unwrap();
        Self { folder, decided }
    }

    #[track_caller]
    fn says(&self, words: &[&str]) -> Said {
        flagstaff(self.folder.path(), words, &[])
    }

    /// The flag file of the dump, which has no mistakes.
    #[track_caller]
    fn imported(&self) -> String {
        let said = self.says(&["import", "waffle", "waffle.json"]);
        assert_eq!(said.code, 0, "{said:?}");
        fs::write(self.folder.path().join("flags.toml"), &said.out).unwrap();
        let checked = self.says(&["check", "flags.toml"]);
        assert_eq!(checked.code, 0, "{checked:?}\n{}", said.out);
        said.out
    }

    /// The flag file's name for what waffle calls so.
    fn names(&self) -> Vec<(String, String)> {
        let report = self.says(&["import", "waffle", "waffle.json", "--json"]);
        let report: Value = serde_json::from_str(&report.err).unwrap_or_else(|e| panic!("{e}: {report:?}"));
        let flags = report["flags"].as_array().unwrap().iter();
        flags.map(|flag| (flag["origin"].as_str().unwrap().into(), flag["name"].as_str().unwrap().into())).collect()
    }
}

/// The proxy before an app that answers with what it got, which trusts what the test says of the user.
fn in_front_of(app: &App, flags: &str) -> Program {
    Setup::to(&[app.address])
        .key("headers", "off = true")
        .key("user", "header = \"X-User-Id\"")
        .key("trust", "addresses = [\"127.0.0.1\"]")
        .env("FLAGSTAFF_KEYS", "a key of the tests that is long enough to sign")
        .flags(flags)
        .start()
}

/// What the app got for one visitor.
fn flags_of(program: &Program, asked: &Value, names: &[(String, String)]) -> String {
    let list = |key: &str| {
        let all: Vec<_> = asked[key].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        all.join(", ")
    };
    let mut lines = String::new();
    if let Some(user) = asked["user"].as_str() {
        let _ = write!(
            lines,
            "X-User-Id: {user}\r\nX-User-Groups: {}\r\nX-User-Roles: {}\r\n",
            list("groups"),
            list("roles")
        );
    }
    if let Some(language) = asked["language"].as_str().filter(|text| !text.is_empty()) {
        let _ = write!(lines, "Accept-Language: {language}\r\n");
    }
    let cookie = asked["cookie"].as_str().unwrap();
    let browser = names.iter().fold(Browser::new(program.address), |browser, (waffle, _)| {
        browser.with_cookie(&format!("dwf_{waffle}"), cookie)
    });
    let mut browser = browser;
    let got = browser.get_with("/", &lines).text();
    let line = got
        .lines()
        .find_map(|line| line.to_ascii_lowercase().starts_with("x-flags:").then(|| line[8..].trim().to_owned()));
    line.unwrap_or_else(|| panic!("{got}"))
}

#[test]
fn everybody_gets_what_the_real_waffle_gives_them() {
    let world = World::new();
    let (flags, names) = (world.imported(), world.names());
    assert_eq!(names.len(), 20, "{names:?}");
    let app = App::mirror();
    let program = in_front_of(&app, &flags);
    for asked in world.decided["asked"].as_array().unwrap() {
        let got = flags_of(&program, asked, &names);
        for (waffle, active) in asked["decided"].as_object().unwrap() {
            let name = &names.iter().find(|(origin, _)| origin == waffle).unwrap().1;
            let wanted = format!("{name}={}", if active.as_bool().unwrap() { "on" } else { "off" });
            assert!(got.split(", ").any(|one| one == wanted), "{wanted}: {got}\n{asked}\n{flags}");
        }
        for (waffle, active) in
            ["switches", "samples"].iter().flat_map(|kind| world.decided[kind].as_object().unwrap())
        {
            let name = &names.iter().find(|(origin, _)| origin == waffle).unwrap().1;
            let wanted = format!("{name}={}", if active.as_bool().unwrap() { "on" } else { "off" });
            assert!(got.split(", ").any(|one| one == wanted), "{wanted}: {got}\n{flags}");
        }
    }
}

#[test]
fn the_database_says_what_its_dump_says() {
    let world = World::new();
    let flags = world.imported();
    for source in ["db.sqlite3", "sqlite:///db.sqlite3"] {
        let said = world.says(&["import", "waffle", source]);
        assert_eq!((said.code, &*said.out), (0, &*flags), "{source}: {}", said.err);
    }
    let said = world.says(&["import", "waffle", "mysql://me:secret@host/db"]);
    assert!(said.code == 2 && said.err.contains("dumpdata") && !said.err.contains("secret"), "{said:?}");
    fs::write(
        world.folder.path().join("empty.sqlite3"),
        fs::read(world.folder.path().join("db.sqlite3")).unwrap().get(..0).unwrap(),
    )
    .unwrap();
    let said = world.says(&["import", "waffle", "sqlite:///empty.sqlite3"]);
    assert!(said.code == 2 && said.err.contains("waffle_flag"), "{said:?}");
    let said = world.says(&["import", "waffle", "sqlite:///none.sqlite3"]);
    assert!(said.code == 2 && said.err.contains("there is no file none.sqlite3"), "{said:?}");
    assert!(!Path::new(&world.folder.path().join("none.sqlite3")).exists());
}

#[test]
fn what_waffle_decides_itself_is_listed_with_its_mend() {
    let world = World::new();
    let flags = "[flags.everyone_yes]\n[flags.as_made]\n[flags.staff_only]\nallow = { roles = [\"staff\"] }\n[flags.half]\npercent = 50\n\
                 [flags.one_group]\n[flags.tested]\n[flags.odd]\nwaffle_name = \"my.Flag-2\"\n[flags.not_there]\n[flags.switched_on]\n";
    fs::write(world.folder.path().join("flags.toml"), flags).unwrap();
    for source in ["waffle.json", "db.sqlite3", "sqlite:///db.sqlite3"] {
        let said = world.says(&["check", "--waffle", source, "--json"]);
        assert_eq!(said.code, 1, "{said:?}");
        let waffle = &said.json()["waffle"];
        let found: Vec<_> = waffle["findings"].as_array().unwrap().iter().collect();
        let told: Vec<_> =
            found.iter().map(|one| (one["flag"].as_str().unwrap(), one["kind"].as_str().unwrap())).collect();
        let wanted = [
            ("everyone_yes", "everyone"),
            ("as_made", "superusers"),
            ("as_made", "percent"),
            ("staff_only", "percent"),
            ("one_group", "groups"),
            ("one_group", "percent"),
            ("tested", "testing"),
            ("tested", "percent"),
            ("not_there", "missing"),
            ("switched_on", "missing"),
        ];
        assert_eq!(told, wanted, "{source}");
        assert_eq!(
            found[1]["mend"].as_str().unwrap().split(';').next(),
            Some("python manage.py waffle_flag as_made --percent 1")
        );
        assert_eq!(waffle["switches"], 2);
    }
    let said = world.says(&["check", "--waffle", "waffle.json"]);
    assert!(said.code == 1 && said.out.contains("waffle_flag everyone_yes --percent 1"), "{said:?}");
    fs::write(world.folder.path().join("flags.toml"), "[flags.half]\npercent = 50\n").unwrap();
    let said = world.says(&["check", "--waffle", "db.sqlite3"]);
    assert!(said.code == 0 && said.out.contains("half"), "{said:?}");
    let said = world.says(&["check", "--waffle", "none.json"]);
    assert_eq!(said.code, 2, "{said:?}");
}

/// The mends are commands; they must mend.
#[test]
fn the_commands_mend_what_they_say() {
    let world = World::new();
    fs::write(
        world.folder.path().join("flags.toml"),
        "[flags.as_made]\n[flags.tested]\n[flags.everyone_no]\n[flags.brand_new]\n",
    )
    .unwrap();
    let found = world.says(&["check", "--waffle", "db.sqlite3", "--json"]).json();
    let mut mends: Vec<_> =
        found["waffle"]["findings"].as_array().unwrap().iter().map(|one| one["mend"].as_str().unwrap()).collect();
    mends.dedup();
    for mend in mends {
        let line = mend.split(';').next().unwrap().trim();
        let words: Vec<_> = line.strip_prefix("python manage.py ").unwrap().split(' ').collect();
        let mut command = python();
        command.args(["-m", "django"]).args(words).env("DJANGO_SETTINGS_MODULE", "shop.settings");
        let output = command.env("SHOP_DATABASE", world.folder.path().join("db.sqlite3")).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let said = world.says(&["check", "--waffle", "db.sqlite3", "--json"]).json();
    // waffle's command leaves languages as they are: `everyone` had hidden them
    let left: Vec<_> =
        said["waffle"]["findings"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(left, ["languages"], "{said}");
}
