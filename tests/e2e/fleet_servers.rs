//! Redis as it stands where many work: with TLS, with users, as a cluster, with sentinels; and Valkey.

use std::fs;
use std::path::Path;

use crate::fleet_redis::{FLAGS, asked, is_on};
use crate::harness::app::App;
use crate::harness::command::{Said, flagstaff};
use crate::harness::program::{Program, Setup};
use crate::harness::redis::Redis;
use crate::harness::tls::Authority;
use crate::harness::{WAIT_LIMIT, eventually, free_address, within};

const DOCS: &str = include_str!("../../docs/fleet.md");

/// A program that hears of changes, and does not look for them by itself.
fn hearing(app: &App, url: &str) -> Setup {
    Setup::to(&[app.address]).top(&format!("flags = \"{url}\"")).top("flags_poll = \"1h\"").top("ledger = \"none\"")
}

/// An edit is made, and the program hears of it.
#[track_caller]
fn edited(program: &Program, line: &str, holds: impl Fn(&Program) -> bool) {
    let set = asked(program, line);
    assert_eq!(set.code, 0, "{line}: {set:?}");
    eventually(line, || holds(program));
}

#[test]
fn valkey_works_the_same() {
    let Some(valkey) = Redis::of("valkey", &[]) else { return };
    valkey.put(None, FLAGS);
    let app = App::mirror();
    let program = hearing(&app, &valkey.url().replace("redis://", "valkey://")).start();
    edited(&program, "set b percent=100", |program| is_on(program, "b"));
}

/// What is said about a server by a command that trusts this authority.
#[track_caller]
fn checked(url: &str, authority: &Path) -> Said {
    let trusted = [("SSL_CERT_FILE", authority.to_str().unwrap())];
    flagstaff(Path::new("/"), ["check", "--flags", url], &trusted)
}

#[test]
fn tls_trusts_the_authority_that_is_named_and_no_other() {
    let (authority, other) = (Authority::new("ours"), Authority::new("theirs"));
    let pair = authority.pair(&["localhost"]);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name).to_str().unwrap().to_owned()
    };
    let (certificate, key) = (file("server.pem", &pair.certificate), file("server.key", &pair.key));
    let (trusted, untrusted) = (file("ca.pem", &authority.certificate), file("other.pem", &other.certificate));
    let port = free_address().port().to_string();
    let files = ["--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-ca-cert-file", &trusted];
    let arguments = [&["--tls-port", &port, "--tls-auth-clients", "no"], &files[..]].concat();
    let Some(redis) = Redis::of("redis", &arguments) else { return };
    redis.put(None, FLAGS);
    let url = format!("rediss://localhost:{port}/0");
    let app = App::mirror();
    let program = hearing(&app, &url).env("SSL_CERT_FILE", &trusted).start();
    let words = ["set", "b", "percent=100", "--config", "flagstaff.toml"];
    let set = flagstaff(program.folder.path(), words, &[("SSL_CERT_FILE", &trusted)]);
    assert_eq!(set.code, 0, "{set:?}");
    eventually("it is in force", || is_on(&program, "b"));
    redis.put(None, "[flags.c]\npercent = 100\n");
    eventually("it hears of it", || is_on(&program, "c"));

    let missing = folder.path().join("missing.pem");
    for (url, authority, why) in [
        (url.clone(), Path::new(&untrusted), "SSL_CERT_FILE"),
        (url.replace("localhost", "127.0.0.1"), Path::new(&trusted), "localhost"),
        (url.clone(), &missing, "missing.pem"),
        (url.replace("rediss", "redis"), Path::new(&trusted), "rediss://"),
        (redis.url().replace("redis", "rediss"), Path::new(&trusted), "does it speak TLS"),
    ] {
        let said = checked(&url, authority);
        assert!(said.code == 2 && said.err.contains(why), "{url}: {said:?}");
    }
    let fine = checked(&url, Path::new(&trusted));
    assert_ne!(fine.code, 2, "{fine:?}");
}

/// A user with the rights that the documentation names under this word, but one.
#[track_caller]
fn make_user(redis: &Redis, name: &str, but: Option<&str>) {
    let line = DOCS.lines().find(|line| line.trim().starts_with(&format!("ACL SETUSER {name} "))).unwrap();
    let line = line.trim().replace("PASSWORD", "s3cret");
    let words: Vec<_> = line.split(' ').filter(|word| Some(*word) != but).collect();
    assert_eq!(but.is_none(), words.len() == line.split(' ').count(), "{but:?} is one of them");
    redis.ask(&["ACL", "DELUSER", name]);
    assert_eq!(redis.ask(&words).as_deref(), Some("OK"), "{line}");
}

