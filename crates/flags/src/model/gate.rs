//! Paths that the proxy answers itself while a flag is off.

use crate::Glob;

/// A kill switch above the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Which paths.
    pub paths: Vec<Glob>,
    /// What they answer while the flag is off.
    pub when_off: GateAnswer,
}

/// What a closed gate answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateAnswer {
    /// A page.
    Page {
        /// 400 to 599, or 200.
        status: u16,
        /// Its text.
        body: String,
    },
    /// Somewhere else.
    Redirect(String),
}
