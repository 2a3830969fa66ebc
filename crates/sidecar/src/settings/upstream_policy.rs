//! Which addresses flags may name as upstreams of variants. The author of flags need not be the one who runs the machine.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

use flagstaff_flags::Glob;
use ipnet::IpNet;

use crate::address::{Origin, meant};

/// Which upstreams are allowed, and the addresses of this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct UpstreamPolicy {
    /// Addresses of this process: for visitors and for operators.
    pub(crate) own: Vec<SocketAddr>,
    pub(crate) own_socket: Option<PathBuf>,
    /// Empty: all but ourselves and link-local addresses.
    pub(crate) listed: Vec<UpstreamPattern>,
}

/// One entry of `trust.upstreams`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UpstreamPattern {
    Range(IpNet),
    /// A name, and its port where one is written.
    Host(Glob, Option<u16>),
    Socket(Glob),
}

impl UpstreamPattern {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::Socket(Glob::new(path)));
        }
        if let Some(range) = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)) {
            return Ok(Self::Range(range));
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok().filter(|port| *port != 0))),
            None => (text, None),
        };
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._*[]:".contains(&b);
        if name.is_empty() || !name.bytes().all(fits) || port == Some(None) {
            return Err(format!(
                "`{text}` does not name an upstream; write `10.0.0.0/8`, `canary.internal`, `*.internal:8000` or `unix:/run/*.sock`"
            ));
        }
        Ok(Self::Host(Glob::any_case(name.trim_matches(['[', ']'])), port.flatten()))
    }

    fn names(&self, origin: &Origin) -> bool {
        match (self, &origin.socket) {
            (Self::Socket(glob), Some(path)) => glob.fits(&path.to_string_lossy()),
            (Self::Host(name, port), None) => {
                name.fits(origin.host.trim_end_matches('.')) && port.is_none_or(|port| port == origin.port)
            }
            _ => false,
        }
    }
}

/// Whether two paths lead to one socket, however they are written and whatever links they go through.
fn is_same_socket(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let folder = path.parent()?.canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    };
    let whole = |path: &Path| path.canonicalize().ok();
    one == other
        || place(one).is_some_and(|one| place(other) == Some(one))
        || whole(one).is_some_and(|one| whole(other) == Some(one))
}

impl UpstreamPolicy {
    /// Whether an upstream may be used, as far as that is written in its address. A name counts at each connection.
    ///
    /// # Errors
    /// With the reason.
    pub(crate) fn written(&self, origin: &Origin) -> Result<(), String> {
        if let Some(path) = &origin.socket {
            let own = self.own_socket.as_deref().is_some_and(|own| is_same_socket(own, path));
            let listed = self.listed.is_empty() || self.listed.iter().any(|pattern| pattern.names(origin));
            return match (own, listed) {
                (true, _) => Err("it is the upgrade socket of this program".to_owned()),
                (false, false) => Err(NOT_LISTED.to_owned()),
                (false, true) => Ok(()),
            };
        }
        if let Ok(ip) = origin.host.parse() {
            return self.address(origin, SocketAddr::new(ip, origin.port));
        }
        let ranges = self.listed.iter().any(|pattern| matches!(pattern, UpstreamPattern::Range(_)));
        let listed = self.listed.is_empty() || ranges || self.listed.iter().any(|pattern| pattern.names(origin));
        if listed { Ok(()) } else { Err(NOT_LISTED.to_owned()) }
    }

    /// Whether a connection may be made to an address, which is one of those that the upstream's name has now.
    ///
    /// # Errors
    /// With the reason.
    pub(crate) fn address(&self, origin: &Origin, address: SocketAddr) -> Result<(), String> {
        let ip = meant(address.ip());
        if self.own.iter().any(|own| is_at(*own, ip, address.port())) {
            return Err("it is an address of this program itself".to_owned());
        }
        let within = |pattern: &UpstreamPattern| {
            matches!(pattern, UpstreamPattern::Range(range) if range.contains(&ip)) || pattern.names(origin)
        };
        if self.listed.iter().any(within) {
            return Ok(());
        }
        if !self.listed.is_empty() {
            return Err(NOT_LISTED.to_owned());
        }
        if is_link_local(ip) {
            return Err("it is link-local, where clouds hand out credentials; list it in trust.upstreams".to_owned());
        }
        Ok(())
    }
}

