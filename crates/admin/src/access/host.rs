//! The names by which this address may be asked. A page of another site whose name suddenly leads here (DNS rebinding) is told by its
//! Host, and gets nothing.

use std::net::{IpAddr, SocketAddr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};
use flagstaff_flags::Problem;

/// The names by which this address may be asked, without their ports: a tunnel may change those.
#[derive(Debug)]
pub(super) struct Hosts {
    address: IpAddr,
    names: Vec<String>,
}

impl Hosts {
    /// Those of the address that is listened on, and these names.
    pub(super) fn new(address: SocketAddr, names: &[String], problems: &mut Vec<Problem>) -> Self {
        let wrong = |(place, name): (usize, &String)| {
            let message = format!("`{name}` is not the name of a host");
            (!is_host(name)).then(|| {
                let problem = Problem::new(["admin_hosts", &place.to_string()], message);
                problem.help("write the name alone, such as \"flags.example.com\"")
            })
        };
        problems.extend(names.iter().enumerate().filter_map(wrong));
        let address = address.ip().to_canonical();
        Self { address, names: names.iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// Whether the request names a host of this address, once and clearly.
    pub(super) fn fit(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let mut all = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (all.next(), all.next()) else {
            return false;
        };
        let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
        host.is_some_and(|host| self.has(&host)) && uri.authority().is_none_or(|authority| self.has(authority))
    }

    /// Whether a host with or without a port is one of this address.
    pub(super) fn has(&self, authority: &Authority) -> bool {
        let host = authority.host().trim_end_matches('.').to_ascii_lowercase();
        if authority.as_str().contains('@') {
            return false;
        }
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match address.map(|address| address.to_canonical()) {
            // a name can lead to another machine tomorrow, an address cannot
            Ok(ip) => {
                ip.is_loopback() || self.address.is_unspecified() || ip == self.address || self.names.contains(&host)
            }
            Err(_) => host == "localhost" || host.ends_with(".localhost") || self.names.contains(&host),
        }
    }
}

impl Hosts {
    /// Whether the settings name this host.
    pub(super) fn names(&self, authority: &Authority) -> bool {
        self.names.contains(&authority.host().to_ascii_lowercase())
    }
}

fn is_host(name: &str) -> bool {
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    !name.is_empty()
        && name.len() <= 253
        && (is_name || name.parse::<Authority>().is_ok_and(|a| a.host() == name && name.starts_with('[')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(address: &str, names: &[&str]) -> Hosts {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut problems = Vec::new();
        let hosts = Hosts::new(address.parse().unwrap(), &names, &mut problems);
        assert_eq!(problems, []);
        hosts
    }

    fn fits(hosts: &Hosts, target: &str, said: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in said {
            headers.append(header::HOST, host.parse().unwrap());
        }
        hosts.fit(&target.parse().unwrap(), &headers)
    }

    #[test]
    fn names_of_this_machine_and_those_of_the_settings() {
        let local = hosts("127.0.0.1:8081", &["flags.example.com"]);
        for host in [
            "127.0.0.1:8081",
            "localhost:9999",
            "LocalHost",
            "a.localhost:1",
            "[::1]:8081",
            "Flags.Example.com.",
            "127.0.0.1",
        ] {
            assert!(fits(&local, "/flags", &[host]), "{host}");
        }
        for host in [
            "evil.com",
            "evil.com:8081",
            "localhost.evil.com",
            "10.0.0.1",
            "flags.example.com.evil.com",
            "a@localhost",
            "",
        ] {
            assert!(!fits(&local, "/flags", &[host]), "{host}");
        }
        assert!(!fits(&local, "/", &[]) && !fits(&local, "/", &["localhost", "localhost"]));
        assert!(
            fits(&local, "http://localhost/", &["localhost"]) && !fits(&local, "http://evil.com/", &["localhost"])
        );
    }

    #[test]
    fn an_address_fits_where_it_is_listened_on() {
        let (one, all) = (hosts("10.0.0.5:8081", &[]), hosts("0.0.0.0:8081", &[]));
        assert!(fits(&one, "/", &["10.0.0.5:8081"]) && !fits(&one, "/", &["10.0.0.6:8081"]));
        assert!(
            fits(&all, "/", &["10.0.0.6:8081"])
                && fits(&all, "/", &["[fe80::1]:80"])
                && !fits(&all, "/", &["evil.com"])
        );
    }

    #[test]
    fn what_is_no_name_is_told() {
        let names = ["https://a.b", "a.b:80", "*.a.b", "", "a b", "ok.example"].map(ToOwned::to_owned);
        let mut problems = Vec::new();
        Hosts::new("127.0.0.1:1".parse().unwrap(), &names, &mut problems);
        let places: Vec<_> = problems.iter().map(|problem| problem.at.join(".")).collect();
        assert_eq!(places, [0, 1, 2, 3, 4].map(|place| format!("admin_hosts.{place}")));
    }
}
