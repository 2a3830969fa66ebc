//! What a text says of a flag, as it stands there.

use super::chunk;
use super::cut::cut;
use super::error::EditError;

/// A text without a flag.
///
/// # Errors
/// When the text is not TOML, or what would be left is not the same document without it.
pub fn without(text: &str, flag: &str) -> Result<String, EditError> {
    Ok(cut(text, &["flags", flag])?.map_or_else(|| text.to_owned(), |cut| cut.text))
}

/// The tables of a flag, with the comments that touch them; none where it is not in the text, or cannot be told from the rest.
#[must_use]
pub fn passage(text: &str, flag: &str) -> Option<String> {
    let whole = cut(text, &["flags", flag]).ok().flatten().map(|cut| cut.taken);
    whole.or_else(|| Some(text.get(chunk::find(text, flag)?)?.trim_end().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tables_of_a_flag_are_its_passage() {
        let text = "[flags.a]\npercent = 5 # few\n\n[flags.b]\npercent = 7\n\n[flags.a.guard]\nerrors = \"5xx\"\n";
        let found = passage(text, "a").unwrap();
        assert!(found.contains("percent = 5 # few") && found.contains("errors = \"5xx\""), "{found}");
        assert!(!found.contains("percent = 7"), "{found}");
        assert_eq!(passage(text, "c"), None);
    }

    #[test]
    fn a_flag_is_found_beside_what_is_broken() {
        assert_eq!(passage("[flags.b\n[flags.a]\npercent = 5\n", "a").as_deref(), Some("[flags.a]\npercent = 5"));
    }
}
