//! What is in a flag document at a time.

use flagstaff_flags::FlagTexts;

use crate::assemble::fingerprint;

/// What was in the files at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    definitions: Vec<u8>,
    overlay: Option<Vec<u8>>,
    /// There are no definitions yet.
    missing: bool,
}

impl Contents {
    pub(crate) const fn new(definitions: Vec<u8>, overlay: Option<Vec<u8>>) -> Self {
        Self { definitions, overlay, missing: false }
    }

    /// Nothing is there yet, but perhaps an overlay.
    pub(crate) const fn missing(overlay: Option<Vec<u8>>) -> Self {
        Self { definitions: Vec::new(), overlay, missing: true }
    }

    pub(crate) const fn is_missing(&self) -> bool {
        self.missing
    }

    pub(crate) fn definitions(&self) -> &[u8] {
        &self.definitions
    }

    /// The same with other definitions.
    pub(crate) fn with_definitions(&self, definitions: Vec<u8>) -> Self {
        Self::new(definitions, self.overlay.clone())
    }

    /// Whether the files are texts: bytes that are not UTF-8 would be lost in an edit.
    pub(crate) fn is_text(&self) -> bool {
        let all = [Some(&self.definitions), self.overlay.as_ref()];
        all.into_iter().flatten().all(|bytes| std::str::from_utf8(bytes).is_ok())
    }

    pub(crate) fn overlay(&self) -> Option<&[u8]> {
        self.overlay.as_deref()
    }

    /// The same with another overlay.
    pub(crate) fn with_overlay(&self, overlay: Option<Vec<u8>>) -> Self {
        Self { overlay, ..self.clone() }
    }

    /// As texts; bytes that are not UTF-8 are replaced.
    pub(crate) fn texts(&self) -> FlagTexts {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into();
        FlagTexts { definitions: text(&self.definitions), overlay: self.overlay.as_deref().map(text) }
    }

    pub(crate) fn revision(&self) -> String {
        fingerprint::revision([self.definitions.as_slice()].into_iter().chain(self.overlay.as_deref()))
    }
}

impl From<&FlagTexts> for Contents {
    fn from(texts: &FlagTexts) -> Self {
        let bytes = |text: &str| text.as_bytes().to_vec();
        Self::new(bytes(&texts.definitions), texts.overlay.as_deref().map(bytes))
    }
}
