//! The lines and keys in which two revisions differ.

use std::time::Duration;

use flagstaff_flags::FlagTexts;
use flagstaff_source::FlagSource;
use flagstaff_source::compare::changes;
use similar::{ChangeTag, DiffOp, TextDiff};

use super::answer::{Difference, DifferentFile, Hunk, Line, LineFate};
use super::reference::{Named, open};
use crate::Error;
use crate::workspace::Workspace;

/// Lines around what differs.
const AROUND: usize = 3;

/// After so long the difference need not be the smallest one: it is a correct one in any case.
const SMALLEST_WITHIN: Duration = Duration::from_millis(40);

/// In what two revisions differ. Each is named by its beginning, with `^` behind it for the one before it; or `now`: the files as they are.
///
/// # Errors
/// When a name fits no revision or more than one, its text is no longer kept, the files cannot be read, or the ledger gives no answer.
pub async fn diff(workspace: &Workspace, from: &str, to: &str) -> Result<Difference, Error> {
    let mut store = open(workspace).await?;
    let from = Named::find(workspace, &mut store, from).await?;
    let to = Named::find(workspace, &mut store, to).await?;
    store.close().await;
    Ok(Difference {
        files: files(&workspace.source, &from.texts, &to.texts),
        changes: changes(Some(&from.texts), &to.texts),
        from: from.reference,
        to: to.reference,
    })
}

/// The files that differ. An overlay that is not there is as good as an empty one.
pub(crate) fn files(source: &FlagSource, from: &FlagTexts, to: &FlagTexts) -> Vec<DifferentFile> {
    let overlays = [from, to].map(|texts| texts.overlay.as_deref().unwrap_or_default());
    let definitions = (source.name(), &*from.definitions, &*to.definitions);
    let overlay = source.overlay_name().map(|name| (name, overlays[0], overlays[1]));
    let all = [Some(definitions), overlay].into_iter().flatten().filter(|(_, from, to)| from != to);
    all.map(|(file, from, to)| DifferentFile { file, hunks: hunks(from, to) }).collect()
}

fn hunks(from: &str, to: &str) -> Vec<Hunk> {
    let diff = TextDiff::configure().timeout(SMALLEST_WITHIN).diff_lines(from, to);
    diff.grouped_ops(AROUND).iter().map(|ops| hunk(&diff, ops)).collect()
}

fn hunk(diff: &TextDiff<'_, '_, str>, ops: &[DiffOp]) -> Hunk {
    let first = ops.first().map(|op| (op.old_range().start, op.new_range().start)).unwrap_or_default();
    let lines = |range: fn(&DiffOp) -> usize| ops.iter().map(range).sum::<usize>();
    let (from_lines, to_lines) = (lines(|op| op.old_range().len()), lines(|op| op.new_range().len()));
    // `diff -u` numbers an empty range by the line before it
    let begin = |first: usize, lines: usize| if lines == 0 { first } else { first + 1 };
    let all = ops.iter().flat_map(|op| diff.iter_changes(op));
    let lines = all.map(|change| Line {
        change: match change.tag() {
            ChangeTag::Equal => LineFate::Same,
            ChangeTag::Delete => LineFate::Removed,
            ChangeTag::Insert => LineFate::Added,
        },
        from: change.old_index().map(|at| at + 1),
        to: change.new_index().map(|at| at + 1),
        text: change.value().trim_end_matches(['\n', '\r']).to_owned(),
        unfinished: change.missing_newline(),
    });
    Hunk {
        from_line: begin(first.0, from_lines),
        from_lines,
        to_line: begin(first.1, to_lines),
        to_lines,
        lines: lines.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::answer::RevisionReference;

    fn difference(from: &str, to: &str) -> Difference {
        let reference = |number| RevisionReference { revision: "0".repeat(64), number, at: None, by: None };
        let hunks = hunks(from, to);
        let files = vec![DifferentFile { file: "flags.toml".into(), hunks }];
        Difference { from: reference(Some(1)), to: reference(None), files, changes: Vec::new() }
    }

    #[test]
    fn the_difference_is_what_diff_writes() {
        let from = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";
        let to = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n13";
        let difference = difference(from, to);
        let unified = "--- flags.toml\t000000000000\n+++ flags.toml\tnow\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -10,3 +10,4 @@\n 10\n 11\n 12\n+13\n\\ No newline at end of file\n";
        assert_eq!(difference.unified(), unified);
        let line = &difference.files[0].hunks[0].lines[4];
        assert_eq!((line.change, line.from, line.to, line.text.as_str()), (LineFate::Added, None, Some(5), "five"));
    }

    #[test]
    fn all_or_nothing_new() {
        assert_eq!(hunks("", "a\n")[0].head(), "@@ -0,0 +1 @@");
        assert_eq!(hunks("a\nb\n", "")[0].head(), "@@ -1,2 +0,0 @@");
        assert!(hunks("a\n", "a\n").is_empty());
        let crlf = hunks("a\r\n", "a\n");
        assert_eq!(crlf[0].lines.len(), 2, "another end of line is another line");
    }
}
