//! Addresses that cannot be listened on, and what to do about it.

use std::io::ErrorKind;
use std::net::SocketAddr;

use flagstaff_sidecar::{BindError, StartError};

/// The error of a start with what to do about it; `admin` is the operators' address.
pub(crate) fn explained(error: StartError, admin: SocketAddr) -> anyhow::Error {
    let help = match &error {
        StartError::Bind(BindError::Bind { address, source }) => mend(*address, source.kind(), *address == admin),
        _ => None,
    };
    let error = anyhow::Error::from(error);
    match help {
        Some(help) => anyhow::anyhow!("{error:#}\n{help}"),
        None => error,
    }
}

fn mend(address: SocketAddr, why: ErrorKind, is_admin: bool) -> Option<String> {
    let (key, free) = if is_admin { ("admin", "127.0.0.1:9081") } else { ("listen", "127.0.0.1:9080") };
    let port = address.port();
    match why {
        ErrorKind::AddrInUse => Some(format!(
            "another program listens there; `ss -ltnp 'sport = :{port}'` shows which. End it, or name another address: \
             --{key} {free}"
        )),
        ErrorKind::PermissionDenied => Some(format!(
            "ports below 1024 need a right: `sudo setcap cap_net_bind_service=+ep $(command -v flagstaff)` gives it to \
             the program (AmbientCapabilities=CAP_NET_BIND_SERVICE in a systemd unit). Or name a higher port: --{key} {free}"
        )),
        ErrorKind::AddrNotAvailable => Some(format!(
            "this machine has no such address; `ip address` shows those it has. 0.0.0.0:{port} listens on all of them"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mend_names_the_option_it_is_about() {
        let address = "127.0.0.1:80".parse().unwrap();
        for why in [ErrorKind::AddrInUse, ErrorKind::PermissionDenied] {
            assert!(mend(address, why, true).unwrap().contains("--admin "));
            assert!(mend(address, why, false).unwrap().contains("--listen "));
        }
        assert!(mend(address, ErrorKind::PermissionDenied, false).unwrap().contains("setcap"));
        assert!(mend(address, ErrorKind::AddrInUse, false).unwrap().contains(":80'"));
    }
}
