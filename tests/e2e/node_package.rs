//! The packages for Node (`clients/node`): what an app reads is what the program decided, and `npx flagstaff` runs the program where
//! there is no Rust.

use std::collections::BTreeSet;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use flagstaff_flags::Draw;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::harness::browser::Browser;
use crate::harness::node::{NodeClient, packages};
use crate::harness::program::Setup;
use crate::harness::{eventually, free_address};

const KEY: &str = "a key of at least thirty-two bytes for tests";

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn package() -> PathBuf {
    project().join("clients/node")
}

/// What a command said, which must have been content.
#[track_caller]
fn done(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

#[test]
fn its_own_tests_pass() {
    let said = done(
        Command::new("node").args(["--test", "--test-reporter=tap", "test/flags.test.js"]).current_dir(package()),
    );
    assert!(said.contains("# fail 0") && !said.contains("# pass 0"), "{said}");
}

#[test]
fn its_types_hold() {
    let modules = packages().join("node_modules");
    let mut compiler = Command::new("node");
    compiler.arg(modules.join("typescript/bin/tsc")).args(["--noEmit", "--strict", "--exactOptionalPropertyTypes"]);
    compiler.args(["--noUncheckedIndexedAccess", "--noPropertyAccessFromIndexSignature"]);
    compiler.args(["--module", "node16", "--target", "es2022", "--types", "node", "--typeRoots"]);
    done(compiler.arg(modules.join("@types")).arg(package().join("test/types.ts")));
}

#[test]
fn it_has_the_version_of_the_program() {
    let manifest: Value = serde_json::from_str(&fs::read_to_string(package().join("package.json")).unwrap()).unwrap();
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn express_and_fastify_read_what_was_decided() {
    let mut shops = NodeClient::start("node_shop.js", &[package().join("src/index.js").to_str().unwrap(), KEY]);
    let ports = shops.line();
    for (at, targets) in [(0, ["/shop/form", "/shop/a%20b/%C3%A4?x=%2F"]), (1, ["/form", "/a;b/c=d,e+f~g?page=2"])] {
        let app: SocketAddr = format!("127.0.0.1:{}", ports[at]).parse().unwrap();
        for target in targets {
            reads_what_was_decided(app, target);
        }
    }
}

fn reads_what_was_decided(app: SocketAddr, target: &str) {
    let flags = "[flags.form]\npercent = 50\n\n[flags.prices]\nvariants = { classic = 50, \"2.0\" = 50 }\n";
    let program = Setup::to(&[app]).key("headers", "sign = true").env("FLAGSTAFF_KEYS", KEY).flags(flags).start();
    let told = |mut browser: Browser| -> Value {
        let forged = "X-Flag-Form: forged\r\nX-Flags: form=forged\r\nX-Visitor-Id: forged\r\n";
        let answer = browser.get_with(target, forged);
        assert_eq!(answer.status, 200, "{}", answer.text());
        serde_json::from_str(&answer.text()).unwrap()
    };
    for n in 0..12 {
        let visitor = format!("somebody-of-node-{n:05}");
        let mut flags =
            json!({ "prices": if Draw::of("prices", &visitor).split() < 50_000 { "classic" } else { "2.0" } });
        let is_on = Draw::of("form", &visitor).bucket() < 50;
        if is_on {
            flags["form"] = json!("on");
        }
        let form = if is_on { "on" } else { "off" };
        let wanted = json!({ "source": "headers", "visitor": visitor, "form": form, "flags": flags });
        assert_eq!(told(Browser::of(program.address, &visitor)), wanted, "{target}");
    }
    // Beside the proxy nobody is believed.
    let said = told(Browser::new(app));
    assert_eq!(said, json!({ "source": "defaults", "visitor": null, "form": "off", "flags": {} }));
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder of an app outside of the project, with a shell that knows neither Rust nor a registry.
struct Shop {
    folder: tempfile::TempDir,
    /// Of the app, of the proxy, and of its operators.
    addresses: [SocketAddr; 3],
}

impl Shop {
    fn shell(&self, line: &str) -> Command {
        let node = done(Command::new("sh").args(["-c", "command -v node"]));
        let commands = Path::new(node.trim()).parent().unwrap().to_owned();
        let path = std::env::join_paths([&commands, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        let mut shell = Command::new("bash");
        shell.args(["-ec", line]).current_dir(self.folder.path().join("shop")).env_clear().stdin(Stdio::null());
        shell.env("PATH", path).env("HOME", self.folder.path()).env("npm_config_offline", "true");
        shell.env("PORT", self.addresses[0].port().to_string());
        shell.env("FLAGSTAFF_UPSTREAM", self.addresses[0].to_string());
        shell.env("FLAGSTAFF_LISTEN", self.addresses[1].to_string());
        shell.env("FLAGSTAFF_ADMIN", self.addresses[2].to_string());
        shell
    }

    fn runs(&self, line: &str) -> Running {
        let mut shell = self.shell(&format!("exec {line}"));
        Running(shell.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

const SERVER: &str = "const { flagReader } = require('flagstaff');\nconst read = flagReader();\n\
    require('node:http').createServer((req, res) => res.end(read(req).isOn('example') ? 'short' : 'long'))\n\
    .listen(Number(process.env.PORT), '127.0.0.1');\n";

#[test]
fn npx_runs_the_program_in_front_of_an_app_of_node() {
    let shop =
        Shop { folder: tempfile::tempdir().unwrap(), addresses: [free_address(), free_address(), free_address()] };
    let (home, tarballs) = (shop.folder.path().join("shop"), shop.folder.path().join("npm"));
    fs::create_dir(&home).unwrap();
    fs::write(home.join("server.js"), SERVER).unwrap();
    fs::write(home.join("package.json"), "{ \"name\": \"shop\", \"private\": true }").unwrap();
    done(Command::new("bash").arg(project().join("deploy/npm")).arg(env!("CARGO_BIN_EXE_flagstaff")).arg(&tarballs));
    done(&mut shop.shell("npm install --no-audit --no-fund ../npm/*.tgz"));

    assert_eq!(
        done(&mut shop.shell("npx flagstaff --version")),
        concat!("flagstaff ", env!("CARGO_PKG_VERSION"), "\n")
    );
    let refused = shop.shell("npx flagstaff check nowhere.toml").output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "the exit code is the program's own");
    let said = done(&mut shop.shell("npx flagstaff init"));
    assert!(said.contains("flagstaff run"), "{said}");

    let _app = shop.runs("node server.js");
    let mut proxy = shop.runs("node node_modules/.bin/flagstaff run");
    let listens = |address: &SocketAddr| TcpStream::connect(address).is_ok();
    eventually("app and proxy listen", || shop.addresses.iter().all(listens));
    sees_the_split(&shop);
    // The program gets the signal, drains and ends; so does what started it.
    kill_process(Pid::from_child(&proxy.0), Signal::TERM).unwrap();
    assert!(proxy.0.wait().unwrap().success());
    assert!(!listens(&shop.addresses[1]), "nothing is left that serves");
}

fn sees_the_split(shop: &Shop) {
    let flags = fs::read_to_string(shop.folder.path().join("shop/flags.toml")).unwrap();
    assert!(flags.contains("\n[flags.example]\n") && flags.contains("\npercent = 50 "), "{flags}");
    let mut seen = BTreeSet::new();
    for n in 0..16 {
        let visitor = format!("somebody-with-npx-{n:04}");
        let is_in = Draw::of("example", &visitor).bucket() < 50;
        let page = Browser::of(shop.addresses[1], &visitor).get("/").text();
        assert_eq!(page, if is_in { "short" } else { "long" });
        seen.insert(is_in);
    }
    assert_eq!(seen.len(), 2, "visitors on either side");
}
