//! Why an operation gives no answer.

use std::path::PathBuf;

use flagstaff_flags::Problem as SettingsProblem;
use flagstaff_source::Report;
use flagstaff_source::archive::Unreadable;
use flagstaff_source::edit::Refused;

use crate::problem::Problem;

const NAME_A_LEDGER: &str = "name one with --ledger";

/// Why an operation gives no answer: what is wrong, and how to mend it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The settings of the ledger or of the tagger are wrong; each problem names its key.
    #[error("{}", listed(.0))]
    Settings(Vec<SettingsProblem>),
    /// There is no flag file.
    #[error("there is no file {}", .0.display())]
    NoFlagFile(PathBuf),
    /// The flag file cannot be used.
    #[error("{}", .0.only_errors().render(false).trim_end())]
    Flags(Box<Report>),
    /// The overlay of an environment cannot be used.
    #[error("its overlay for `{environment}` cannot be used:\n{}", .report.only_errors().render(false).trim_end())]
    Overlay {
        /// The environment.
        environment: String,
        /// What is wrong with it.
        report: Box<Report>,
    },
    /// The file would be wrong after an edit, so nothing was written.
    #[error("nothing was written, because the file would be wrong:\n{}", .0.only_errors().render(false).trim_end())]
    NotWritten(Box<Report>),
    /// The file was not edited.
    #[error("{name}: {why}")]
    NotEdited {
        /// The flag file, or the address of the flags.
        name: String,
        /// Why it was not.
        why: Refused,
    },
    /// The archive of ended flags cannot be read.
    #[error(transparent)]
    Archive(#[from] Unreadable),
    /// There is no such flag.
    #[error("there is no flag `{flag}`; {}", meant(near.as_deref()))]
    NoFlag {
        /// The name that no flag has.
        flag: String,
        /// The name that was probably meant.
        near: Option<String>,
    },
    /// The flag has no such variant.
    #[error("the flag `{flag}` has no variant `{variant}`; {help}")]
    NoVariant {
        /// The flag.
        flag: String,
        /// The name that none of its variants has.
        variant: String,
        /// What it can be.
        help: String,
    },
    /// No revision that is recorded begins so.
    #[error("no recorded revision begins with `{0}`; `flagstaff history` shows those there are")]
    NoRevision(String),
    /// More than one revision begins so.
    #[error("more than one revision begins with `{text}`: {}; write more of it", .all.join(", "))]
    ManyRevisions {
        /// What was written.
        text: String,
        /// Some that begin so.
        all: Vec<String>,
    },
    /// The texts of a revision are no longer kept.
    #[error("the text of the revision `{0}` is no longer kept")]
    RevisionGone(String),
    /// An input makes no sense.
    #[error("{0}")]
    Input(String),
    /// The settings name no ledger.
    #[error("no ledger is kept: the settings say ledger = \"none\"; {NAME_A_LEDGER}")]
    NoLedger,
    /// The ledger did not answer in time.
    #[error("the ledger {0} did not answer in time")]
    LedgerSilent(String),
    /// The ledger gives no answer.
    #[error(transparent)]
    Ledger(#[from] flagstaff_ledger::Error),
    /// A fact was not written to the ledger.
    #[error("{0}")]
    NotRecorded(String),
    /// A flag that its file switches off is on in an environment.
    #[error(
        "the flag is still on in environment `{environment}`: its overlay enables it. Run: flagstaff off {flag} --environment {environment}"
    )]
    StillOn {
        /// The flag.
        flag: String,
        /// The environment.
        environment: String,
    },
    /// A running program gave no answer, and said why.
    #[error("{}", .0.words())]
    Elsewhere(Box<Problem>),
    /// An answer cannot be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Error {
    /// How to mend it, where that is said by itself: the end of the error's text.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NoFlag { near, .. } => Some(meant(near.as_deref())),
            Self::NoVariant { help, .. } => Some(help.clone()),
            Self::NoLedger => Some(NAME_A_LEDGER.into()),
            _ => None,
        }
    }
}

fn meant(near: Option<&str>) -> String {
    near.map_or_else(|| "`flagstaff list` shows those there are".into(), |near| format!("did you mean `{near}`?"))
}

fn listed(problems: &[SettingsProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
