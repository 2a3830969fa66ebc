//! Takes something out of a text, and leaves the rest as it is.

use std::ops::Range;

use serde_json::Value as Json;
use toml_edit::{Document, InlineTable, Item, Table, Value};

use super::error::EditError;

/// What a file says that has nothing else to say: an empty one is taken for a save that is not done.
const NO_FLAGS: &str = "# no flags\n";

/// What a file is to say when this is left of it.
pub(super) fn left_in_file(text: String) -> String {
    if text.trim_start_matches('\u{feff}').trim().is_empty() { NO_FLAGS.into() } else { text }
}

/// A text that something is to be added to: empty where it only says that there are no flags.
pub(super) fn to_be_added_to(text: &str) -> &str {
    if text.trim() == NO_FLAGS.trim() { "" } else { text }
}

/// A text without something, and what that was.
pub(super) struct Cut {
    pub(super) text: String,
    pub(super) taken: String,
}

/// Takes out what stands at a path, with the comments that touch its headers; `None` when nothing is there.
///
/// # Errors
/// When the text is not TOML, or what would be left is not the same document without it.
pub(super) fn cut(text: &str, path: &[&str]) -> Result<Option<Cut>, EditError> {
    let ranges = ranges(text, path)?;
    if ranges.is_empty() {
        return Ok(None);
    }
    let taken: Vec<_> = ranges.iter().filter_map(|range| text.get(range.clone())).map(str::trim).collect();
    let taken = taken.join("\n");
    let mut left = text.to_owned();
    for range in ranges.into_iter().rev() {
        left.replace_range(range, "");
    }
    if is_without(text, &left, path) {
        return Ok(Some(Cut { text: left, taken }));
    }
    Err(EditError::NoValue { path: path.join("."), why: "it cannot be taken out here; take it out by hand" })
}

/// The bytes of what stands at a path, with the comments that touch its headers and the blank lines that go with it, in order; none when nothing is
/// there.
///
/// # Errors
/// When the text is not TOML.
pub(super) fn ranges(text: &str, path: &[&str]) -> Result<Vec<Range<usize>>, EditError> {
    let document = Document::parse(text).map_err(|e| EditError::NotToml(e.message().into()))?;
    let mut removal = Removal { text, headers: headers(document.as_table()), blocks: Vec::new(), rest: Vec::new() };
    let is_there = removal.find(document.as_table(), path);
    Ok(if is_there { removal.ranges() } else { Vec::new() })
}

/// What is to be taken out of a text.
struct Removal<'t> {
    text: &'t str,
    /// Where each header of the text begins, in order.
    headers: Vec<usize>,
    /// Headers and the end of what is written below them.
    blocks: Vec<(usize, usize)>,
    /// Lines, and entries between braces.
    rest: Vec<Range<usize>>,
}

