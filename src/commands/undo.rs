//! The command that undoes an edit, as it was meant: with the options that said where the edit was made.

use std::path::Path;

use crate::cli::{FlagArgs, LedgerArgs, RemoteArgs};

/// What follows the command in some answers, and is no part of it.
const BESIDE: &str = ", and take `";

/// The command with the options that were typed, so that it undoes the edit where it was made. What settings and variables say holds for
/// it anyway.
pub(crate) fn located(command: &str, typed: &LedgerArgs) -> String {
    let options = options(typed);
    if !command.starts_with("flagstaff ") || options.is_empty() {
        return command.into();
    }
    let (command, beside) = command.split_at(command.rfind(BESIDE).unwrap_or(command.len()));
    format!("{command} {options}{beside}")
}

fn options(LedgerArgs { flags, remote, ledger }: &LedgerArgs) -> String {
    let FlagArgs { flags, environment, config } = flags;
    let RemoteArgs { url, token_file } = remote;
    let path = |path: &Option<_>| path.as_deref().map(Path::to_string_lossy).map(String::from);
    let all = [
        ("--url", url.clone()),
        ("--token-file", path(token_file)),
        ("--flags", flags.clone()),
        ("--environment", environment.clone()),
        ("--config", path(config)),
        ("--ledger", ledger.clone()),
    ];
    let all = all.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", word(&value?))));
    all.collect::<Vec<_>>().join(" ")
}

/// A value as a shell takes it. The password of an address is not shown.
fn word(value: &str) -> String {
    let shown = match value.split_once("://").map(|(scheme, rest)| (scheme, rest.rsplit_once('@'))) {
        Some((scheme, Some((_, host)))) => format!("{scheme}://…@{host}"),
        _ => value.to_owned(),
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "=._-:/…@".contains(c);
    if shown.chars().all(is_plain) { shown } else { format!("'{}'", shown.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_where_the_edit_went() {
        let typed = LedgerArgs {
            flags: FlagArgs {
                environment: Some("production".into()),
                config: Some("my files/a.toml".into()),
                flags: None,
            },
            ledger: Some("postgres://ada:secret@db/flags".into()),
            ..LedgerArgs::default()
        };
        let to = "--environment production --config 'my files/a.toml' --ledger postgres://…@db/flags";
        assert_eq!(located("flagstaff set a percent=20", &typed), format!("flagstaff set a percent=20 {to}"));
        assert_eq!(
            located("flagstaff set a percent=20, and take `owner` out of the file", &typed),
            format!("flagstaff set a percent=20 {to}, and take `owner` out of the file")
        );
        let quoted = "flagstaff set a 'description=Buy, and take it home'";
        assert_eq!(located(quoted, &typed), format!("{quoted} {to}"));
        assert_eq!(located("take `owner` out of the file", &typed), "take `owner` out of the file");
        assert_eq!(located("flagstaff on a", &LedgerArgs::default()), "flagstaff on a");
    }
}
