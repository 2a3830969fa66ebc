//! Settings that cannot be meant, and what is said about them.

use std::fs;

use tempfile::TempDir;

use crate::harness::app::App;
use crate::harness::command::{Said, flagstaff};
use crate::harness::program::Setup;
use crate::harness::tls::Pair;
use crate::harness::{WAIT_LIMIT, free_address};

fn folder(settings: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flags.toml"), "# no flags\n").unwrap();
    fs::write(folder.path().join("flagstaff.toml"), settings).unwrap();
    folder
}

fn dry_run(folder: &TempDir, environment: &[(&str, &str)]) -> Said {
    let line = ["run", "--dry-run", "--config", "flagstaff.toml"];
    flagstaff(folder.path(), line, environment)
}

// ── certificates ─────────────────────────────────────────────────────────────────────────────────────────────────

const TLS: &str = "listen = \"https://127.0.0.1:8443\"\nupstream = \"127.0.0.1:8000\"\nupstream_ca = \"ca.pem\"\n\n\
                   [tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n";

#[test]
fn files_of_certificates_are_read_before_anything_runs() {
    let (folder, pair, other) = (folder(TLS), Pair::new(), Pair::new());
    let wrong = |wanted: &[(&str, &str)]| {
        let said = dry_run(&folder, &[]);
        assert_eq!(said.code, 2, "{said:?}");
        for (place, message) in wanted {
            assert!(said.err.contains(place), "{place}: {}", said.err);
            assert!(said.err.contains(&format!("error: {message}")), "{message}: {}", said.err);
        }
        assert_eq!(said.err.matches("error: ").count(), wanted.len(), "{}", said.err);
    };
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    wrong(&[
        ("flagstaff.toml:3:15", "cannot read ca.pem: No such file or directory (os error 2)\n"),
        ("flagstaff.toml:6:15", "cannot read cert.pem: No such file"),
        ("flagstaff.toml:7:7", "cannot read key.pem: No such file"),
    ]);
    write("ca.pem", "nothing\n");
    write("cert.pem", &pair.key);
    write("key.pem", &pair.certificate);
    wrong(&[
        ("flagstaff.toml:3:15", "ca.pem: holds no certificate in PEM form"),
        ("flagstaff.toml:6:15", "cert.pem: holds no certificate in PEM form"),
        ("flagstaff.toml:7:7", "key.pem: holds no private key in PEM form"),
    ]);
    write("ca.pem", &pair.certificate);
    write("cert.pem", &pair.certificate);
    write("key.pem", &other.key);
    wrong(&[("flagstaff.toml:7:7", "key.pem: does not fit the certificate in cert.pem")]);
    write("key.pem", &pair.key);
    assert_eq!(dry_run(&folder, &[]).code, 0);

    let over = dry_run(&folder, &[("FLAGSTAFF_UPSTREAM_CA", "none.pem")]);
    assert_eq!(over.code, 2);
    assert!(over.err.starts_with("error: FLAGSTAFF_UPSTREAM_CA: cannot read none.pem"), "{}", over.err);
}

#[test]
fn an_address_in_use_is_told_once() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let settings = format!("listen = \"{address}\"\nadmin = \"{}\"\nledger = \"none\"\n", free_address());
    let folder = folder(&settings);
    let said = flagstaff(folder.path(), ["run", "--config", "flagstaff.toml"], &[]);
    assert_eq!(said.code, 2);
    let last = said.err.lines().rfind(|line| line.starts_with("error: ")).unwrap();
    assert!(last.starts_with(&format!("error: cannot listen on {address}: ")), "{last}");
    assert_eq!(last.matches("os error").count(), 1, "{last}");
}

