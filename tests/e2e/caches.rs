//! A shared cache in front: nginx, which follows fields of its own and stores whatever it may.

use std::net::SocketAddr;

use crate::deploy_servers::{Server, server};
use crate::harness::app::App;
use crate::harness::program::Setup;
use crate::harness::raw::{Answer, Raw};

const FLAGS: &str = r#"
[flags.pg]
percent = 0
testing = true

[flags.german]
exposed_on = ["/language"]
[[flags.german.rules]]
if = { language = "de" }
serve = "on"

[flags.plan]
exposed_on = ["/plan"]
[[flags.plan.rules]]
if = { plan = "pro" }
serve = "on"

[flags.near]
exposed_on = ["/near"]
[[flags.near.rules]]
if = { ip = "127.0.0.0/8", path = "/near" }
serve = "on"
"#;

const SITE: &str = "proxy_cache_path cache keys_zone=pages:1m;
server {
    listen 80;
    location / {
        proxy_pass http://BEFORE;
        proxy_cache pages;
        proxy_cache_key $request_uri;
        add_header X-Cache $upstream_cache_status;
    }
}
";

fn get(to: SocketAddr, path: &str, lines: &str) -> Answer {
    let mut raw = Raw::connect(to);
    raw.send(format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{lines}\r\n"));
    raw.answer()
}

/// An app that tells its flags, and that caches may keep what it tells.
fn app() -> App {
    App::start(|exchange| {
        let kind = if exchange.target.ends_with(".svg") { "image/svg+xml" } else { "text/html" };
        let keep = match exchange.target.as_str() {
            "/own-field" => "X-Accel-Expires: 60",
            _ => "Cache-Control: public, max-age=60",
        };
        let flags = exchange.field("x-flags").unwrap_or_default();
        exchange.answer(200, &format!("Content-Type: {kind}\r\n{keep}\r\n"), flags)
    })
}

#[test]
fn a_cache_gives_nobody_what_was_made_for_another() {
    let Some(nginx) = server("usr/sbin/nginx") else { return };
    let app = app();
    let program = Setup::to(&[app.address]).flags(FLAGS).start();
    let (_server, cache) = Server::nginx_with(&nginx, &SITE.replace("BEFORE", &program.address.to_string()));
    let preview = get(program.address, "/?flagstaff.pg=on", "");
    // what a cache may keep sets no cookie, and an answer that is a preview is not for caches
    let cookies: Vec<_> =
        preview.all("set-cookie").iter().map(|set| set.split(';').next().unwrap().to_owned()).collect();
    let cookies = format!("Cookie: {}\r\n", cookies.join("; "));
    for path in ["/own-field", "/page", "/logo.svg"] {
        assert_eq!(get(cache, path, &cookies).text(), "pg=on", "{path}");
        assert_eq!(get(cache, path, "").text(), "", "{path}: a stranger");
        assert_eq!(get(cache, path, "").field("x-cache").as_deref(), Some("HIT"), "{path}");
    }
    for (path, own, other) in [
        ("/language", "Accept-Language: de\r\n", "Accept-Language: en\r\n"),
        ("/plan", "X-Plan: pro\r\n", "X-Plan: free\r\n"),
    ] {
        let on = get(cache, path, own).text();
        assert!(on.ends_with("=on"), "{path}: {on}");
        assert_eq!(get(cache, path, other).text(), "", "{path}");
        let again = get(cache, path, own);
        assert_eq!((again.text(), again.field("x-cache").as_deref()), (on, Some("HIT")), "{path}");
    }
    for _ in 0..2 {
        let near = get(cache, "/near", "");
        assert_eq!((near.text().as_str(), near.field("x-cache").as_deref()), ("near=on", Some("MISS")));
    }
}
