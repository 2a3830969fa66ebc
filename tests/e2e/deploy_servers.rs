//! Other servers around Flagstaff, with the files of `deploy/`: nginx and Caddy in front of it, gunicorn behind it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::harness::app::App;
use crate::harness::program::{Program, Setup};
use crate::harness::python::deploy_tool;
use crate::harness::raw::Raw;
use crate::harness::{eventually, free_address, run};

fn deployed(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)).unwrap()
}

/// A server of another project; none where it is not installed, which is said.
pub(crate) fn server(program: &str) -> Option<PathBuf> {
    let unpacked = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?.join("tests/servers");
    let found = [Path::new("/").join(program), unpacked.join(program)].into_iter().find(|path| path.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: there is no {program}; tests/servers unpacks it");
    }
    found
}

/// A server that runs until the end of a test.
pub(crate) struct Server {
    child: Child,
    _folder: TempDir,
}

impl Server {
    fn start(mut command: Command, folder: TempDir, address: SocketAddr) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut server = Self { child, _folder: folder };
        eventually("the server listens", || {
            assert!(server.child.try_wait().unwrap().is_none(), "{command:?} ended");
            TcpStream::connect(address).is_ok()
        });
        server
    }

    fn nginx(program: &Path, before: SocketAddr) -> (Self, SocketAddr) {
        let site = deployed("nginx/flagstaff.conf").replace("127.0.0.1:8080", &before.to_string());
        Self::nginx_with(program, &site)
    }

    /// nginx with a site that listens on port 80, and whose relative paths are in a folder of its own.
    pub(crate) fn nginx_with(program: &Path, site: &str) -> (Self, SocketAddr) {
        let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
        let home = folder.path().display();
        let site = site.replace("listen 80;", &format!("listen {address};"));
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {home}/{name};\n"))
            .concat();
        let all = format!(
            "daemon off;\nmaster_process off;\npid {home}/pid;\nerror_log {home}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{site}}}\n"
        );
        let settings = folder.path().join("nginx.conf");
        fs::write(&settings, all).unwrap();
        let mut command = Command::new(program);
        command.arg("-c").arg(&settings).arg("-p").arg(folder.path()).arg("-e").arg(folder.path().join("error.log"));
        (Self::start(command, folder, address), address)
    }

    fn caddy(program: &Path, before: SocketAddr) -> (Self, SocketAddr) {
        let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
        let site = deployed("caddy/Caddyfile").replace("127.0.0.1:8080", &before.to_string());
        let site = site.replace("shop.example.com {", &format!("http://:{} {{\n\tbind 127.0.0.1", address.port()));
        let settings = folder.path().join("Caddyfile");
        fs::write(&settings, format!("{{\n\tadmin off\n}}\n{site}")).unwrap();
        let mut command = Command::new(program);
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(settings);
        command.env("HOME", folder.path()).env("XDG_DATA_HOME", folder.path()).env("XDG_CONFIG_HOME", folder.path());
        (Self::start(command, folder, address), address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Flagstaff in front of an app that shows what it gets, with the `[trust]` of `deploy/proxied.toml` where it should have it.
fn proxied(app: &App, trusting: bool) -> Program {
    let settings = deployed("proxied.toml");
    let trust = settings.lines().find(|line| line.starts_with("addresses = ")).unwrap();
    let flags = "[flags.a]\nowner = \"me\"\nexpires = 2099-01-01\n\n[flags.b]\npercent = 0\ntesting = true\n";
    let setup = Setup::to(&[app.address]).flags(flags);
    if trusting { setup.key("trust", trust) } else { setup }.start()
}

/// A connection of a visitor with another address than the proxy's.
fn visitor(to: SocketAddr) -> Raw {
    let stream = run(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), 0))).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    Raw::over(stream)
}

/// What Flagstaff or an app believes of a proxy, and a proxy must not pass on from a visitor.
const ONLY_PROXIES_SAY: [&str; 29] = [
    "CF-IPCountry",
    "Forwarded",
    "X-Flag-Override",
    "X-Forwarded-By",
    "X-Forwarded-Client-Cert",
    "X-Forwarded-Email",
    "X-Forwarded-For",
    "X-Forwarded-Groups",
    "X-Forwarded-Host",
    "X-Forwarded-Method",
    "X-Forwarded-Path",
    "X-Forwarded-Port",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Prefix",
    "X-Forwarded-Proto",
    "X-Forwarded-Protocol",
    "X-Forwarded-Scheme",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Tls-Client-Cert-Info",
    "X-Forwarded-Uri",
    "X-Forwarded-User",
    "X-Real-IP",
    "X-User-Groups",
    "X-User-Id",
    "X-User-Roles",
    "traceparent",
    "tracestate",
];

/// A word that this field would be believed with, and that no honest request has.
fn forged(name: &str) -> String {
    match name {
        "X-Flag-Override" => "b=on".to_owned(),
        "X-Forwarded-Proto" => "https".to_owned(),
        "X-Forwarded-For" | "X-Real-IP" => "6.6.6.6".to_owned(),
        _ => format!("forged-{}", name.to_ascii_lowercase()),
    }
}

