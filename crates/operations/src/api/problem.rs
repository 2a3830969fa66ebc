//! An error of an operation as a problem.

use flagstaff_source::edit::{EditError, Refused};

use crate::Error;
use crate::problem::{Problem, ProblemKind};

impl From<&Error> for ProblemKind {
    fn from(error: &Error) -> Self {
        match error {
            Error::Settings(_) => Self::Settings,
            Error::Flags(_) | Error::Overlay { .. } => Self::Document,
            Error::NotWritten(_) => Self::NotWritten,
            Error::NotEdited { why, .. } => Self::from(why),
            Error::NoFlag { .. } => Self::NoFlag,
            Error::NoRevision(_) | Error::ManyRevisions { .. } | Error::RevisionGone(_) => Self::NoRevision,
            Error::NoVariant { .. } => Self::NoVariant,
            Error::Input(_) => Self::Input,
            Error::Archive(_) | Error::NoLedger | Error::StillOn { .. } => Self::Refused,
            Error::LedgerSilent(_) | Error::Ledger(_) | Error::NotRecorded(_) => Self::Ledger,
            Error::Elsewhere(problem) => problem.kind,
            Error::NoFlagFile(_) | Error::Io(_) => Self::Storage,
        }
    }
}

impl From<&Refused> for ProblemKind {
    fn from(why: &Refused) -> Self {
        match why {
            Refused::Edit(EditError::NoFlag { .. }) => Self::NoFlag,
            Refused::Edit(EditError::Twice { .. }) => Self::Request,
            Refused::Edit(EditError::FollowsRollout(_)) => Self::Refused,
            Refused::Edit(_) => Self::Input,
            Refused::Invalid(_) => Self::NotWritten,
            Refused::Changed => Self::Changed,
            Refused::Archive(_) | Refused::ReadOnly(_) => Self::Refused,
            Refused::Io(_) | Refused::Unavailable(_) => Self::Storage,
        }
    }
}

impl Problem {
    /// An error of an operation as a problem. Its mend, where it has one, is the help.
    #[must_use]
    pub fn of(error: &Error, status: u16, title: &str) -> Self {
        let text = error.to_string();
        let help = error.help();
        let detail = help.as_ref().and_then(|help| text.strip_suffix(help.as_str())?.strip_suffix("; "));
        let help = help.filter(|_| detail.is_some());
        Self { help, ..Self::new(ProblemKind::from(error), status, title, detail.unwrap_or(&text)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errors_words_are_the_same_on_both_ends() {
        let errors = [
            Error::NoFlag { flag: "a".into(), near: None },
            Error::NoFlag { flag: "a".into(), near: Some("b".into()) },
            Error::NoVariant { flag: "a".into(), variant: "c".into(), help: "it can be: off, on".into() },
            Error::NoLedger,
            Error::Input("x".into()),
        ];
        for error in errors {
            let problem = Problem::of(&error, 404, "Not Found");
            assert_eq!(problem.words(), error.to_string());
            assert_eq!(problem.help.is_some(), error.help().is_some(), "{error}");
            let sent = serde_json::to_string(&problem).unwrap();
            assert_eq!(serde_json::from_str::<Problem>(&sent).unwrap(), problem);
        }
    }
}