impl Removal<'_> {
    fn find(&mut self, table: &Table, path: &[&str]) -> bool {
        let Some((key, below)) = path.split_first() else {
            return false;
        };
        match (table.get(key), below) {
            (None | Some(Item::None), _) => return false,
            (Some(item), []) => self.take(item),
            (Some(Item::Table(table)), _) => return self.find(table, below),
            (Some(Item::Value(Value::InlineTable(table))), _) => return self.find_inside(table, below),
            (Some(_), _) => return false,
        }
        true
    }

    fn find_inside(&mut self, table: &InlineTable, path: &[&str]) -> bool {
        let Some((key, below)) = path.split_first() else {
            return false;
        };
        match (table.get(key), below) {
            (None, _) => return false,
            (Some(value), []) => self.take_inside(table, value),
            (Some(Value::InlineTable(table)), _) => return self.find_inside(table, below),
            (Some(_), _) => return false,
        }
        true
    }

    /// An item of a table that has lines: values, dotted keys, tables with headers.
    fn take(&mut self, item: &Item) {
        match item {
            Item::None => {}
            Item::Value(value) => self.rest.extend(value.span().map(|span| self.lines(&span))),
            Item::Table(table) => self.take_table(table),
            Item::ArrayOfTables(tables) => tables.iter().for_each(|table| self.take_table(table)),
        }
    }

    fn take_table(&mut self, table: &Table) {
        if is_headed(table) {
            let header = table.span().unwrap_or_default();
            let values = table.get_values().into_iter().filter_map(|(_, value)| value.span());
            let last = values.map(|span| span.end).max().unwrap_or(header.end);
            self.blocks.push((header.start, last));
        }
        for (_, item) in table.iter().filter(|(_, item)| !is_headed_line(table, item)) {
            self.take(item);
        }
    }

    /// An entry between braces, with one comma.
    fn take_inside(&mut self, table: &InlineTable, value: &Value) {
        let leaves = leaves(value);
        if table.len() == 1
            && let Some(braces) = table.span().filter(|_| !table.is_dotted())
        {
            self.rest.push(braces.start + 1..braces.end - 1);
            return;
        }
        self.rest.extend(leaves.into_iter().map(|span| entry(self.text, &span)));
    }

    /// Whole lines around a value.
    fn lines(&self, span: &Range<usize>) -> Range<usize> {
        line_start(self.text, span.start)..line_end(self.text, span.end)
    }

    /// All ranges, in order, none touching another.
    fn ranges(mut self) -> Vec<Range<usize>> {
        self.blocks.sort_unstable();
        let mut all: Vec<Range<usize>> = Vec::new();
        let ours: Vec<usize> = self.blocks.iter().map(|block| block.0).collect();
        for (header, last) in &self.blocks {
            let next = self.headers.iter().copied().find(|other| other > header);
            let end = match next {
                // what stands between two tables of its own is its own
                Some(next) if ours.contains(&next) => line_start(self.text, next),
                _ => with_remarks(self.text, line_end(self.text, *last), next.unwrap_or(self.text.len())),
            };
            all.push(with_comments_above(self.text, line_start(self.text, *header))..end);
        }
        let blocks = join(all).into_iter().map(|block| with_blank_lines(self.text, block));
        let joined = join(blocks.chain(self.rest).collect());
        joined.into_iter().map(|range| with_comma_before(self.text, range)).collect()
    }
}

/// Whether a table is written with a header.
fn is_headed(table: &Table) -> bool {
    !table.is_implicit() && !table.is_dotted()
}

/// Whether an item goes with the lines below its table's header.
fn is_headed_line(table: &Table, item: &Item) -> bool {
    let is_line = matches!(item, Item::Value(_)) || item.as_table().is_some_and(Table::is_dotted);
    is_headed(table) && is_line
}

/// Where each header begins.
fn headers(table: &Table) -> Vec<usize> {
    let mut all = Vec::new();
    for (_, item) in table {
        let tables: Vec<&Table> = match item {
            Item::Table(table) => vec![table],
            Item::ArrayOfTables(tables) => tables.iter().collect(),
            Item::None | Item::Value(_) => vec![],
        };
        for table in tables {
            all.extend(table.span().filter(|_| is_headed(table)).map(|span| span.start));
            all.extend(headers(table));
        }
    }
    all.sort_unstable();
    all
}

/// The places of the values that a value with dotted keys stands for.
fn leaves(value: &Value) -> Vec<Range<usize>> {
    match value {
        Value::InlineTable(table) if table.is_dotted() => table.iter().flat_map(|(_, value)| leaves(value)).collect(),
        value => value.span().into_iter().collect(),
    }
}

/// An entry of a table between braces, from behind the comma or brace before it, with one comma.
fn entry(text: &str, value: &Range<usize>) -> Range<usize> {
    let before = text.get(..value.start).unwrap_or_default();
    let begin = before.rfind([',', '{', '\n']).map_or(0, |at| at + 1);
    let after = text.get(value.end..).unwrap_or_default();
    let gap = after.len() - after.trim_start().len();
    if after.get(gap..).is_some_and(|rest| rest.starts_with(',')) {
        return begin..value.end + gap + 1;
    }
    begin..value.end
}