// ── variables ────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn misspelt_variables_are_told() {
    let folder = folder("upstream = \"127.0.0.1:8000\"\n");
    let said = dry_run(
        &folder,
        &[
            ("FLAGSTAFF_LISTN", "127.0.0.1:1"),
            ("FLAGSTAFF_ZEBRA", "1"),
            ("FLAGSTAFF_FLAG_NEW", "on"),
            ("FLAGSTAFF_PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("FLAGSTAFF_SERVICE_HOST", "10.0.0.1"),
        ],
    );
    assert_eq!(said.code, 0, "{said:?}");
    let warnings: Vec<_> = said.err.lines().filter(|line| line.contains("means nothing")).collect();
    let [first, second] = warnings[..] else { panic!("{}", said.err) };
    assert!(first.contains("FLAGSTAFF_LISTN means nothing here; did you mean FLAGSTAFF_LISTEN?"), "{first}");
    assert!(second.contains("FLAGSTAFF_ZEBRA means nothing here"), "{second}");
    assert_eq!(dry_run(&folder, &[]).err, "");
}

#[test]
fn a_variable_of_nothing_leaves_the_file_of_keys() {
    let folder = folder("keys_file = \"keys\"\n");
    let dry_run = || dry_run(&folder, &[("FLAGSTAFF_KEYS", "")]);
    let said = dry_run();
    assert!(said.code == 2 && said.err.contains("keys_file"), "the file is read: {said:?}");
    fs::write(folder.path().join("keys"), "short\n").unwrap();
    let said = dry_run();
    assert!(said.code == 2 && said.err.contains("keys_file"), "the file is judged: {said:?}");
    fs::write(folder.path().join("keys"), "a-key-of-more-than-thirty-two-bytes-for-tests\n").unwrap();
    assert_eq!(dry_run().code, 0);
}

#[test]
fn a_level_that_is_none_is_refused() {
    let said = dry_run(&folder("[log]\nlevel = \"loud\"\n"), &[]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("flagstaff.toml:2:9") && said.err.contains("loud"), "{said:?}");
}

#[test]
fn a_replica_follows_a_ledger_in_postgresql() {
    let postgres = "ledger = \"postgres://host/a\"\n";
    for (lines, wanted) in [
        ("ledger_read = \"postgres://replica/a\"\n".to_owned(), "only a ledger in PostgreSQL has a replica"),
        (format!("{postgres}ledger_read = \"copy.db\"\n"), "a file is no replica"),
        (format!("{postgres}ledger_read = \"mysql://replica/a\"\n"), "nothing else"),
        (format!("{postgres}ledger_connections = 1\n"), "this can be from 2 to 100"),
    ] {
        let said = dry_run(&folder(&lines), &[]);
        assert!(said.code == 2 && said.err.contains(wanted) && said.err.contains("flagstaff.toml:"), "{said:?}");
    }
    let fine = folder(&format!("{postgres}ledger_read = \"postgres://replica/a\"\nledger_connections = 2\n"));
    assert_eq!(dry_run(&fine, &[]).code, 0);
    let said = dry_run(&folder(postgres), &[("FLAGSTAFF_LEDGER_READ", "copy.db")]);
    assert!(said.code == 2 && said.err.contains("FLAGSTAFF_LEDGER_READ"), "{said:?}");
}

