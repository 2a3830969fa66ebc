//! The checks that turn options into settings.

use std::path::Path;
use std::time::Duration;

use flagstaff_flags::Problem;
use http::header::HeaderName;
use ipnet::{IpNet, Ipv4Net};

use super::{Limits, RawSettings, Timeouts};
use crate::address::{Listen, Origin};

pub(super) fn range(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map(canonical)
        .map_err(|_| format!("`{text}` is not an address or a range; write `10.0.0.0/8` or `192.0.2.7`"))
}

/// An IPv4 range as such, also where it is written as sockets for both kinds print it (`::ffff:10.0.0.0/104`): clients' addresses are looked
/// up so.
fn canonical(net: IpNet) -> IpNet {
    let IpNet::V6(wide) = net else { return net };
    let (mapped, prefix) = (wide.network().to_ipv4_mapped(), wide.prefix_len().checked_sub(96));
    let narrow = mapped.zip(prefix).and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok());
    narrow.map_or(net, IpNet::V4)
}

pub(super) fn field(text: &str) -> Result<HeaderName, String> {
    HeaderName::from_bytes(text.as_bytes()).map_err(|_| format!("`{text}` is not a valid name of a header field"))
}

/// Collects problems.
pub(super) struct Check(pub(super) Vec<Problem>);

impl Check {
    pub(super) fn that(&mut self, key: &str, holds: bool, message: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Problem::new(key.split('.'), message()));
        }
    }

    pub(super) fn each<T>(
        &mut self,
        key: &str,
        texts: &[String],
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let mut parsed = Vec::with_capacity(texts.len());
        for text in texts {
            match parse(text) {
                Ok(value) => parsed.push(value),
                Err(message) => self.0.push(Problem::new(key.split('.'), message)),
            }
        }
        parsed
    }

    pub(super) fn listen(&mut self, options: &RawSettings, listen: &[Listen]) {
        self.that("listen", !options.listen.is_empty(), || "name at least one address".to_owned());
        // A takeover passes 32 descriptors in one message; the admin address is one of them.
        self.that("listen", options.listen.len() <= 30, || "at most 30 addresses".to_owned());
        for (n, one) in listen.iter().enumerate() {
            let twice = listen[..n].iter().any(|other| other.address == one.address && one.address.port() != 0);
            self.that("listen", !twice, || format!("{} is named twice", one.address));
            self.that("listen", !one.tls || options.tls.is_some(), || {
                format!("https://{} needs `certificate` and `key` under [tls]", one.address)
            });
        }
    }

    /// A proxy that is its own app multiplies one request until no descriptor is left.
    pub(super) fn not_itself(&mut self, options: &RawSettings, listen: &[Listen], upstream: &[Origin]) {
        let operators = options.operators.map(|address| Listen { address, tls: false });
        for origin in upstream {
            let upgrades =
                origin.socket.as_deref().is_some_and(|path| options.upgrade_socket.as_deref() == Some(path));
            let own = upgrades || listen.iter().chain(&operators).any(|listen| listen.is_reached_by(origin));
            self.that("upstream", !own, || {
                let address = &origin.authority;
                format!("`{address}` is an address of this proxy itself; write the one where the app listens")
            });
        }
    }

    pub(super) fn timeouts(&mut self, t: &Timeouts) {
        let named = [
            ("timeouts.connect", t.connect),
            ("timeouts.head", t.head),
            ("timeouts.idle", t.idle),
            ("timeouts.body", t.body),
            ("timeouts.buffer_body", t.buffer_body),
            ("timeouts.write", t.write),
            ("timeouts.upstream", t.upstream),
            ("timeouts.pool", t.pool),
            ("timeouts.drain", t.drain),
        ];
        for (key, value) in named {
            self.that(key, !value.is_zero(), || "must be longer than zero".to_owned());
        }
        let day = Duration::from_secs(86_400);
        for (key, value) in named.into_iter().chain([
            ("timeouts.stream", t.stream),
            ("timeouts.tunnel", t.tunnel),
            ("timeouts.pool_age", t.pool_age),
        ]) {
            self.that(key, value <= day, || "at most one day".to_owned());
        }
        self.that("timeouts.linger", t.linger <= t.drain, || {
            "must not be longer than timeouts.drain, which ends it".to_owned()
        });
    }

    pub(super) fn limits(&mut self, l: &Limits) {
        self.that("limits.head_bytes", (8192..=1_048_576).contains(&l.head_bytes), || {
            "must be 8192 to 1048576 bytes".to_owned()
        });
        self.that("limits.headers", (1..=1000).contains(&l.headers), || "must be 1 to 1000".to_owned());
        self.that("limits.buffer_body", l.buffer_body <= 16 << 20, || "must be 0 to 16777216 bytes".to_owned());
        self.that("limits.answer_headers", (1..=4000).contains(&l.answer_headers), || "must be 1 to 4000".to_owned());
        self.that("limits.answer_head_bytes", (8192..=16 << 20).contains(&l.answer_head_bytes), || {
            "must be 8192 to 16777216 bytes".to_owned()
        });
        self.that("limits.connections", l.connections != Some(0), || "must be 1 or more".to_owned());
        self.that("limits.streams", (1..=10_000).contains(&l.streams), || "must be 1 to 10000".to_owned());
    }

    pub(super) fn upgrade(&mut self, options: &RawSettings) {
        self.that("upgrade_socket", !options.upgrade || options.upgrade_socket.is_some(), || {
            "name the socket of the running process to take over from it".to_owned()
        });
        let Some(path) = &options.upgrade_socket else {
            return;
        };
        // sockaddr_un holds 108 bytes with the final zero.
        self.that("upgrade_socket", path.as_os_str().len() < 108, || {
            format!("`{}` is longer than the 107 bytes of a socket's path", path.display())
        });
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        self.that("upgrade_socket", folder.is_none_or(Path::is_dir), || {
            format!("the folder of `{}` does not exist", path.display())
        });
    }
}
