//! Problems drawn for people: the line, a caret, the mend.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use flagstaff_flags::{is_hidden, printable_except};

use super::finding::Severity;
use super::report::{Located, Report};
use super::sources::BYTE_ORDER_MARK;

/// The most characters of a line that are shown on either side of a mistake.
const AROUND: usize = 120;

/// How many problems are drawn; the rest is counted.
const MOST_DRAWN: usize = 100;

impl Report {
    /// Draws each problem with its line, a caret and the mend. Colour is for terminals.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let shown = self.problems().iter().take(MOST_DRAWN);
        let drawn: Vec<String> = shown.map(|p| renderer.render(&[self.group(p)])).collect();
        let mut out = drawn.join("\n\n");
        if let Some(more) = self.problems().len().checked_sub(MOST_DRAWN + 1) {
            out.push_str(&format!("\n\n… and {} more", more + 1));
        }
        out
    }

    fn group<'a>(&'a self, problem: &'a Located) -> Group<'a> {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let group = Group::with_title(level.primary_title(visible(&problem.message)));
        let group = match self.excerpt(problem) {
            Some((text, span, whole)) => {
                let mark = AnnotationKind::Primary.span(span);
                let snippet = Snippet::source(text).line_start(problem.line).annotation(mark);
                if whole {
                    group.element(snippet.path(visible(&problem.file)))
                } else {
                    // Columns cannot be counted in a line that is cut.
                    let origin = Origin::path(visible(&problem.file));
                    let origin = origin.line(problem.line).char_column(problem.column);
                    group.element(origin).element(snippet)
                }
            }
            None => group.element(Origin::path(visible(&problem.file))),
        };
        match &problem.help {
            Some(help) => group.element(Level::HELP.message(visible(help))),
            None => group,
        }
    }

    /// The line a problem begins on, without secrets, cut where it is very long, the problem's bytes in it, and whether it begins
    /// where the line does.
    fn excerpt(&self, problem: &Located) -> Option<(String, Range<usize>, bool)> {
        let (source, place) = problem.place.as_ref()?;
        let text = self.sources.get(*source)?.shown.as_ref();
        let first = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        let place = &(place.start.max(first)..place.end.max(first));
        let line_start = text.get(..place.start)?.rfind('\n').map_or(first, |at| at + 1);
        let line_end = text.get(place.start..)?.find('\n').map_or(text.len(), |at| place.start + at);
        let left = back(text, place.start, line_start);
        let shown = place.end.clamp(place.start, ahead(text, place.start, line_end));
        let right = ahead(text, shown, line_end);
        let excerpt = text.get(left..right)?.trim_end_matches('\r');
        let shows = |to: usize| excerpt.get(..(to - left).min(excerpt.len())).map(one_by_one);
        let (before, marked) = (shows(place.start)?.len(), shows(shown)?.len());
        Some((one_by_one(excerpt), before..marked, left == line_start))
    }
}

/// At most [`AROUND`] characters before a place, not before `least`.
fn back(text: &str, from: usize, least: usize) -> usize {
    let line = text.get(least..from).unwrap_or_default();
    let cut = line.char_indices().rev().nth(AROUND - 1);
    cut.map_or(least, |(at, _)| least + at)
}

/// At most [`AROUND`] characters after a place, not after `most`.
fn ahead(text: &str, from: usize, most: usize) -> usize {
    let line = text.get(from..most).unwrap_or_default();
    line.char_indices().nth(AROUND).map_or(most, |(at, _)| from + at)
}

/// A file must not steer the terminal. A sign stands for each character that could, so that the caret stays right.
fn one_by_one(text: &str) -> String {
    text.chars().map(|c| if is_hidden(c) && c != '\t' { '\u{fffd}' } else { c }).collect()
}

fn visible(text: &str) -> String {
    printable_except(text, &['\n']).into_owned()
}
