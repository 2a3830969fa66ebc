//! Who may use the operators' address.

use std::net::SocketAddr;
use std::path::Path;

use flagstaff_admin::{Access, AccessSettings};
use flagstaff_flags::Problem;
use flagstaff_source::StateFolder;

use super::typed::SettingsFile;

/// The variable that holds the token of operators.
pub(crate) const TOKEN: &str = "FLAGSTAFF_ADMIN_TOKEN";
/// The variable that holds the token of operators who may only read.
pub(super) const READ_TOKEN: &str = "FLAGSTAFF_ADMIN_READ_TOKEN";

/// The file of the state folder with the token that the program makes where none is set.
pub(crate) const TOKEN_FILE: &str = "admin-token";

/// The operators' address.
///
/// # Errors
/// When it is none.
pub(crate) fn address(typed: &SettingsFile) -> Result<SocketAddr, Vec<Problem>> {
    typed.admin.parse().map_err(|_| {
        let problem = Problem::new(["admin"], format!("`{}` is not an address", typed.admin));
        vec![problem.help("write one such as \"127.0.0.1:8081\"")]
    })
}

/// The token of a program with these settings that runs on this machine: the one that was set, or else the one that it made; none where
/// there is none yet.
///
/// # Errors
/// When a file that is named cannot be read.
pub(crate) fn token_here(typed: &SettingsFile, state: Option<&StateFolder>) -> Result<Option<String>, Vec<Problem>> {
    let set = token(TOKEN, "admin_token_file", typed.admin_token_file.as_deref())?;
    let read = || token(READ_TOKEN, "admin_read_token_file", typed.admin_read_token_file.as_deref());
    if let Some(token) = set.map_or_else(read, |set| Ok(Some(set)))? {
        return Ok(Some(token));
    }
    let made = state.and_then(|state| state.read(TOKEN_FILE).ok()?);
    Ok(made.and_then(|bytes| String::from_utf8(bytes).ok()).map(|text| text.trim().to_owned()))
}

/// Who may use the operators' address, as far as it was set. Without any token the program makes one.
///
/// # Errors
/// With every problem.
pub(crate) fn access(typed: &SettingsFile, address: SocketAddr) -> Result<AccessSettings, Vec<Problem>> {
    let token = token(TOKEN, "admin_token_file", typed.admin_token_file.as_deref())?;
    let read_token = self::token(READ_TOKEN, "admin_read_token_file", typed.admin_read_token_file.as_deref())?;
    let is_guarded = token.is_some() || read_token.is_some();
    if !is_guarded && !address.ip().to_canonical().is_loopback() {
        return Err(vec![no_token(address)]);
    }
    let for_visitors = typed.listen.iter().map(|text| text.split_once("://").map_or(text.as_str(), |(_, rest)| rest));
    if for_visitors.filter_map(|text| text.parse().ok()).any(|other| meet(address, other)) {
        let problem = Problem::new(["admin"], format!("{address} is taken by `listen`, for visitors"));
        return Err(vec![problem.help("operators need an address of their own, such as \"127.0.0.1:8081\"")]);
    }
    let settings = AccessSettings {
        address,
        token,
        read_token,
        hosts: typed.admin_hosts.clone(),
        author_header: typed.admin_author_header.clone(),
        trusted: typed.trust.addresses.clone(),
    };
    Access::new(&settings).map(|_| settings)
}

/// Whether only one of them can be listened on.
fn meet(one: SocketAddr, other: SocketAddr) -> bool {
    let [a, b] = [one.ip(), other.ip()];
    let is_all = a.is_ipv4() == b.is_ipv4() && (a.is_unspecified() || b.is_unspecified());
    one.port() == other.port() && one.port() != 0 && (a == b || is_all)
}

/// A token from the environment, or else from a file.
fn token(variable: &str, key: &str, file: Option<&Path>) -> Result<Option<String>, Vec<Problem>> {
    if let Some(token) = super::variable(variable) {
        return Ok(Some(token.trim().to_owned()));
    }
    let Some(file) = file else { return Ok(None) };
    let text = std::fs::read_to_string(file).map_err(|error| {
        let problem = Problem::new([key], format!("cannot read {}: {error}", file.display()));
        vec![problem.help(format!("make one: openssl rand -hex 24 > {0} && chmod 600 {0}", file.display()))]
    })?;
    Ok(Some(text.trim().to_owned()))
}

fn no_token(address: SocketAddr) -> Problem {
    let message = format!("other machines can reach {address}, and no token is set that keeps strangers out");
    let help = format!(
        "set one: {TOKEN}=$(openssl rand -hex 24), or admin_token_file = \"FILE\"; or let only this machine reach it: \
         admin = \"127.0.0.1:{}\"",
        address.port()
    );
    Problem::new(["admin"], message).help(help)
}
