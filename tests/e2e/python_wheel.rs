//! The wheel that carries the program, and docs/from-waffle.md followed word by word with it: where there is no Rust, in a project of
//! django-waffle, in front of Django's development server.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use flagstaff_flags::Draw;

use crate::harness::browser::Browser;
use crate::harness::python::python;
use crate::harness::{eventually, free_address};

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a command said, which must have been content.
#[track_caller]
fn done(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the packages of the tests are: Django and what builds the wheel, and not the package of this project.
fn packages() -> OsString {
    let path = python()
        .get_envs()
        .find(|(name, _)| *name == "PYTHONPATH")
        .and_then(|(_, value)| value.map(ToOwned::to_owned));
    std::env::split_paths(&path.unwrap()).next().unwrap().into_os_string()
}

/// A folder with the wheel of the program that is tested, and nothing else.
fn wheels() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("wheels-{}", std::process::id()));
        let mut build = Command::new("bash");
        build.arg(project().join("deploy/wheel")).arg(env!("CARGO_BIN_EXE_flagstaff")).arg(&folder);
        let said = done(build.env("PYTHONPATH", packages()));
        assert!(said.contains("/flagstaff-") && !said.contains("none-any"), "{said}");
        folder
    })
}

/// A block of the page: its language, and its lines.
fn blocks(page: &str) -> Vec<(String, String)> {
    let parts = page.split("\n```").skip(1).step_by(2);
    parts.map(|part| part.split_once('\n').unwrap()).map(|(kind, text)| (kind.into(), text.into())).collect()
}

/// Somebody who reads the page, in the folder of their project.
struct Reader {
    folder: tempfile::TempDir,
    /// Where the page says 127.0.0.1:8000, 8080 and 8081.
    addresses: [SocketAddr; 3],
    said: String,
    running: Vec<Running>,
}