#[test]
fn check_does_not_wait_for_a_pipe() {
    let folder = folder("");
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status();
    assert!(made.unwrap().success());
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_flagstaff"));
    let mut program = program.current_dir(folder.path()).args(["check", "pipe"]).spawn().unwrap();
    let start = std::time::Instant::now();
    let status = loop {
        if let Some(status) = program.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > WAIT_LIMIT {
            program.kill().unwrap();
            panic!("it waits for the pipe");
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    assert_eq!(status.code(), Some(2));
}

// ── durations ────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn durations_need_a_number_and_a_unit() {
    let folder = folder("ledger_keep = 4\n[timeouts]\nconnect = \"5 parsecs\"\nidle = true\n");
    let said = dry_run(&folder, &[]);
    assert_eq!(said.code, 2, "{said:?}");
    for wanted in [
        "error: 4 has no unit",
        "flagstaff.toml:1:15",
        "`5 parsecs` is not a duration",
        "idle must be a duration",
        "such as \"500ms\"",
    ] {
        assert!(said.err.contains(wanted), "{wanted}: {}", said.err);
    }
    fs::write(folder.path().join("flagstaff.toml"), "").unwrap();
    for (name, value, code) in [
        ("FLAGSTAFF_LEDGER_KEEP", "400d", 0),
        ("FLAGSTAFF_LEDGER_KEEP", "400", 2),
        ("FLAGSTAFF_TIMEOUTS_HEAD", "1m 30s", 0),
        ("FLAGSTAFF_TIMEOUTS_HEAD", "soon", 2),
    ] {
        let said = dry_run(&folder, &[(name, value)]);
        assert_eq!(said.code, code, "{name}={value}: {said:?}");
        assert_eq!(said.err.contains("not a duration"), code == 2, "{said:?}");
    }
}

#[test]
fn operators_need_an_address_of_their_own() {
    for (listen, admin, code) in [
        ("127.0.0.1:8080", "127.0.0.1:8080", 2),
        ("https://127.0.0.1:8080", "127.0.0.1:8080", 2),
        ("0.0.0.0:8080", "127.0.0.1:8080", 2),
        ("127.0.0.2:8080", "127.0.0.1:8080", 0),
        ("[::1]:8080", "127.0.0.1:8080", 0),
        ("127.0.0.1:0", "127.0.0.1:0", 0),
    ] {
        let pair = Pair::new();
        let tls =
            if listen.contains("https") { "[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n" } else { "" };
        let folder =
            folder(&format!("upstream = \"127.0.0.1:8000\"\nlisten = \"{listen}\"\nadmin = \"{admin}\"\n{tls}"));
        fs::write(folder.path().join("cert.pem"), &pair.certificate).unwrap();
        fs::write(folder.path().join("key.pem"), &pair.key).unwrap();
        let said = dry_run(&folder, &[]);
        assert_eq!((said.code, said.err.contains("is taken by `listen`")), (code, code == 2), "{listen}: {said:?}");
        assert!(code == 0 || said.err.contains("flagstaff.toml:3:9"), "{said:?}");
    }
}

#[test]
fn a_person_is_named_in_a_header_of_its_own() {
    for key in ["user.header", "user.groups", "trust.country_header"] {
        for header in
            ["Host", "cookie", "Content-Length", "Transfer-Encoding", "connection", "X-Forwarded-For", "X-Flag-A"]
        {
            let beside = if key == "user.groups" { "user.header = \"X-User\"\n" } else { "" };
            let folder = folder(&format!("upstream = \"127.0.0.1:8000\"\n{key} = \"{header}\"\n{beside}"));
            let said = dry_run(&folder, &[]);
            let wanted = format!("`{header}` is not a valid header for this");
            assert!(
                said.code == 2 && said.err.contains(&wanted) && said.err.contains("flagstaff.toml:2:"),
                "{said:?}"
            );
        }
    }
}

#[test]
fn trust_in_everybody_is_reported() {
    let app = App::says("ok");
    for (range, is_told) in [("::/0", true), ("127.0.0.0/8", false)] {
        let program = Setup::to(&[app.address]).key("trust", &format!("addresses = [\"{range}\"]")).start();
        assert_eq!(program.get("/").0, 200);
        assert_eq!(program.process.log().contains("trust.addresses has ::/0: every client"), is_told, "{range}");
    }
}

/// A program without OpenTelemetry says so, and does not run as if it sent spans.
#[cfg(not(feature = "otel"))]
#[test]
fn spans_need_a_program_that_is_built_with_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flags.toml"), "[flags.a]\nowner = \"me\"\nexpires = 2030-01-01\n").unwrap();
    let settings = "flags = \"flags.toml\"\n[telemetry]\nendpoint = \"http://127.0.0.1:4318\"\n";
    fs::write(folder.path().join("flagstaff.toml"), settings).unwrap();
    let run = flagstaff(folder.path(), ["run", "--dry-run", "--config", "flagstaff.toml"], &[]);
    let words = "built without OpenTelemetry";
    assert!(run.code == 2 && run.err.contains(words) && run.err.contains("flagstaff.toml:3:12"), "{run:?}");
    assert!(run.err.contains("--features otel"), "{run:?}");
    let check = flagstaff(folder.path(), ["check", "--config", "flagstaff.toml"], &[]);
    assert!(check.code == 0 && check.err.contains(words), "the flags are fine all the same: {check:?}");
}
