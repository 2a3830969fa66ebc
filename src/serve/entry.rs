//! How operators get to their address: with the token that was set, or with one that the program makes and keeps.

use anyhow::Context as _;
use flagstaff_admin::{Access, AccessSettings, new_token};
use flagstaff_source::StateFolder;

use crate::settings::admin::TOKEN_FILE;

/// How operators get in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// With a token that was set.
    Set,
    /// With a token that the program made.
    Made {
        /// The token.
        token: String,
        /// The file that keeps it; none where none does.
        file: Option<String>,
        /// It was made at this start.
        is_new: bool,
    },
}

/// Who may use the address. Where no token was set, the one of the state folder is taken, or a new one is made.
///
/// # Errors
/// When the system has no random numbers.
pub(crate) fn access(mut settings: AccessSettings, state: Option<&StateFolder>) -> anyhow::Result<(Access, Entry)> {
    let entry = if settings.token.is_none() && settings.read_token.is_none() { made(state)? } else { Entry::Set };
    if let Entry::Made { token, .. } = &entry {
        settings.token = Some(token.clone());
    }
    let listed = |problems: Vec<_>| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let access = Access::new(&settings)
        .map_err(|problems: Vec<flagstaff_flags::Problem>| anyhow::anyhow!(listed(problems)))?;
    Ok((access, entry))
}

fn made(state: Option<&StateFolder>) -> anyhow::Result<Entry> {
    if let Some(kept) = state.and_then(kept) {
        return Ok(kept);
    }
    let token = new_token()
        .context("the system has no random numbers for the token of operators; set FLAGSTAFF_ADMIN_TOKEN")?;
    let Some(state) = state else {
        return Ok(Entry::Made { token, file: None, is_new: true });
    };
    match state.create(TOKEN_FILE, token.as_bytes()) {
        Ok(true) => Ok(Entry::Made { token, file: Some(file(state)), is_new: true }),
        // another process was faster, or what is there is no token
        Ok(false) => Ok(kept(state).unwrap_or(Entry::Made { token, file: None, is_new: true })),
        Err(error) => {
            tracing::warn!(
                "the token of operators cannot be kept in {} ({error}), so it is another one after a restart; set FLAGSTAFF_ADMIN_TOKEN",
                state.path().display()
            );
            Ok(Entry::Made { token, file: None, is_new: true })
        }
    }
}

/// The token of an earlier start.
fn kept(state: &StateFolder) -> Option<Entry> {
    let bytes = state.read(TOKEN_FILE).inspect_err(|error| unusable(state, &error.to_string())).ok()??;
    let token = String::from_utf8(bytes).ok().map(|text| text.trim().to_owned()).filter(|text| is_made(text));
    if token.is_none() {
        unusable(state, "it holds no token that this program made; delete it");
    }
    Some(Entry::Made { token: token?, file: Some(file(state)), is_new: false })
}

fn unusable(state: &StateFolder, why: &str) {
    tracing::warn!("{} cannot be used: {why}", file(state));
}

/// Whether a text is as long and as plain as a token that the program makes.
fn is_made(text: &str) -> bool {
    (32..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn file(state: &StateFolder) -> String {
    state.path().join(TOKEN_FILE).display().to_string()
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn settings() -> AccessSettings {
        AccessSettings {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081),
            token: None,
            read_token: None,
            hosts: Vec::new(),
            author_header: None,
            trusted: Vec::new(),
        }
    }

    #[track_caller]
    fn token(state: Option<&StateFolder>) -> (String, bool) {
        match access(settings(), state).unwrap().1 {
            Entry::Made { token, is_new, .. } => (token, is_new),
            Entry::Set => panic!("none was set"),
        }
    }

    #[test]
    fn a_token_is_made_once_and_kept_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::new(&folder.path().join("state"));
        let (first, is_new) = token(Some(&state));
        assert!(is_new && first.len() == 32);
        let mode = std::fs::metadata(state.path().join(TOKEN_FILE)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(token(Some(&state)), (first.clone(), false));
        assert!(token(None).0 != first && token(None).1, "without a folder each start has its own");
        std::fs::write(state.path().join(TOKEN_FILE), "guess me").unwrap();
        assert!(token(Some(&state)).0.len() == 32);
        let set = AccessSettings { token: Some("one-that-was-set-by-hand".into()), ..settings() };
        assert_eq!(access(set, Some(&state)).unwrap().1, Entry::Set);
    }
}