impl Reader {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let addresses = [free_address(), free_address(), free_address()];
        Self { folder, addresses, said: String::new(), running: Vec::new() }
    }

    fn shop(&self) -> PathBuf {
        self.folder.path().join("shop")
    }

    /// A shell with an environment of Python of its own, where `pip install flagstaff` finds the wheel and nothing else.
    fn shell(&self, line: &str) -> Command {
        let commands = self.folder.path().join("environment/bin");
        let path = std::env::join_paths([commands.as_path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        let mut shell = Command::new("bash");
        shell.args(["-ec", line]).current_dir(self.shop()).env_clear().stdin(Stdio::null());
        shell.env("PATH", path).env("HOME", self.folder.path()).env("PYTHONPATH", packages());
        shell.env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", wheels());
        shell.env("SHOP_DATABASE", self.folder.path().join("shop.sqlite3")).env("PYTHONDONTWRITEBYTECODE", "1");
        shell.env("FLAGSTAFF_UPSTREAM", self.addresses[0].to_string());
        shell.env("FLAGSTAFF_LISTEN", self.addresses[1].to_string());
        shell.env("FLAGSTAFF_ADMIN", self.addresses[2].to_string());
        shell
    }

    /// A fresh one, with nothing but pip.
    fn has_an_environment(&self) {
        wheels();
        done(Command::new("python3").args(["-m", "venv"]).arg(self.folder.path().join("environment")));
    }

    fn follows(&mut self, kind: &str, text: &str) {
        let text = text.replace("127.0.0.1:8000", &self.addresses[0].to_string());
        if kind == "sh" {
            for line in text.lines() {
                self.types(line);
            }
            return;
        }
        // The first line names the file; a file that is there goes on.
        let name = text.lines().next().unwrap().trim_start_matches("# ");
        let file = self.shop().join(name);
        let before = fs::read_to_string(&file).unwrap_or_default();
        fs::write(file, before + &text).unwrap();
    }

    fn types(&mut self, line: &str) {
        let mut shell = self.shell(line);
        if line.contains("manage.py runserver") || line.contains("flagstaff run") {
            // In the place of the shell, so that it ends with the test.
            shell = self.shell(&format!("exec {line}"));
            let child = shell.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            self.running.push(Running(child));
        } else {
            self.said += &done(&mut shell);
        }
    }
}

#[test]
fn the_page_on_waffle_is_followed_word_by_word_with_a_wheel() {
    let mut reader = Reader::new();
    reader.has_an_environment();
    let waffle = project().join("clients/python/tests/waffle_project");
    done(Command::new("cp").arg("-r").arg(waffle).arg(reader.shop()));
    let rows = "python manage.py migrate && python manage.py waffle_flag contact_form --create --percent 50 --superusers && \
                python manage.py waffle_switch payments on --create";
    done(&mut reader.shell(rows));

    for (kind, text) in blocks(&fs::read_to_string(project().join("docs/from-waffle.md")).unwrap()) {
        reader.follows(&kind, &text);
    }
    for words in ["contact_form", "payments", "views.py:6: from flagstaff.django.decorators", "Ran 19 tests", "\nOK"]
    {
        assert!(reader.said.contains(words), "{words}: {}", reader.said);
    }
    assert!(!reader.said.contains(" ? "), "{}", reader.said);
    sees_the_split(&reader);
    superusers_have_it(&reader);
    let version = done(reader.shell("flagstaff --version").env_remove("PYTHONPATH"));
    assert_eq!(version.trim(), concat!("flagstaff ", env!("CARGO_PKG_VERSION")));
}

/// What init writes is a flag for half of the visitors, and its comment is the line for this view.
const VIEWS: &str = "from django.http import HttpResponse\nfrom django.urls import path\n\n\
    def contact(request):\n    is_on = request.headers.get(\"X-Flag-Example\") == \"on\"\n    \
    return HttpResponse(\"short\" if is_on else \"long\")\n\nurlpatterns = [path(\"contact\", contact)]\n";

#[test]
fn a_django_project_has_flags_in_the_first_minute() {
    let mut reader = Reader::new();
    reader.has_an_environment();
    fs::create_dir(reader.shop()).unwrap();
    done(&mut reader.shell("python -m django startproject shop ."));
    fs::write(reader.shop().join("shop/urls.py"), VIEWS).unwrap();
    reader.follows("sh", "python manage.py runserver 127.0.0.1:8000 --noreload");

    let page = fs::read_to_string(project().join("docs/python.md")).unwrap();
    let first =
        blocks(&page).into_iter().find(|(kind, text)| kind == "sh" && text.contains("pip install flagstaff\n"));
    let start = Instant::now();
    reader.follows("sh", &first.unwrap().1);
    let listens = |address: &SocketAddr| std::net::TcpStream::connect(address).is_ok();
    eventually("app and proxy listen", || reader.addresses.iter().all(listens));
    let mut seen = BTreeSet::new();
    for n in 0..16 {
        let visitor = format!("somebody-with-django{n:02}");
        let is_in = Draw::of("example", &visitor).bucket() < 50;
        assert_eq!(
            Browser::of(reader.addresses[1], &visitor).get("/contact").text(),
            if is_in { "short" } else { "long" }
        );
        seen.insert(is_in);
    }
    println!("from pip install to a split that was seen: {:.1} s", start.elapsed().as_secs_f64());
    assert_eq!(seen.len(), 2, "visitors on either side");
    assert!(reader.said.contains("Django (manage.py)"), "{}", reader.said);
}

fn sees_the_split(reader: &Reader) {
    let listens = |address: &SocketAddr| std::net::TcpStream::connect(address).is_ok();
    eventually("app and proxy listen", || reader.addresses.iter().all(listens));
    let mut seen = BTreeSet::new();
    for n in 0..16 {
        let visitor = format!("somebody-of-the-wheel{n:x}");
        let is_in = Draw::of("contact_form", &visitor).bucket() < 50;
        let page = Browser::of(reader.addresses[1], &visitor).get("/contact").text();
        assert_eq!(page.contains("the short form"), is_in, "{page}");
        assert!(page.contains("pay here") && !page.contains("Hello"), "{page}");
        seen.insert(is_in);
    }
    assert_eq!(seen.len(), 2, "visitors on either side");
}

/// Of visitors who are not drawn, those who are logged in as a superuser have the form from their second page on.
fn superusers_have_it(reader: &Reader) {
    let code = "from django.contrib.auth.models import User; from django.test import Client; \
                c = Client(); c.force_login(User.objects.create_superuser('ada')); print('session=' + c.cookies['sessionid'].value)";
    let said = done(&mut reader.shell(&format!("python manage.py shell -c \"{code}\"")));
    let session = said.split("session=").nth(1).unwrap().trim();
    let visitor =
        (0..).map(|n| format!("somebody-superior-{n:04}")).find(|v| Draw::of("contact_form", v).bucket() >= 50);
    let mut browser = Browser::of(reader.addresses[1], &visitor.unwrap()).with_cookie("sessionid", session);
    let first = browser.get("/contact").text();
    assert!(first.contains("Hello ada") && first.contains("the long form"), "{first}");
    let second = browser.get("/contact").text();
    assert!(second.contains("Hello ada") && second.contains("the short form"), "{second}");
}