/// When the last entries between braces go, so does the comma before them.
fn with_comma_before(text: &str, range: Range<usize>) -> Range<usize> {
    let is_last = text.get(range.end..).is_some_and(|rest| rest.trim_start().starts_with('}'));
    let comma = text.get(..range.start).map(str::trim_end).filter(|rest| is_last && rest.ends_with(','));
    comma.map_or(range.start, |rest| rest.len() - 1)..range.end
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1)
}

/// Behind the line's end.
fn line_end(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |end| at + end + 1)
}

fn line(text: &str, from: usize) -> &str {
    text.get(from..line_end(text, from)).unwrap_or_default().trim()
}

/// Comments that touch the header from above. What stands at the top of the file is about the file.
fn with_comments_above(text: &str, header: usize) -> usize {
    let mut start = header;
    while start > 0 && line(text, line_start(text, start - 1)).starts_with('#') {
        start = line_start(text, start - 1);
    }
    if start == 0 { header } else { start }
}

/// Comments that touch the last value from below, unless they touch the next header.
fn with_remarks(text: &str, end: usize, next: usize) -> usize {
    let mut after = end;
    while after < next && line(text, after).starts_with('#') {
        after = line_end(text, after);
    }
    let touches_next = after >= next && next < text.len();
    if touches_next { end } else { after }
}

/// The blank lines behind a block, where there is one before it, too, or nothing; at the end of the file those before it.
fn with_blank_lines(text: &str, block: Range<usize>) -> Range<usize> {
    let is_blank = |from: usize| line(text, from).is_empty();
    let (mut start, mut end) = (block.start, block.end);
    if start == 0 || is_blank(line_start(text, start - 1)) {
        while end < text.len() && is_blank(end) {
            end = line_end(text, end);
        }
    }
    if end >= text.len() {
        while start > 0 && is_blank(line_start(text, start - 1)) {
            start = line_start(text, start - 1);
        }
    }
    start..end
}

