//! Addresses as they are typed: where visitors come in, where the app is.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

/// Bytes of the path of a unix socket: `sockaddr_un` holds one more, the final zero.
const SOCKET_PATH: usize = 107;

/// One address for visitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    pub(crate) address: SocketAddr,
    pub(crate) tls: bool,
}

impl Listen {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (rest, tls) = scheme(text)?;
        let address = rest.parse().map_err(|_| {
            format!("`{text}` is not an address; write `127.0.0.1:8080`, `[::1]:8080` or `https://0.0.0.0:8443`")
        })?;
        Ok(Self { address, tls })
    }
}

impl Listen {
    /// Whether connections to this origin come in here, as far as that is written in the two addresses.
    pub(crate) fn is_reached_by(&self, origin: &Origin) -> bool {
        let here = self.address.ip().to_canonical();
        let fits = |ip: &IpAddr| {
            let any = here.is_unspecified() && ip.is_loopback() && here.is_ipv4() == ip.is_ipv4();
            any || here == *ip
        };
        self.address.port() == origin.port && origin.written_addresses().iter().any(fits)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.address)
    }
}

/// One address of the app. The name is resolved whenever a connection is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) host: Arc<str>,
    pub(crate) port: u16,
    pub(crate) tls: bool,
    /// As logs and metrics write it.
    pub(crate) authority: Arc<str>,
    /// The path of a unix socket, in place of host and port.
    pub(crate) socket: Option<Arc<Path>>,
}

impl Origin {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Self::unix(path);
        }
        if text.starts_with('/') {
            return Err(format!("`{text}` is not an upstream; a unix socket is written as `unix:{text}`"));
        }
        let (rest, tls) = scheme(text)?;
        let wrong = || {
            format!(
                "`{text}` is not an upstream; write `127.0.0.1:8000`, `app:8000`, `https://app:8443` or `unix:/run/app.sock`"
            )
        };
        let authority: http::uri::Authority = rest.trim_end_matches('/').parse().map_err(|_| wrong())?;
        if authority.host().is_empty() || authority.as_str().contains('@') {
            return Err(wrong());
        }
        let with_scheme = rest.len() != text.len();
        let port = match (authority.port(), with_scheme) {
            (Some(_), _) => authority.port_u16().filter(|port| *port != 0).ok_or_else(wrong)?,
            (None, true) => {
                if tls {
                    443
                } else {
                    80
                }
            }
            (None, false) => return Err(wrong()),
        };
        // Written in brackets inside an address, without them for the resolver and for TLS.
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        Ok(Self { host: host.into(), port, tls, authority: authority.as_str().into(), socket: None })
    }

    /// A socket in the file system; `unix:///run/app.sock` means the same as `unix:/run/app.sock`.
    fn unix(path: &str) -> Result<Self, String> {
        let path = path.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(path);
        if !path.starts_with('/') || path.len() == 1 || path.contains('\0') {
            return Err(format!(
                "`unix:{path}` is not an upstream; write the whole path, such as `unix:/run/app.sock`"
            ));
        }
        if path.len() > SOCKET_PATH {
            return Err(format!("`unix:{path}` is longer than the {SOCKET_PATH} bytes of a socket's path"));
        }
        let authority = format!("unix:{path}").into();
        Ok(Self { host: "localhost".into(), port: 0, tls: false, authority, socket: Some(Path::new(path).into()) })
    }

    /// What a request that names no host is given as its own.
    pub(crate) fn host_field(&self) -> &str {
        if self.socket.is_some() { &self.host } else { &self.authority }
    }
}

impl Origin {
    /// The addresses this certainly means, without asking a resolver.
    fn written_addresses(&self) -> Vec<IpAddr> {
        const HERE: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        if self.socket.is_some() {
            return Vec::new();
        }
        if self.host.trim_end_matches('.').eq_ignore_ascii_case("localhost") {
            return HERE.into();
        }
        self.host.parse().map(meant).into_iter().collect()
    }
}

/// Where a connection to an address leads: connecting to "any address" leads to one's own.
pub(crate) fn meant(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        other => other,
    }
}

fn scheme(text: &str) -> Result<(&str, bool), String> {
    match text.split_once("://") {
        None => Ok((text, false)),
        Some(("http", rest)) => Ok((rest, false)),
        Some(("https", rest)) => Ok((rest, true)),
        Some((other, _)) => Err(format!("`{other}://` is not spoken here; write `http://` or `https://`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_addresses() {
        assert!(!Listen::parse("127.0.0.1:8080").unwrap().tls);
        assert!(Listen::parse("https://[::]:8443").unwrap().tls);
        for bad in ["localhost:80", ":8080", "8080", "ws://127.0.0.1:1", "127.0.0.1"] {
            assert!(Listen::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_upstream_that_is_oneself() {
        let own = |listen: &str, upstream: &str| {
            let upstream = Origin::parse(upstream).unwrap();
            Listen::parse(listen).unwrap().is_reached_by(&upstream)
        };
        for (listen, upstream) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("127.0.0.1:80", "http://127.0.0.1"),
            ("127.0.0.1:80", "LOCALHOST:80"),
            ("127.0.0.1:80", "0.0.0.0:80"),
            ("127.0.0.1:80", "[::ffff:127.0.0.1]:80"),
            ("0.0.0.0:80", "127.0.0.2:80"),
            ("0.0.0.0:80", "localhost.:80"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::]:80", "[::1]:80"),
            ("[::]:80", "[::]:80"),
            ("[::]:80", "localhost:80"),
            ("https://[::1]:443", "https://localhost"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert!(own(listen, upstream), "{listen} {upstream}");
        }
        for (listen, upstream) in [
            ("127.0.0.1:80", "127.0.0.1:81"),
            ("127.0.0.1:80", "127.0.0.2:80"),
            ("0.0.0.0:80", "192.0.2.1:80"),
            ("0.0.0.0:80", "[::1]:80"),
            ("[::]:80", "127.0.0.1:80"),
            ("127.0.0.1:80", "app:80"),
            ("192.0.2.1:80", "localhost:80"),
        ] {
            assert!(!own(listen, upstream), "{listen} {upstream}");
        }
    }

    #[test]
    fn upstream_addresses() {
        let of = |text: &str| Origin::parse(text).map(|o| (o.host.to_string(), o.port, o.tls));
        assert_eq!(of("app:8000"), Ok(("app".into(), 8000, false)));
        assert_eq!(of("https://app.example/"), Ok(("app.example".into(), 443, true)));
        assert_eq!(of("http://[::1]:80"), Ok(("::1".into(), 80, false)));
        for written in ["unix:/run/app.sock", "unix:///run/app.sock"] {
            let origin = Origin::parse(written).unwrap();
            assert_eq!(origin.socket.as_deref(), Some(Path::new("/run/app.sock")));
            assert_eq!((&*origin.authority, origin.host_field()), ("unix:/run/app.sock", "localhost"));
        }
        assert!(Origin::parse("/run/app.sock").unwrap_err().contains("`unix:/run/app.sock`"));
        for bad in ["unix:", "unix:/", "unix:app.sock", &format!("unix:/{}", "a".repeat(107))] {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
        for bad in ["app", "app:", "app:0", "app:70000", "a@b:1", "http://", "app:80/path", ""] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