/// What the app sees of somebody who pretends to be somebody else.
fn seen(mut raw: Raw) -> String {
    let lines: String = ONLY_PROXIES_SAY.iter().map(|name| format!("{name}: {}\r\n", forged(name))).collect();
    raw.send(format!(
        "GET /page HTTP/1.1\r\nHost: shop.example.com\r\n{lines}X-Flag-A: forged\r\nConnection: close\r\n\r\n"
    ));
    let answer = raw.answer();
    assert_eq!(answer.status, 200, "{}", answer.head);
    answer.text().to_ascii_lowercase()
}

/// The values of a field that the app saw.
fn field(head: &str, name: &str) -> Vec<String> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.filter(|(field, _)| *field == name).map(|(_, value)| value.trim().to_owned()).collect()
}

#[track_caller]
fn is_told_well(front: impl Fn(SocketAddr) -> (Server, SocketAddr)) {
    let app = App::mirror();
    let program = proxied(&app, true);
    let (_server, address) = front(program.address);
    let head = seen(visitor(address));
    let chain = field(&head, "x-forwarded-for");
    assert!(chain.len() == 1 && chain[0].starts_with("127.0.0.2"), "{head}");
    assert!(!head.contains("6.6.6.6") && !head.contains("forged"), "{head}");
    assert!(!head.contains("x-flag-b"), "a visitor's X-Flag-Override counted: {head}");
    assert_eq!(field(&head, "x-forwarded-proto"), ["http"], "{head}");
    assert_eq!(
        (field(&head, "host"), field(&head, "x-forwarded-host")),
        (vec!["shop.example.com".into()], vec!["shop.example.com".into()])
    );
    assert_eq!(field(&head, "x-flag-a"), ["on"]);
    // without trust, nobody's word counts, and every visitor has the address of the proxy
    let stranger = proxied(&app, false);
    let (_server, address) = front(stranger.address);
    assert_eq!(field(&seen(visitor(address)), "x-forwarded-for"), ["127.0.0.1"]);
}

/// Without a proxy that removes them, these would be believed: so the list is of what must be removed.
#[test]
fn what_only_proxies_say_is_believed_of_them() {
    let app = App::mirror();
    let program = proxied(&app, true);
    let head = seen(Raw::connect(program.address));
    for name in ONLY_PROXIES_SAY.iter().filter(|name| **name != "X-Flag-Override") {
        assert!(head.contains(&forged(name)), "{name}: {head}");
    }
    assert_eq!(field(&head, "x-flag-b"), ["on"]);
}

/// Traefik is not run here. It writes some of them itself, and its file names the others.
#[test]
fn traefik_is_told_to_remove_what_only_proxies_say() {
    const WRITES: [&str; 6] = [
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
        "X-Forwarded-Proto",
        "X-Forwarded-Server",
        "X-Real-IP",
    ];
    let file = deployed("traefik/flagstaff.yaml");
    assert!(file.contains("middlewares: [proxies-only]"), "{file}");
    for name in ONLY_PROXIES_SAY.iter().filter(|name| !WRITES.contains(name)) {
        assert!(file.contains(&format!("\n          {name}: \"\"\n")), "{name}");
    }
}

#[test]
fn nginx_in_front_says_who_the_visitor_is() {
    if let Some(nginx) = server("usr/sbin/nginx") {
        is_told_well(|before| Server::nginx(&nginx, before));
    }
}

#[test]
fn caddy_in_front_says_who_the_visitor_is() {
    if let Some(caddy) = server("usr/bin/caddy") {
        is_told_well(|before| Server::caddy(&caddy, before));
    }
}

#[test]
fn gunicorn_behind_a_socket_gets_flags() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("app.sock");
    let shop = "def application(environ, start):\n    start('200 OK', [('Content-Type', 'text/plain')])\n    \
                return [f\"{environ['wsgi.url_scheme']} {environ.get('HTTP_X_FLAG_A')}\".encode()]\n";
    fs::write(folder.path().join("shop.py"), shop).unwrap();
    let said = deployed("gunicorn/flagstaff.toml");
    let line = said.lines().find_map(|line| line.strip_prefix("#   gunicorn ")).unwrap();
    let line =
        line.replace("/run/shop/app.sock", socket.to_str().unwrap()).replace("shop.wsgi", "shop").replace('\'', "");
    let mut command = deploy_tool("gunicorn");
    command
        .args(line.split(' '))
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = command.spawn().unwrap();
    let _server = Server { child, _folder: folder };
    eventually("gunicorn listens", || socket.exists());
    let upstream = format!("upstream = [\"unix:{}\"]", socket.display());
    let program = Setup::default().top(&upstream).flags("[flags.a]\nowner = \"me\"\nexpires = 2099-01-01\n").start();
    eventually("gunicorn answers", || program.get("/") == (200, "http on".into()));
}
