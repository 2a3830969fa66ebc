//! A program as others see it.

use jiff::Timestamp;

/// What a program says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Tells one run of a program from all others.
    pub id: String,
    /// The machine, as it calls itself.
    pub host: String,
    /// The number of the process there.
    pub process: u32,
    /// The version of the program.
    pub version: String,
    /// The environment whose overlay counts.
    pub environment: Option<String>,
    /// Where its flags come from, without user and password.
    pub source: String,
    /// The revision of the flags in force.
    pub revision: String,
    /// What is wrong with the flags that it saw last; none where nothing is.
    pub problem: Option<String>,
    /// Tells whether another program takes the same visitor for the same: equal where keys and cookies are.
    pub identity: String,
    /// When it started.
    pub started: Timestamp,
}

/// A program, and when it was there last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenProgram {
    /// What it said then.
    pub program: Program,
    /// When it said so, by the clock of the ledger.
    pub seen: Timestamp,
    /// How long ago that is, in seconds, by the same clock.
    pub seconds_ago: u64,
}