/// The address for a user.
fn url_for(redis: &Redis, name: &str) -> String {
    redis.url().replace("redis://", &format!("redis://{name}:s3cret@"))
}

#[test]
fn who_serves_needs_only_the_rights_that_are_documented() {
    let Some(redis) = Redis::start() else { return };
    redis.put(None, FLAGS);
    redis.put(Some("production"), "[flags.a]\npercent = 100\n");
    make_user(&redis, "serves", None);
    let app = App::mirror();
    let url = url_for(&redis, "serves");
    let program = hearing(&app, &url).top("environment = \"production\"").start();
    assert!(is_on(&program, "a"), "the overlay counts");
    redis.put(Some("production"), "[flags.b]\npercent = 100\n");
    eventually("it hears of it", || is_on(&program, "b"));
    let set = asked(&program, "set a percent=50");
    assert!(set.code == 2 && set.err.contains("`eval`") && !set.err.contains("s3cret"), "{set:?}");
    assert!(set.err.contains("ACL SETUSER USER"), "{set:?}");
    assert_eq!(redis.document(None).as_deref(), Some(FLAGS));
    let denied = redis.ask(&["ACL", "LOG"]);
    assert!(denied.is_some(), "the command that was refused");

    let check = |url: &str| flagstaff(Path::new("/"), ["check", "--flags", url], &[]);
    let other = url.replace("/0", "/1");
    for (right, url) in [("+strlen", &url), ("+mget", &url), ("+select", &other)] {
        make_user(&redis, "serves", Some(right));
        let said = check(url);
        let named = format!("`{}`", &right[1..]);
        assert!(said.code == 2 && said.err.contains(&named) && said.err.contains("ACL SETUSER"), "{right}: {said:?}");
    }
    make_user(&redis, "serves", Some("+subscribe"));
    let deaf = hearing(&app, &url).start();
    eventually("it is said that nothing is heard", || deaf.process.log().contains("`subscribe`"));
}

#[test]
fn who_edits_needs_only_the_rights_that_are_documented() {
    let Some(redis) = Redis::start() else { return };
    redis.put(None, FLAGS);
    make_user(&redis, "edits", None);
    let app = App::mirror();
    let setup = hearing(&app, &url_for(&redis, "edits")).file("new.toml", FLAGS);
    let program = setup.file("new.test.toml", "[flags.b]\npercent = 5\n").start();
    edited(&program, "set b percent=100", |program| is_on(program, "b"));
    for line in [
        "off b",
        "on b --everyone",
        "add c",
        "set c percent=100",
        "push new.toml --yes",
        "add c",
        "end c --winner off --force",
        "delete a --yes",
    ] {
        let said = asked(&program, line);
        assert_eq!(said.code, 0, "{line}: {said:?}");
    }
    assert!(redis.document(Some("archive")).is_some_and(|text| text.contains("flags.c")));
    let denied = redis.ask(&["ACL", "LOG"]);
    assert_eq!(denied, None, "nothing more was tried");
    for (right, line) in [
        ("+eval", "set b percent=1"),
        ("+set", "set b percent=2"),
        ("+get", "set b percent=3"),
        ("+publish", "set b percent=4"),
        ("+sadd", "push new.toml --environment test --yes"),
    ] {
        let before = (redis.document(None), redis.document(Some("test")));
        make_user(&redis, "edits", Some(right));
        redis.ask(&["DEL", "flagstaff:flags:edit"]);
        let said = asked(&program, line);
        let named = format!("`{}`", &right[1..]);
        assert!(said.code == 2 && said.err.contains(&named) && said.err.contains("ACL SETUSER"), "{right}: {said:?}");
        assert_eq!((redis.document(None), redis.document(Some("test"))), before, "{right}: nothing was done by half");
    }
    make_user(&redis, "edits", Some("+srandmember"));
    let off = asked(&program, "off b");
    assert!(off.code == 1 && format!("{off:?}").contains("`srandmember`"), "it may be on in an environment: {off:?}");
}

/// The servers as an address names them.
fn names(all: &[&Redis]) -> String {
    all.iter().map(|redis| redis.address.to_string()).collect::<Vec<_>>().join(",")
}

