//! Paths in the settings file are meant from where the file is.

use std::path::{Path, PathBuf};

use super::checked::{NO_LEDGER, NO_STATE};
use super::token;
use super::typed::SettingsFile;

/// Makes the paths of a settings file lead from its folder.
pub(crate) fn beside(settings: &mut SettingsFile, folder: &Path) {
    let SettingsFile { flags, ledger, state, keys_file, upgrade_socket, upstream_ca, tls, user, unleash, .. } =
        settings;
    let tokens = [&mut settings.admin_token_file, &mut settings.admin_read_token_file, &mut unleash.tokens_file];
    if !flags.contains("://") {
        *flags = folder.join(&*flags).display().to_string();
    }
    if !ledger.contains("://") && ledger != NO_LEDGER {
        *ledger = folder.join(&*ledger).display().to_string();
    }
    if let Some(state) = state.as_mut().filter(|state| *state != NO_STATE) {
        *state = folder.join(&*state).display().to_string();
    }
    for path in [keys_file, upgrade_socket, upstream_ca].into_iter().chain(tokens).flatten() {
        join(folder, path);
    }
    if let Some(tls) = tls {
        join(folder, &mut tls.certificate);
        join(folder, &mut tls.key);
    }
    if let Some(jwt) = &mut user.jwt {
        token::beside(jwt, folder);
    }
}

fn join(folder: &Path, path: &mut PathBuf) {
    *path = folder.join(&*path);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_relative_paths_are_joined() {
        let mut settings = SettingsFile { keys_file: Some("/etc/keys".into()), ..SettingsFile::default() };
        beside(&mut settings, Path::new("config"));
        assert_eq!(settings.flags, "config/flags.toml");
        assert_eq!(settings.keys_file.as_deref(), Some(Path::new("/etc/keys")));
        assert_eq!(settings.ledger, "config/flagstaff.db");
        let mut remote = SettingsFile {
            flags: "redis://host/0".into(),
            ledger: "postgres://host/facts".into(),
            ..SettingsFile::default()
        };
        beside(&mut remote, Path::new("config"));
        assert_eq!(remote.flags, "redis://host/0");
        assert_eq!(remote.ledger, "postgres://host/facts");
        let mut off = SettingsFile { ledger: NO_LEDGER.into(), ..SettingsFile::default() };
        beside(&mut off, Path::new("config"));
        assert_eq!(off.ledger, NO_LEDGER);
    }
}
