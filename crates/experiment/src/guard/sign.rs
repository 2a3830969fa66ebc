//! What a guard looks at.

use std::fmt;
use std::str::FromStr;

use flagstaff_stats::guard::Law;
use serde::{Deserialize, Serialize};

const ERRORS: &str = "errors";
const SLOW: &str = "slow";
const GOAL: &str = "goal:";

/// What a guard looks at. As text `errors`, `slow` or `goal:NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Sign {
    /// Answers that are errors: they must not become more.
    Error,
    /// Slow answers: they must not become more.
    Slow,
    /// Visitors who reach this goal: they must not become fewer.
    Goal(String),
}

impl Sign {
    /// The test that fits it.
    pub(super) fn law(&self) -> Law {
        match self {
            Self::Error | Self::Slow => Law::harm(),
            Self::Goal(_) => Law::goals(),
        }
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error => f.write_str(ERRORS),
            Self::Slow => f.write_str(SLOW),
            Self::Goal(name) => write!(f, "{GOAL}{name}"),
        }
    }
}

impl FromStr for Sign {
    type Err = SignError;

    fn from_str(text: &str) -> Result<Self, SignError> {
        match text {
            ERRORS => Ok(Self::Error),
            SLOW => Ok(Self::Slow),
            _ => match text.strip_prefix(GOAL) {
                Some(name) if !name.is_empty() => Ok(Self::Goal(name.into())),
                _ => Err(SignError),
            },
        }
    }
}

impl From<Sign> for String {
    fn from(sign: Sign) -> Self {
        sign.to_string()
    }
}

impl TryFrom<String> for Sign {
    type Error = SignError;

    fn try_from(text: String) -> Result<Self, SignError> {
        text.parse()
    }
}

/// A text that names no sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignError;

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a guard looks at `errors`, `slow` or `goal:NAME`")
    }
}

impl std::error::Error for SignError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_read_as_they_are_written() {
        for sign in [Sign::Error, Sign::Slow, Sign::Goal("order_paid".into()), Sign::Goal("slow".into())] {
            assert_eq!(sign.to_string().parse(), Ok(sign));
        }
        for bad in ["", "error", "goal", "goal:", "Errors"] {
            assert_eq!(bad.parse::<Sign>(), Err(SignError), "{bad}");
        }
    }
}
