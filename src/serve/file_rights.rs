//! Files that others may read or write although they should not: a warning for each at the start.

use std::path::Path;

use crate::settings::typed;

/// Warns of a keys file, files with tokens, a ledger, and the folder of an upgrade socket that others have rights to.
pub(crate) fn warn(settings: &typed::SettingsFile) {
    for warning in warnings(settings) {
        tracing::warn!("{warning}");
    }
}

fn warnings(settings: &typed::SettingsFile) -> Vec<String> {
    let keys = settings.keys_file.as_deref().and_then(|file| {
        let mode = mode(file).filter(|mode| mode & (OTHERS | GROUP_WRITES) != 0)?;
        Some(format!(
            "keys_file {} can be read or written by others (mode {mode:04o}), who can then sign cookies and links: chmod 600 {0}",
            file.display()
        ))
    });
    let tokens = [&settings.admin_token_file, &settings.admin_read_token_file].into_iter().flatten().filter_map(|file| {
        let mode = mode(file).filter(|mode| mode & (OTHERS | GROUP_WRITES) != 0)?;
        Some(format!(
            "{} can be read or written by others (mode {mode:04o}), who can then use the operators' address: chmod 600 {0}",
            file.display()
        ))
    });
    let ledger = ledger(settings).and_then(|file| {
        let mode = mode(file).filter(|mode| mode & OTHERS != 0)?;
        Some(format!(
            "the ledger {} can be read by others (mode {mode:04o}), and says who saw which variant: chmod 600 {0}",
            file.display()
        ))
    });
    let socket = settings.upgrade_socket.as_deref().and_then(|socket| {
        let folder = socket.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mode = mode(folder).filter(|mode| mode & OTHERS_WRITE != 0)?;
        Some(format!(
            "upgrade_socket {} is in a folder that others can write to (mode {mode:04o}), who can then take its place: \
             name a folder of your own, such as /run/flagstaff",
            socket.display()
        ))
    });
    [keys, ledger, socket].into_iter().flatten().chain(tokens).collect()
}

/// The ledger, where it is a file.
fn ledger(settings: &typed::SettingsFile) -> Option<&Path> {
    Some(Path::new(&settings.ledger)).filter(|path| !path.as_os_str().is_empty() && path.is_file())
}

const OTHERS: u32 = 0o007;
const OTHERS_WRITE: u32 = 0o002;
const GROUP_WRITES: u32 = 0o020;

/// The rights of a file that is there.
#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    Some(std::fs::metadata(path).ok()?.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_that_others_may_read_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let made = |name: &str, mode: u32| {
            let path = folder.path().join(name);
            fs::write(&path, "x").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path
        };
        let of = |keys: u32, ledger: u32, at: u32| {
            fs::set_permissions(folder.path(), Permissions::from_mode(at)).unwrap();
            let settings = typed::SettingsFile {
                keys_file: Some(made("signing.keys", keys)),
                ledger: made("ledger.db", ledger).to_str().unwrap().into(),
                upgrade_socket: Some(folder.path().join("upgrade.sock")),
                ..typed::SettingsFile::default()
            };
            warnings(&settings)
        };
        assert_eq!(of(0o600, 0o600, 0o755), [""; 0]);
        assert_eq!(of(0o640, 0o640, 0o775), [""; 0]);
        let all = of(0o666, 0o644, 0o777);
        let told = ["signing.keys", "ledger.db", "upgrade.sock"].map(|name| all.iter().any(|one| one.contains(name)));
        assert_eq!((all.len(), told), (3, [true; 3]), "{all:?}");
        assert_eq!(of(0o620, 0o600, 0o755).len(), 1);
    }
}
