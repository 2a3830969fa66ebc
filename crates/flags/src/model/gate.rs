//! Paths that the proxy answers itself while a flag is off.

use crate::Glob;

/// A kill switch in front of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The paths.
    pub paths: Vec<Glob>,
    /// The answer while the flag is off.
    pub when_off: GateAnswer,
}

/// The answer of a closed gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateAnswer {
    /// A page.
    Page {
        /// 400 to 599, or 200.
        status: u16,
        /// Its text.
        body: String,
    },
    /// A redirect to this path or address.
    Redirect(String),
}
