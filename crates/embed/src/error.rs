//! Why flags cannot start.

use std::fmt;

use flagstaff_flags::Problem;
use flagstaff_source::Report;

/// Why flags cannot start in a service.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The flag file cannot be read or is wrong, and there are no last good flags: every mistake, each at its place.
    Flags(Box<Report>),
    /// What names the flags is neither a file nor an address of flags.
    Source(String),
    /// The settings of visitors, users, headers or caches are wrong.
    Settings(Vec<Problem>),
    /// The address of the ledger is not one.
    Ledger(String),
    /// The system gives no thread or no random number.
    System(std::io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flags(report) => f.write_str(&report.only_errors().render(false)),
            Self::Settings(problems) => {
                let each: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
                write!(f, "the settings are wrong: {}", each.join("; "))
            }
            Self::Source(why) => write!(f, "the flags: {why}"),
            Self::Ledger(why) => write!(f, "the ledger: {why}"),
            Self::System(error) => write!(f, "flags cannot start: {error}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::System(error) => Some(error),
            Self::Flags(_) | Self::Source(_) | Self::Settings(_) | Self::Ledger(_) => None,
        }
    }
}

impl From<std::io::Error> for StartError {
    fn from(error: std::io::Error) -> Self {
        Self::System(error)
    }
}
