//! Any request: tagged without a panic, twice alike, with nothing of the client's that looks like ours.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};

use flagstaff_source::{ParseOptions, Text, parse};
use flagstaff_tag::{HeaderSettings, JwtSettings, Peer, CompiledSnapshot, TaggerSettings, Tagger, UserSettings, VisitorSettings, endpoint};
use http::{HeaderName, HeaderValue, Request};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

const FLAGS: &str = include_str!("../../config/flags.toml");

static WORLD: LazyLock<(Tagger, Arc<CompiledSnapshot>)> = LazyLock::new(|| {
    let settings = TaggerSettings {
        headers: HeaderSettings { waffle: true, sign: true, off: true, ..HeaderSettings::default() },
        visitor: VisitorSettings { consent_cookie: Some("consent=yes".into()), ..VisitorSettings::default() },
        user: UserSettings {
            header: Some("X-User-Id".into()),
            jwt: Some(JwtSettings { keys: vec!["a secret of at least thirty-two bytes".into()], ..JwtSettings::default() }),
            identify: Some(true),
            ..UserSettings::default()
        },
        keys: vec!["another secret of thirty-two bytes or more".into()],
        ..TaggerSettings::default()
    };
    let tagger = Tagger::new(&settings).expect("good settings");
    let loaded = parse(Text { name: "flags.toml", bytes: FLAGS.as_bytes() }, None, &ParseOptions::default());
    let compiled = tagger.compile(Arc::new(loaded.expect("good flags").snapshot));
    (tagger, Arc::new(compiled))
});

/// A first byte of switches, a line with method and target, then header lines.
fn request(bytes: &[u8]) -> Option<Request<()>> {
    let (switches, rest) = bytes.split_first()?;
    let mut lines = rest.split(|byte| *byte == b'\n');
    let mut first = lines.next()?.splitn(2, |byte| *byte == b' ');
    let mut request = Request::builder().method(first.next()?).uri(first.next()?).body(()).ok()?;
    for line in lines {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = HeaderName::from_bytes(parts.next()?).ok()?;
        request.headers_mut().append(name, HeaderValue::from_bytes(parts.next()?).ok()?);
    }
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let peer = Peer { address: SocketAddr::new(client, 1), client, trusted: switches & 1 == 1, tls: switches & 2 == 2 };
    request.extensions_mut().insert(peer);
    Some(request)
}

fuzz_target!(|bytes: &[u8]| {
    let (tagger, compiled) = &*WORLD;
    let Some(mut request) = request(bytes) else { return };
    let now = Timestamp::UNIX_EPOCH;
    let flags = tagger.tag(compiled, &mut request, now);
    let once = request.headers().clone();
    let names: Vec<_> = once.keys().map(|name| name.as_str().replace('_', "-")).collect();
    for name in names.iter().filter(|name| name.starts_with("x-flag-")) {
        let flag = name["x-flag-".len()..].replace('-', "_");
        assert!(compiled.snapshot().find(&flag).is_some(), "{name} is not ours");
        assert_eq!(once.get_all(name.as_str()).iter().count(), 1);
    }
    assert_eq!(once.get_all("x-visitor-id").iter().count(), 1);
    tagger.tag(compiled, &mut request, now);
    assert_eq!(*request.headers(), once);
    let _ = endpoint(&flags, request.method(), request.uri().path(), request.headers());
});
