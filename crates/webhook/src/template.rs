//! Texts with placeholders.

use std::fmt;

/// What a template can be filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placeholder {
    Flag,
    Event,
    Kind,
    Step,
    Percent,
    Why,
    By,
    At,
    Id,
}

impl Placeholder {
    const ALL: [(&'static str, Self); 9] = [
        ("flag", Self::Flag),
        ("event", Self::Event),
        ("kind", Self::Kind),
        ("step", Self::Step),
        ("percent", Self::Percent),
        ("why", Self::Why),
        ("by", Self::By),
        ("at", Self::At),
        ("id", Self::Id),
    ];
}

/// A text with placeholders, such as `"{flag}: {why}"`. Braces themselves are written twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(Placeholder),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// When it is empty, names an unknown placeholder, or has a brace without the other.
    pub(crate) fn new(text: &str) -> Result<Self, TemplateError> {
        if text.trim().is_empty() {
            return Err(TemplateError::Empty);
        }
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, after) = rest.split_at(at);
            plain.push_str(before);
            if let Some(after) = after.strip_prefix("{{") {
                plain.push('{');
                rest = after;
            } else if let Some(after) = after.strip_prefix("}}") {
                plain.push('}');
                rest = after;
            } else {
                let (placeholder, after) = placeholder(after)?;
                parts.extend([Part::Text(std::mem::take(&mut plain)), Part::Placeholder(placeholder)]);
                rest = after;
            }
        }
        plain.push_str(rest);
        parts.push(Part::Text(plain));
        parts.retain(|part| *part != Part::Text(String::new()));
        Ok(Self(parts))
    }

    /// The text with every placeholder filled.
    pub(crate) fn fill(&self, value: impl Fn(Placeholder) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Placeholder(placeholder) => value(*placeholder),
        };
        self.0.iter().map(part).collect()
    }
}

/// The placeholder a text begins with, and what follows it.
fn placeholder(text: &str) -> Result<(Placeholder, &str), TemplateError> {
    let inside = text.strip_prefix('{').ok_or(TemplateError::Brace)?;
    let (name, after) = inside.split_once('}').ok_or(TemplateError::Brace)?;
    let placeholder = Placeholder::ALL.into_iter().find(|(known, _)| *known == name.trim());
    let (_, placeholder) = placeholder.ok_or_else(|| TemplateError::Unknown(name.trim().into()))?;
    Ok((placeholder, after))
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TemplateError {
    /// There is nothing in it.
    Empty,
    /// A brace without the other.
    Brace,
    /// This stands for nothing.
    Unknown(String),
}

impl TemplateError {
    /// What to write instead.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Empty => "such as \"{flag}: {why}\", or no template at all".into(),
            Self::Brace => "to show a brace, write it twice: {{ or }}".into(),
            Self::Unknown(_) => {
                let known: Vec<_> = Placeholder::ALL.iter().map(|(name, _)| format!("{{{name}}}")).collect();
                format!("there are {}", known.join(" "))
            }
        }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a template without a text tells nothing"),
            Self::Brace => f.write_str("a brace is not closed, or closes nothing"),
            Self::Unknown(name) => write!(f, "{{{name}}} stands for nothing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        Template::new(text).unwrap().fill(|placeholder| format!("<{placeholder:?}>"))
    }

    #[test]
    fn placeholders_are_filled_and_doubled_braces_are_braces() {
        assert_eq!(filled("{flag}: {why}"), "<Flag>: <Why>");
        assert_eq!(filled("{{{ flag }}} }}{{"), "{<Flag>} }{");
        assert_eq!(filled("no places: é"), "no places: é");
        assert_eq!(filled("{id}{at}{by}{step}{percent}{event}{kind}"), "<Id><At><By><Step><Percent><Event><Kind>");
    }

    #[test]
    fn mistakes_say_what_there_is() {
        let error = |text| Template::new(text).unwrap_err();
        assert_eq!(error(" "), TemplateError::Empty);
        for text in ["{flag", "flag}", "{", "}", "{{}", "a {flag} }"] {
            assert_eq!(error(text), TemplateError::Brace, "{text}");
        }
        let unknown = error("{flag}: {reason}");
        assert_eq!(unknown, TemplateError::Unknown("reason".into()));
        assert!(unknown.help().contains("{why}") && unknown.to_string().contains("{reason}"));
    }
}