const NOT_LISTED: &str = "trust.upstreams does not list it";

/// Whether a connection to this address and port comes in at `own`.
fn is_at(own: SocketAddr, ip: IpAddr, port: u16) -> bool {
    let here = own.ip().to_canonical();
    let any = || here.is_unspecified() && here.is_ipv4() == ip.is_ipv4() && is_of_this_machine(ip);
    own.port() == port && (here == ip || any())
}

/// Only an address of this machine can be bound.
fn is_of_this_machine(ip: IpAddr) -> bool {
    ip.is_loopback() || UdpSocket::bind((ip, 0)).is_ok()
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(listed: &[&str]) -> UpstreamPolicy {
        UpstreamPolicy {
            own: vec!["127.0.0.1:8081".parse().unwrap(), "0.0.0.0:8080".parse().unwrap(), "[::1]:9".parse().unwrap()],
            own_socket: Some("/run/upgrade.sock".into()),
            listed: listed.iter().map(|text| UpstreamPattern::parse(text).unwrap()).collect(),
        }
    }

    fn fine(listed: &[&str], upstream: &str) -> bool {
        policy(listed).written(&Origin::parse(upstream).unwrap()).is_ok()
    }

    #[test]
    fn ourselves_are_no_upstream_also_when_listed() {
        for own in [
            "127.0.0.1:8081",
            "[::ffff:127.0.0.1]:8081",
            "0.0.0.0:8081",
            "127.0.0.1:8080",
            "127.0.0.9:8080",
            "[::1]:9",
            "[::]:9",
            "unix:/run/upgrade.sock",
            "unix:/run/../run/./upgrade.sock",
        ] {
            assert!(!fine(&[], own) && !fine(&["127.0.0.0/8", "::/0", "*", "unix:*"], own), "{own}");
        }
        for other in ["127.0.0.1:8001", "127.0.0.2:8081", "192.0.2.1:8080", "app:8081", "unix:/run/app.sock"] {
            assert!(fine(&[], other), "{other}");
        }
        let named = Origin::parse("app:8081").unwrap();
        assert!(policy(&[]).address(&named, "127.0.0.1:8081".parse().unwrap()).is_err());
    }

    #[test]
    fn link_local_addresses_need_to_be_listed() {
        for address in ["169.254.169.254:80", "[fe80::1]:80", "[::ffff:169.254.169.254]:80"] {
            assert!(!fine(&[], address) && fine(&["169.254.0.0/16", "fe80::/10"], address), "{address}");
        }
        let named = Origin::parse("metadata:80").unwrap();
        assert!(policy(&[]).address(&named, "169.254.169.254:80".parse().unwrap()).is_err());
    }

    #[test]
    fn only_listed_upstreams_are_allowed() {
        let list = ["10.0.0.0/8", "canary.internal:8000", "*.apps.internal", "unix:/run/*.sock"];
        for listed in ["10.1.2.3:80", "canary.internal:8000", "A.apps.internal:1", "unix:/run/b.sock"] {
            assert!(fine(&list, listed), "{listed}");
        }
        assert!(!fine(&list, "192.0.2.1:80") && !fine(&list, "unix:/tmp/b.sock"));
        let names = &list[1..];
        assert!(!fine(names, "canary.internal:8001") && !fine(names, "other:80"));
        // A name may lead into a range: that is known when it is resolved.
        let other = Origin::parse("other:80").unwrap();
        let at = |ip: &str| policy(&list).address(&other, ip.parse().unwrap());
        assert!(fine(&list, "other:80") && at("10.0.0.1:80").is_ok() && at("192.0.2.1:80").is_err());
        for bad in ["", "a b", "host:0", "host:port"] {
            assert!(UpstreamPattern::parse(bad).is_err(), "{bad}");
        }
    }
}
