//! The words of a query.

/// A word of a query.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    /// A text in quotes.
    Text(String),
    /// A name, an operator, a number or a version.
    Plain(String),
    /// `(`, `)`, `[`, `]` or `,`.
    Mark(char),
}

/// Splits a query; none where a text is not closed.
pub(super) fn words(query: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut chars = query.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '(' | ')' | '[' | ']' | ',' => words.push(Word::Mark(c)),
            '"' => words.push(Word::Text(text(&mut chars)?)),
            c if is_sign(c) => {
                let mut plain = c.to_string();
                while let Some(next) = chars.next_if(|c| is_sign(*c)) {
                    plain.push(next);
                }
                words.push(Word::Plain(plain));
            }
            c => {
                let mut plain = c.to_string();
                while let Some(next) =
                    chars.next_if(|c| !c.is_whitespace() && !"()[],\"".contains(*c) && !is_sign(*c))
                {
                    plain.push(next);
                }
                words.push(Word::Plain(plain));
            }
        }
    }
    Some(words)
}

const fn is_sign(c: char) -> bool {
    matches!(c, '=' | '!' | '<' | '>')
}

/// A text up to its closing quote.
fn text(chars: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut text = String::new();
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => text.push(match chars.next()? {
                'n' => '\n',
                't' => '\t',
                other => other,
            }),
            c => text.push(c),
        }
    }
}
