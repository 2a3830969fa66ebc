//! The table of one flag, cut out of a text of which the rest may not be TOML: a switch-off must not wait until somebody has mended
//! another flag.

use std::ops::Range;

use toml_edit::Document;

/// Where a flag's table with a header of its own stands, up to the next header. None where that is not sure: the header is there
/// twice or not at all, a text of several lines may reach into it, or the table itself is not TOML.
pub(super) fn find(text: &str, flag: &str) -> Option<Range<usize>> {
    let mut headers = Vec::new();
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start_matches(['\u{feff}', ' ', '\t']).starts_with('[') {
            headers.push((begin, is_header_of(line, flag)));
        }
        begin += line.len();
    }
    let mut ours = headers.iter().enumerate().filter(|(_, (_, is_ours))| *is_ours);
    let (Some((place, (from, _))), None) = (ours.next(), ours.next()) else {
        return None;
    };
    let to = headers.get(place + 1).map_or(text.len(), |(next, _)| *next);
    let chunk = text.get(*from..to)?;
    let is_sure = is_outside_texts(text.get(..*from)?) && is_outside_texts(chunk) && Document::parse(chunk).is_ok();
    is_sure.then_some(*from..to)
}

/// `[flags.F]`, in any of the ways in which TOML writes keys.
fn is_header_of(line: &str, flag: &str) -> bool {
    let Ok(document) = Document::parse(line) else {
        return false;
    };
    let table = document.get("flags").and_then(|flags| flags.get(flag));
    table.and_then(toml_edit::Item::as_table).is_some_and(|table| !table.is_implicit())
}

/// Whether no text of several lines is open at the end.
fn is_outside_texts(text: &str) -> bool {
    ["\"\"\"", "'''"].iter().all(|mark| text.matches(mark).count().is_multiple_of(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn found(text: &str) -> Option<&str> {
        find(text, "a").and_then(|range| text.get(range))
    }

    #[test]
    fn a_table_is_found_beside_what_is_broken() {
        assert_eq!(
            found("[flags.b\n[flags.a] # x\npercent = 5\n\n[flags.c]\n= 1\n"),
            Some("[flags.a] # x\npercent = 5\n\n")
        );
        assert_eq!(found("[flags.'a']\n"), Some("[flags.'a']\n"));
        assert_eq!(found("<<<<<<< HEAD\n[flags.a]\n[flags.a.guard]\nerrors = 1"), Some("[flags.a]\n"));
    }

    #[test]
    fn what_is_not_sure_is_not_found() {
        for text in [
            "",
            "[flags.ab]\n",
            "[flags.a]\n[flags.a]\n",
            "[flags.a]\npercent = \n",
            "[flags.b]\ndescription = \"\"\"\n[flags.a]\n",
            "[[flags.a]]\n",
            "[flags.a\n",
            "[flags]\na = {\n",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