/// Ranges in order, those that touch made one.
fn join(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// Whether a text means the same as another one without what is at the path.
pub(super) fn is_without(before: &str, after: &str, path: &[&str]) -> bool {
    let read = |text: &str| toml::from_str::<Json>(text).ok();
    let (Some(mut before), Some(mut after)) = (read(before), read(after)) else {
        return false;
    };
    remove(&mut before, path);
    prune(&mut before, path);
    prune(&mut after, path);
    before == after
}

fn remove(value: &mut Json, path: &[&str]) {
    let Some((last, way)) = path.split_last() else {
        return;
    };
    let table = way.iter().try_fold(value, |here, key| here.get_mut(key)).and_then(Json::as_object_mut);
    table.and_then(|table| table.remove(*last));
}

/// Tables on the way that have nothing in them may be there or not.
fn prune(value: &mut Json, path: &[&str]) {
    for depth in (1..path.len()).rev() {
        let way = path.get(..depth).unwrap_or_default();
        let here = way.iter().try_fold(&*value, |here, key| here.get(key));
        if here.and_then(Json::as_object).is_some_and(serde_json::Map::is_empty) {
            remove(value, way);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of a text without a flag `a`, and what that was.
    #[track_caller]
    fn without(text: &str) -> (String, String) {
        let cut = cut(text, &["flags", "a"]).unwrap().unwrap();
        (cut.text, cut.taken)
    }

    fn pair(left: &str, taken: &str) -> (String, String) {
        (left.into(), taken.into())
    }

    #[test]
    fn a_table_goes_with_what_touches_it() {
        let text = "#:schema x\n# The flags.\n\n# about b\n[flags.b]\npercent = 5 # b\n\n# ── A ──\n\n# about a\n[flags.a] # head\n\
                    # share\npercent = 5\n# remark\n\n# ── C ──\n\n# about c\n[flags.c]\n";
        let left = "#:schema x\n# The flags.\n\n# about b\n[flags.b]\npercent = 5 # b\n\n# ── A ──\n\n# ── C ──\n\n# about c\n[flags.c]\n";
        assert_eq!(without(text), pair(left, "# about a\n[flags.a] # head\n# share\npercent = 5\n# remark"));
    }

    #[test]
    fn the_top_of_the_file_and_the_next_flags_comment_stay() {
        let text = "#:schema x\n[flags.a]\npercent = 5\n# about b\n[flags.b]\n";
        assert_eq!(without(text), pair("#:schema x\n# about b\n[flags.b]\n", "[flags.a]\npercent = 5"));
        assert_eq!(without("[flags.b]\n\n[flags.a]\npercent = 5\n"), pair("[flags.b]\n", "[flags.a]\npercent = 5"));
        assert_eq!(without("[flags.b]\n[flags.a]\n"), pair("[flags.b]\n", "[flags.a]"));
        assert_eq!(without("[flags.a]"), pair("", "[flags.a]"));
    }

    #[test]
    fn tables_below_it_go_too_wherever_they_are() {
        let text = "[flags.a]\npercent = 5\n\n# note\n\n[flags.a.guard]\nerrors = \"5xx\"\n\n[flags.b]\n\n[[flags.a.rules]]\nserve = \"on\"\n\n[goals.g]\nevent = \"g\"\n";
        let (left, taken) = without(text);
        assert_eq!(left, "[flags.b]\n\n[goals.g]\nevent = \"g\"\n");
        assert!(taken.contains("# note") && taken.ends_with("serve = \"on\""), "{taken}");
        let alone = "[flags.a.guard]\nerrors = \"5xx\"\n[flags.b]\n";
        assert_eq!(without(alone).0, "[flags.b]\n");
    }

    #[test]
    fn dotted_and_inline_flags_are_lines_and_entries() {
        let text = "[flags]\nb.percent = 1 # b\na.percent = [\n  1,\n] # a\na.guard.errors = \"5xx\"\n# c\nc = {}\n";
        assert_eq!(without(text).0, "[flags]\nb.percent = 1 # b\n# c\nc = {}\n");
        assert_eq!(without("[flags]\na = { percent = 5 } # a\nb = {}\n").0, "[flags]\nb = {}\n");
        assert_eq!(without("flags = { a = { percent = 5 }, b = {} }\n").0, "flags = { b = {} }\n");
        assert_eq!(without("flags = { b = {}, a.percent = 5, a.enabled = true }\n").0, "flags = { b = {} }\n");
        assert_eq!(without("flags = { a = {} }\n").0, "flags = {}\n");
        assert_eq!(without("flags.a.percent = 5\nflags.b.percent = 5\n").0, "flags.b.percent = 5\n");
    }

    #[test]
    fn slices_keys_and_windows_ends_of_lines() {
        let path = ["layers", "p", "slices", "a"];
        let slices = |text: &str| cut(text, &path).unwrap().unwrap().text;
        assert_eq!(
            slices("[layers.p]\nslices = { a = [0, 50], b = [50, 100] } # p\n"),
            "[layers.p]\nslices = { b = [50, 100] } # p\n"
        );
        assert_eq!(
            slices("[layers.p]\nslices = { b = [50, 100], a = [0, 50] }\n"),
            "[layers.p]\nslices = { b = [50, 100] }\n"
        );
        assert_eq!(
            slices("[layers.p.slices]\na = [[0, 5], [6, 7]]\nb = [50, 100]\n"),
            "[layers.p.slices]\nb = [50, 100]\n"
        );
        assert_eq!(slices("[layers.p]\nslices = { a = [0, 50] }\n"), "[layers.p]\nslices = {}\n");
        let text = "[flags.a]\r\npercent = 5\r\n\r\n[flags.b]\r\npercent = 6\r\n";
        assert_eq!(without(text).0, "[flags.b]\r\npercent = 6\r\n");
        let key = cut(text, &["flags", "b", "percent"]).unwrap().unwrap();
        assert_eq!(key.text, "[flags.a]\r\npercent = 5\r\n\r\n[flags.b]\r\n");
        assert!(cut(text, &["flags", "c"]).unwrap().is_none());
        assert!(cut(text, &["flags", "a", "percent", "x"]).unwrap().is_none());
    }
}
