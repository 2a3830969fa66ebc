//! Where flags and ledger are, from settings that are wrong elsewhere.

use std::path::Path;

use super::{Override, Settings, overrides, resolve, said, typed, usual};

/// What a switch must know.
const KEYS: [&str; 3] = ["flags", "environment", "ledger"];

impl Settings {
    /// Settings of which only flags, environment and ledger are read: from options, variables and the file, in this order. None where
    /// one of these makes no sense, or the flag file is not there.
    pub(crate) fn of_places(file: Option<&Path>, options: Vec<Override>) -> Option<Self> {
        let mut typed = typed::SettingsFile::default();
        if let Some(file) = file.map(Path::to_owned).or_else(usual) {
            let text = std::fs::read(&file).ok()?;
            let found = found(&String::from_utf8_lossy(&text))?;
            typed = overrides::apply(&typed, &found).ok()?;
            resolve::beside(&mut typed, file.parent()?);
        }
        let mut over = overrides::from_environment(said);
        over.extend(options);
        over.retain(|one| KEYS.contains(&one.key.as_str()));
        let typed = overrides::apply(&typed, &over).ok()?;
        let is_there = typed.flags.contains("://") || Path::new(&typed.flags).exists();
        is_there.then_some(Self { typed, spans: None, overrides: over })
    }
}

/// The keys as lines at the top of the file say them; none where a value is no plain text.
fn found(text: &str) -> Option<Vec<Override>> {
    let top = text.trim_start_matches('\u{feff}').lines().map(str::trim).take_while(|line| !line.starts_with('['));
    let said = top.filter_map(|line| line.split_once('=')).map(|(key, value)| (key.trim().trim_matches('"'), value));
    let wanted = said.filter(|(key, _)| KEYS.contains(key));
    wanted.map(|(key, value)| Some(Override { key: key.into(), place: key.into(), text: plain(value)? })).collect()
}

/// A text between quotes, with nothing behind it but a comment.
fn plain(value: &str) -> Option<String> {
    let value = value.trim();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (text, rest) = value.get(1..)?.split_once(quote)?;
    let is_end = rest.trim().is_empty() || rest.trim().starts_with('#');
    (is_end && !text.is_empty() && !text.contains('\\')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_elsewhere_hides_no_place() {
        let of = |text: &str| Some(found(text)?.into_iter().map(|one| (one.key, one.text)).collect::<Vec<_>>());
        let text = "workers = \"many\nflags = \"a.toml\" # ours\nledger='b.db'\n[log]\nflags = 1\n";
        let want = [("flags", "a.toml"), ("ledger", "b.db")].map(|(key, text)| (key.to_owned(), text.to_owned()));
        assert_eq!(of(text), Some(want.to_vec()));
        for broken in ["flags = a.toml", "flags = \"a.toml", "ledger = \"\"\"", "environment = 'a' 'b'"] {
            assert_eq!(of(broken), None, "{broken}");
        }
        assert_eq!(of("listen = 1"), Some(Vec::new()));
    }
}