#[test]
fn a_cluster_sends_on_what_another_server_has() {
    let Some(mut cluster) = Redis::cluster() else { return };
    let key = "{flagstaff}:flags";
    let slot: usize = cluster[0].ask(&["CLUSTER", "KEYSLOT", key]).unwrap().parse().unwrap();
    let owner = if slot <= 5460 {
        0
    } else if slot <= 10922 {
        1
    } else {
        2
    };
    let others = [(owner + 1) % 3, (owner + 2) % 3];
    let place = |redis: [&Redis; 3], key: &str| format!("redis://{}/0?key={key}", names(&redis));
    let url = place([&cluster[others[0]], &cluster[others[1]], &cluster[owner]], "%7Bflagstaff%7D:flags");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flags.toml"), FLAGS).unwrap();
    fs::write(folder.path().join("flags.production.toml"), "[flags.a]\npercent = 100\n").unwrap();
    let words = ["push", "flags.toml", "--environment", "production", "--ledger", "none", "--flags", &url];
    let pushed = flagstaff(folder.path(), words, &[]);
    assert_eq!(pushed.code, 0, "{pushed:?}");
    assert_eq!(cluster[owner].ask(&["GET", key]).as_deref(), Some(FLAGS));
    let app = App::mirror();
    let apart = place([&cluster[owner], &cluster[others[1]], &cluster[others[0]]], "flagstaff:flags");
    let words = ["check", "--environment", "production", "--flags", &apart];
    let said = flagstaff(folder.path(), words, &[]);
    assert!(said.code == 2 && said.err.contains("?key={flagstaff}:flags"), "{said:?}");

    let program = hearing(&app, &url).top("environment = \"production\"").start();
    edited(&program, "set b percent=100", |program| is_on(program, "b"));
    assert!(is_on(&program, "a"), "by the overlay");
    edited(&program, "set a percent=0", |program| !is_on(program, "a"));
    let overlay = cluster[owner].ask(&["GET", "{flagstaff}:flags:production"]);
    assert_eq!(overlay.as_deref(), Some("[flags.a]\npercent = 0\n"), "beside it");

    cluster[others[0]].down();
    edited(&program, "set b percent=0", |program| !is_on(program, "b"));
    cluster[owner].down();
    let refused = asked(&program, "set b percent=100");
    assert!(refused.code == 2 && refused.err.contains("Redis cannot be asked"), "{refused:?}");
    cluster[owner].up();
    within(3 * WAIT_LIMIT, "it can be edited again", || asked(&program, "set b percent=100").code == 0);
    within(3 * WAIT_LIMIT, "it is in force", || is_on(&program, "b"));
}

