//! A new flag at the end of a text: a table of its own, or a copy of another flag's.

use flagstaff_flags::{Name, NameError};
use toml_edit::{Document, DocumentMut, Item, Table, Value};

use super::cut::{cut, is_without, to_be_added_to};
use super::end::taken;
use super::error::EditError;
use super::set::{find_flag, set};

/// What a copy does not take over, because it belongs to one flag alone: with the salt or the formula of another flag it would
/// have the same visitors.
const NOT_COPIED: [&str; 6] = ["salt", "hash", "layer", "waffle_name", "waffle_cookie_until", "created"];

/// A text with one more flag, with these keys.
///
/// # Errors
/// When the name is not valid or is taken, there is no flag to copy, the text is not TOML, or a key or value is not valid.
pub(super) fn create(text: &str, flag: &str, like: Option<&str>, keys: &[(&str, &str)]) -> Result<String, EditError> {
    Name::new(flag).map_err(|error| not_a_name(flag, &error))?;
    let document = Document::parse(text).map_err(|e| EditError::NotToml(e.message().into()))?;
    if find_flag(document.as_table(), flag).is_ok() {
        return Err(EditError::Exists(flag.into()));
    }
    let table = match like {
        Some(like) => {
            find_flag(document.as_table(), like)?;
            copied(text, like, flag)?
        }
        None => format!("[flags.{flag}]\n"),
    };
    let after = set(&appended(text, &table), flag, keys).map_err(|error| match error {
        EditError::NotToml(_) => EditError::NoPlace(flag.into()),
        other => other,
    })?;
    if is_without(&after, text, &["flags", flag]) { Ok(after) } else { Err(EditError::NoPlace(flag.into())) }
}

fn not_a_name(flag: &str, error: &NameError) -> EditError {
    let near = error.suggestion().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    EditError::NotAName { name: flag.into(), why: format!("{error}{near}") }
}

/// The text and the table behind it, with an empty line between and the line ends of the text.
fn appended(text: &str, table: &str) -> String {
    let before = to_be_added_to(text).trim_end();
    let gap = if before.trim_start_matches('\u{feff}').is_empty() { "" } else { "\n\n" };
    let added = format!("{gap}{}\n", table.trim());
    let added = if text.contains("\r\n") { added.replace("\r\n", "\n").replace('\n', "\r\n") } else { added };
    format!("{before}{added}")
}

/// The table of a flag under another name, with its comments.
fn copied(text: &str, like: &str, flag: &str) -> Result<String, EditError> {
    let mut source = taken(text, like)?;
    for key in NOT_COPIED {
        source = cut(&source, &["flags", like, key])?.map_or(source, |cut| cut.text);
    }
    let no_copy = || EditError::NoCopy(like.into());
    let mut document: DocumentMut = source.parse().map_err(|_| no_copy())?;
    let flags = document.get_mut("flags").and_then(Item::as_table_like_mut).ok_or_else(no_copy)?;
    let mut table = match flags.remove(like) {
        Some(Item::Table(table)) => table,
        Some(Item::Value(Value::InlineTable(table))) => table.into_table(),
        _ => return Err(no_copy()),
    };
    table.set_dotted(false);
    table.set_implicit(false);
    let mut flags = Table::new();
    flags.set_implicit(true);
    flags.insert(flag, Item::Table(table));
    let mut copy = DocumentMut::new();
    copy.insert("flags", Item::Table(flags));
    Ok(copy.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn created(text: &str, like: Option<&str>, keys: &[(&str, &str)]) -> String {
        create(text, "b", like, keys).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn a_new_flag_stands_at_the_end() {
        let keys = [("percent", "0"), ("owner", "growth team")];
        let table = "[flags.b]\npercent = 0\nowner = \"growth team\"\n";
        assert_eq!(created("", None, &keys), table);
        assert_eq!(created("# no flags\n", None, &keys), table);
        assert_eq!(created("# ours\n", None, &keys), format!("# ours\n\n{table}"));
        let text = "[flags.a] # a\npercent = 5\n\n\n# the end";
        assert_eq!(created(text, None, &keys), format!("{text}\n\n{table}"));
        let windows = "[flags.a]\r\n[goals.g]\r\non = \"/x\"\r\n";
        assert_eq!(created(windows, None, &keys), format!("{windows}\r\n{}", table.replace('\n', "\r\n")));
        assert_eq!(
            created("[flags]\na = { percent = 5 }\n", None, &[]),
            "[flags]\na = { percent = 5 }\n\n[flags.b]\n"
        );
    }

    #[test]
    fn a_copy_keeps_comments_and_leaves_what_belongs_to_the_other() {
        let text = "# the form\n[flags.a] # live\nsalt = \"old\"\nowner = \"x\" # mine\nlayer = \"l\"\npercent = 5\n\n\
                    # watch it\n[flags.a.guard]\nerrors = \"5xx\" # many\n\n[[flags.a.rules]]\npercent = 1\n\n[flags.c]\n";
        let copy = "# the form\n[flags.b] # live\nowner = \"x\" # mine\npercent = 5\nenabled = false\n\n\
                    # watch it\n[flags.b.guard]\nerrors = \"5xx\" # many\n\n[[flags.b.rules]]\npercent = 1\n";
        assert_eq!(
            created(&format!("#\n\n{text}"), Some("a"), &[("enabled", "false")]),
            format!("#\n\n{text}\n{copy}")
        );
        for (text, copy) in [
            ("[flags]\na = { percent = 5, owner = \"x\" }\n", "[flags.b]\npercent = 5\nowner = \"x\"\n"),
            (
                "[flags]\na.percent = 5 # five\na.guard.errors = \"5xx\"\nc.percent = 1\n",
                "[flags.b]\npercent = 5 # five\nguard.errors = \"5xx\"\n",
            ),
            ("flags.a.percent = 5\n", "[flags.b]\npercent = 5\n"),
            ("[flags.a.guard]\nerrors = \"5xx\"\n", "[flags.b]\n[flags.b.guard]\nerrors = \"5xx\"\n"),
        ] {
            let after = created(text, Some("a"), &[]);
            let added = after.strip_prefix(text).unwrap_or_else(|| panic!("{after}"));
            let lines = |text: &str| {
                text.lines().filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect::<String>()
            };
            assert_eq!(lines(added), copy);
        }
    }

    #[test]
    fn what_cannot_be_made_says_why() {
        let text = "[flags.a]\n[flags.form]\n";
        let why = |text: &str, flag: &str, like: Option<&str>| create(text, flag, like, &[]).unwrap_err().to_string();
        assert!(why(text, "a", None).contains("there is already a flag `a`"));
        assert!(why(text, "New Form", None).contains("`New Form`"));
        assert!(why(text, "b", Some("fom")).contains("did you mean `form`?"));
        assert!(why("[flags.a\n", "b", None).contains("not TOML"));
        assert!(why("flags = { a = { percent = 5 } }\n", "b", None).contains("by hand"));
        assert!(create(text, "b", None, &[("percent", "[")]).is_err());
    }
}
