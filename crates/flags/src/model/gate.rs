//! Paths that the proxy answers itself while a flag is off.

use crate::{Glob, PlainPath};

/// A kill switch in front of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The paths.
    pub paths: Vec<Glob>,
    /// The answer while the flag is off.
    pub when_off: GateAnswer,
}

impl Gate {
    /// Whether it answers on a path while its flag is off: on the path as written, or as servers understand it.
    #[must_use]
    pub fn stands_before(&self, path: &str) -> bool {
        let fits = |path: &str| self.paths.iter().any(|glob| glob.fits(path));
        fits(path) || fits(PlainPath::of(path).as_str())
    }
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
