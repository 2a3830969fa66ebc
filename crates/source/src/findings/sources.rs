//! Several texts as one line of places, so that one number tells text and place.

use std::ops::Range;
use std::sync::Arc;

use flagstaff_flags::{MASK, brief, without_userinfo};

use super::secrets;

/// What some editors begin a file with.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The texts a snapshot is made of. Each begins where the one before it ended, and one further, so that the end of a text
/// and the begin of the next are different places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    all: Vec<Source>,
    /// What must not be printed.
    secrets: Vec<String>,
}

/// One text.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) name: Arc<str>,
    pub(crate) text: Arc<str>,
    /// The text as it may be shown: as long as the text, byte by byte, with its secrets masked.
    pub(crate) shown: Arc<str>,
    base: usize,
}

/// Where a place is for a person: lines and columns from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) source: usize,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Sources {
    /// Adds a text; says where it begins.
    pub(crate) fn add(&mut self, name: &str, text: &str) -> usize {
        let base = self.all.last().map_or(0, |last| last.base + last.text.len() + 1);
        let text: Arc<str> = text.into();
        self.all.push(Source { name: name.into(), shown: Arc::clone(&text), text, base });
        base
    }

    /// The same for a text that may hold secrets: settings.
    pub(crate) fn add_settings(&mut self, name: &str, text: &str) -> usize {
        let base = self.add(name, text);
        let masked = secrets::masked(text);
        if let Some(source) = self.all.last_mut() {
            source.shown = masked.shown.into();
        }
        self.secrets = masked.secrets;
        base
    }

    /// A message as it may be shown: short, and without a secret that it quotes.
    pub(crate) fn safe(&self, message: &str) -> String {
        let hidden = self.secrets.iter().fold(message.to_owned(), |text, secret| text.replace(secret, MASK));
        brief(&without_userinfo(&hidden)).into_owned()
    }

    pub(crate) fn get(&self, source: usize) -> Option<&Source> {
        self.all.get(source)
    }

    /// The text a place is in, by its number, and the place in it.
    pub(crate) fn local(&self, span: &Range<usize>) -> (usize, Range<usize>) {
        let source = self.all.partition_point(|source| source.base <= span.start).saturating_sub(1);
        let Some(found) = self.all.get(source) else {
            return (0, 0..0);
        };
        let inside = |at: usize| floor(&found.text, at.saturating_sub(found.base));
        (source, inside(span.start)..inside(span.end.max(span.start)))
    }

    /// What is written at a place.
    pub(crate) fn slice(&self, span: &Range<usize>) -> &str {
        let (source, range) = self.local(span);
        self.get(source).and_then(|source| source.text.get(range)).unwrap_or_default()
    }

    /// Lines and columns of places in rising order, in one walk through the texts: a file may be one line of megabytes with
    /// thousands of mistakes in it.
    pub(crate) fn positions<'a>(
        &self,
        rising: impl Iterator<Item = &'a Range<usize>>,
    ) -> Vec<(Position, Range<usize>)> {
        let mut walk = (usize::MAX, 0, 1, 1);
        let mut found = Vec::new();
        for span in rising {
            let (source, range) = self.local(span);
            let (mut last, mut at, mut line, mut column) = walk;
            if source != last || range.start < at {
                (last, at, line, column) = (source, 0, 1, 1);
            }
            let text = self.get(source).map_or("", |source| &source.text);
            for (i, c) in text.get(at..range.start).unwrap_or_default().char_indices() {
                (line, column) = match c {
                    '\n' => (line + 1, 1),
                    // a byte-order mark is no character of the text
                    BYTE_ORDER_MARK if at + i == 0 => (line, column),
                    _ => (line, column + 1),
                };
            }
            at = range.start;
            walk = (last, at, line, column);
            found.push((Position { source, line, column }, range));
        }
        found
    }
}

/// The nearest place at or before this one where a character begins.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_tell_text_line_and_column() {
        let mut sources = Sources::default();
        assert_eq!(sources.add("a", "x\nöy"), 0);
        assert_eq!(sources.add("b", "z"), 6);
        let spans = [0..1, 4..5, 6..7];
        let positions = sources.positions(spans.iter());
        let plain: Vec<_> = positions.iter().map(|(p, _)| (p.source, p.line, p.column)).collect();
        assert_eq!(plain, [(0, 1, 1), (0, 2, 2), (1, 1, 1)]);
        assert_eq!((sources.slice(&(4..5)), sources.slice(&(6..7))), ("y", "z"));
    }

    #[test]
    fn places_outside_are_the_end() {
        let mut sources = Sources::default();
        sources.add("a", "ö");
        assert_eq!(sources.local(&(1..99)), (0, 0..2));
        assert_eq!(Sources::default().local(&(1..99)), (0, 0..0));
    }
}
