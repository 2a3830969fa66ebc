//! What is said of a flag.

/// A note on a flag: a comment above it, and a line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// What is not carried, and why. The flag is then carried in part.
    Lost(String),
    /// What is worth knowing, and changes nothing.
    Remark(String),
}

impl Note {
    /// What is not carried, and why.
    #[must_use]
    pub fn lost(text: impl Into<String>) -> Self {
        Self::Lost(text.into())
    }

    /// What is worth knowing.
    #[must_use]
    pub fn remark(text: impl Into<String>) -> Self {
        Self::Remark(text.into())
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Lost(text) | Self::Remark(text) => text,
        }
    }

    /// Adds a note once; of very many only the first are kept.
    pub fn add(notes: &mut Vec<Self>, note: Self) {
        const MOST_NOTES: usize = 50;
        if notes.len() < MOST_NOTES && !notes.contains(&note) {
            notes.push(note);
        }
    }
}
