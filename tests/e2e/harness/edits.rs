//! Edits of the flags of a running program, and how it says that it took them.

use flagstaff_source::{ParseOptions, Text, parse};
use serde_json::Value;

use super::eventually;
use super::program::Program;
use super::raw::Raw;

/// The revision of a text.
#[track_caller]
pub(crate) fn revision(text: &str) -> String {
    let text = Text { name: "flags.toml", bytes: text.as_bytes() };
    let loaded = parse(text, None, &ParseOptions::default()).unwrap_or_else(|report| panic!("{report}"));
    loaded.snapshot.revision().to_owned()
}

impl Program {
    /// What `/healthz` says.
    #[track_caller]
    pub(crate) fn health(&self) -> Value {
        let mut raw = Raw::connect(self.admin);
        raw.send(format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.admin));
        serde_json::from_str(&raw.answer().text()).unwrap()
    }

    /// Saves the flags, and waits until they are in force.
    #[track_caller]
    pub(crate) fn save_flags(&self, text: &str) {
        self.write_document(None, text);
        self.flags_in_force();
    }

    /// Waits until what is written there is in force.
    #[track_caller]
    pub(crate) fn flags_in_force(&self) {
        let wanted = revision(&self.document(None).unwrap());
        eventually("the flags are in force", || self.health()["flags"]["revision"] == wanted.as_str());
    }
}
