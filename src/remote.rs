//! The running program that a command asks: in place of files, where `--url` or `FLAGSTAFF_URL` names one, or for what only it knows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use anyhow::{Context, bail};
use flagstaff_client::Client;
use flagstaff_operations::Error;

use crate::cli::{FlagArgs, LedgerArgs, RemoteArgs};
use crate::settings::{self, Settings, checked, drawn};
use crate::workspace::{flag_options, warn};

/// A running program.
pub(crate) struct Remote {
    pub(crate) client: Client,
}

impl Remote {
    /// For a command about flags; none where it is about files.
    ///
    /// # Errors
    /// When the address or the file of the token makes no sense, or files are named as well.
    pub(crate) fn flags(args: &RemoteArgs, local: &FlagArgs) -> anyhow::Result<Option<Self>> {
        Self::new(args, local, None)
    }

    /// For a command about flags and what was recorded; none where it is about files.
    ///
    /// # Errors
    /// As [`Remote::flags`].
    pub(crate) fn ledger(args: &LedgerArgs) -> anyhow::Result<Option<Self>> {
        Self::new(&args.remote, &args.flags, args.ledger.as_deref())
    }

    /// For a command about what a program does now: the one that is named, or else the one of the local settings.
    ///
    /// # Errors
    /// When the address, the settings or the token make no sense.
    pub(crate) fn running(args: &RemoteArgs, local: &FlagArgs) -> anyhow::Result<Self> {
        if let Some(remote) = Self::flags(args, local)? {
            return Ok(remote);
        }
        let settings = Settings::load(local.config.as_deref(), flag_options(local))?;
        let typed = &settings.typed;
        let mut address = settings::admin::address(typed).map_err(|problems| settings.report(problems))?;
        if address.ip().is_unspecified() {
            address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
        let token = match &args.token_file {
            Some(file) => token(Some(file))?,
            None => settings::admin::token_here(typed, checked::state(typed).as_ref())
                .map_err(|problems| settings.report(problems))?,
        };
        Ok(Self { client: Client::new(&format!("http://{address}"), token)? })
    }

    fn new(args: &RemoteArgs, local: &FlagArgs, ledger: Option<&str>) -> anyhow::Result<Option<Self>> {
        let named = named(local, ledger);
        let url = match (&args.url, named) {
            (Some(_), Some(option)) => bail!(
                "--url asks a running program, which has its own flags and ledger; leave out {option}, or leave out --url"
            ),
            (Some(url), None) => url.clone(),
            // what is said by an option beats what is said by a variable
            (None, Some(_)) => return Ok(None),
            (None, None) => match settings::variable(settings::URL) {
                Some(url) => url,
                None => return Ok(None),
            },
        };
        let client = Client::new(&url, token(args.token_file.as_deref())?)?;
        if is_open(&url) {
            warn(&format!("the token goes to {url} unencrypted; use https:// where others can listen"));
        }
        Ok(Some(Self { client }))
    }

    /// The same, for a person who is recorded with what they change.
    pub(crate) fn by(self, author: &str) -> Self {
        Self { client: self.client.by(author) }
    }

    /// The answer of an operation, or its error as it is shown.
    ///
    /// # Errors
    /// When there is no answer.
    pub(crate) fn answer<T>(&self, answer: Result<T, Error>) -> anyhow::Result<T> {
        answer.map_err(|error| match error {
            Error::Elsewhere(problem) if problem.kind.is_drawn() => drawn(&problem.detail),
            error => error.into(),
        })
    }
}

/// An option that names files.
fn named(local: &FlagArgs, ledger: Option<&str>) -> Option<&'static str> {
    match local {
        FlagArgs { flags: Some(_), .. } => Some("--flags"),
        FlagArgs { environment: Some(_), .. } => Some("--environment"),
        FlagArgs { config: Some(_), .. } => Some("--config"),
        _ => ledger.map(|_| "--ledger"),
    }
}

/// The token: of the file, or else of the variable.
fn token(file: Option<&Path>) -> anyhow::Result<Option<String>> {
    let Some(file) = file else {
        return Ok(settings::variable(settings::admin::TOKEN));
    };
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read --token-file {}", file.display()))?;
    let token = text.trim();
    if token.is_empty() || token.chars().any(|c| !c.is_ascii_graphic()) {
        bail!("--token-file {} holds no token: it has one line, of letters and digits", file.display());
    }
    Ok(Some(token.into()))
}

/// Whether others than this machine may read what is sent.
fn is_open(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else {
        return false;
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host != "localhost" && !host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_the_open_is_noticed() {
        for open in ["http://flags.example:8081", "http://10.0.0.1:8081/", "http://[2001:db8::1]:80"] {
            assert!(is_open(open), "{open}");
        }
        for fine in ["https://flags.example", "http://127.0.0.1:8081", "http://localhost", "http://[::1]:8081/a"] {
            assert!(!is_open(fine), "{fine}");
        }
    }
}