#[test]
fn sentinels_and_their_server_want_passwords_of_their_own() {
    let Some(redis) = Redis::of("redis", &["--requirepass", "s3cret"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flags.toml"), FLAGS).unwrap();
    let own = ["sentinel auth-pass main s3cret", "requirepass sent1nel"];
    let sentinel = Redis::sentinel_of(&redis, 1, &own).unwrap();
    let push = |login: &str, query: &str| {
        let url = format!("redis+sentinel://{login}{}/main/0{query}", sentinel.address);
        let said = flagstaff(folder.path(), ["push", "flags.toml", "--ledger", "none", "--flags", &url], &[]);
        assert!(!format!("{said:?}").contains("s3cret") && !format!("{said:?}").contains("sent1nel"), "{said:?}");
        said
    };
    for (login, query) in
        [(":s3cret@", ""), (":s3cret@", "?sentinel_password=wr0ng"), ("", "?sentinel_password=sent1nel")]
    {
        let refused = push(login, query);
        assert!(refused.code == 2 && refused.err.contains("password"), "{login} {query}: {refused:?}");
    }
    assert_eq!(push(":s3cret@", "?sentinel_password=sent1nel").code, 0);
}

/// A server, another one that copies it, and three sentinels that know both.
struct Watched {
    first: Redis,
    second: Redis,
    sentinels: Vec<Redis>,
    url: String,
}

impl Watched {
    fn start(flags: &str) -> Option<Self> {
        let first = Redis::start()?;
        let second = Redis::of("redis", &["--replicaof", "127.0.0.1", &first.address.port().to_string()])?;
        first.put(None, flags);
        within(3 * WAIT_LIMIT, "it follows", || second.document(None).as_deref() == Some(flags));
        let sentinels: Vec<_> = (0..3).map(|_| Redis::sentinel_of(&first, 2, &[]).unwrap()).collect();
        within(3 * WAIT_LIMIT, "the sentinels know each other, and the one that follows", || {
            sentinels.iter().all(|sentinel| {
                let can = sentinel.ask(&["SENTINEL", "CKQUORUM", "main"]).unwrap_or_default();
                can.starts_with("OK 3 usable") && sentinel.ask(&["SENTINEL", "REPLICAS", "main"]).is_some()
            })
        });
        let url = format!("redis+sentinel://{}/main/0", names(&sentinels.iter().collect::<Vec<_>>()));
        Some(Self { first, second, sentinels, url })
    }

    /// Whether all sentinels name this server.
    fn is_named(&self, port: &str) -> bool {
        let named = |one: &Redis| one.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"]);
        self.sentinels.iter().all(|one| named(one).as_deref() == Some(port))
    }
}

#[test]
#[ignore = "servers take over from each other, for half a minute: tests/long"]
fn sentinels_name_the_server_that_takes_over() {
    let Some(mut watched) = Watched::start(FLAGS) else { return };
    let (url, port) = (watched.url.clone(), watched.first.address.port().to_string());
    let unknown = flagstaff(Path::new("/"), ["check", "--flags", &url.replace("/main/", "/other/")], &[]);
    assert!(unknown.code == 2 && unknown.err.contains("no service of this name"), "{unknown:?}");
    let app = App::mirror();
    let program = Setup::to(&[app.address]).top(&format!("flags = \"{url}\"")).start();
    edited(&program, "set b percent=100", |program| is_on(program, "b"));
    within(3 * WAIT_LIMIT, "the second has it", || watched.second.document(None) == watched.first.document(None));

    let before = watched.second.document(None);
    watched.first.down();
    let refused = asked(&program, "set a percent=100");
    assert!(refused.code == 2 && refused.err.contains("cannot be asked"), "nobody takes edits yet: {refused:?}");
    assert!(is_on(&program, "b"), "the last good flags stay");
    assert_eq!(asked(&program, "off b").code, 0, "a fact in the ledger");
    eventually("it is off", || !is_on(&program, "b"));
    within(3 * WAIT_LIMIT, "the second one takes over, and edits are made", || {
        assert_eq!(watched.second.document(None), before, "nothing was made that was refused");
        asked(&program, "set a percent=100").code == 0
    });
    within(3 * WAIT_LIMIT, "it is in force", || is_on(&program, "a"));
    let text = watched.second.document(None).unwrap();
    assert!(text.contains("[flags.a] # the first\npercent = 100"), "{text}");

    watched.first.up();
    within(3 * WAIT_LIMIT, "the first one follows now", || {
        watched.first.document(None) == watched.second.document(None)
    });
    edited(&program, "set a percent=0", |program| !is_on(program, "a"));
    // a change of places that somebody wants, without a crash
    within(3 * WAIT_LIMIT, "they change places", || {
        watched.sentinels[0].ask(&["SENTINEL", "FAILOVER", "main"]).as_deref() == Some("OK")
    });
    within(3 * WAIT_LIMIT, "the first one takes changes again", || watched.is_named(&port));
    within(3 * WAIT_LIMIT, "edits are made", || asked(&program, "set a percent=100").code == 0);
    within(3 * WAIT_LIMIT, "it is in force", || is_on(&program, "a"));
    assert!(watched.first.document(None).unwrap().contains("[flags.a] # the first\npercent = 100"));
}

/// Redis copies after it has answered: what was written last may be gone with its server, and the history tells it.
#[test]
#[ignore = "servers take over from each other, for half a minute: tests/long"]
fn an_edit_that_was_not_copied_is_in_the_history() {
    let Some(mut watched) = Watched::start(FLAGS) else { return };
    let app = App::mirror();
    let program = Setup::to(&[app.address]).top(&format!("flags = \"{}\"", watched.url)).start();
    let history = || -> Vec<String> {
        let told = asked(&program, "history --json").json();
        let all = told["entries"].as_array().unwrap().iter().filter(|one| one["type"] == "revision");
        all.map(|one| one["revision"].as_str().unwrap().to_owned()).collect()
    };
    eventually("the first one is recorded", || history().len() == 1);
    watched.second.ask(&["REPLICAOF", "127.0.0.1", "1"]);
    edited(&program, "set b percent=100", |program| is_on(program, "b"));
    let port = watched.second.address.port().to_string();
    watched.first.down();
    within(3 * WAIT_LIMIT, "the second one takes over", || watched.is_named(&port));
    within(3 * WAIT_LIMIT, "what it has is in force", || !is_on(&program, "b"));
    eventually("that is recorded, too", || history().len() == 3);
    let all = history();
    assert!(all[0] == all[2] && all[0] != all[1], "what was edited is there, and what came after it: {all:?}");
    assert!(asked(&program, "history").out.contains("set b percent=100"));
}
