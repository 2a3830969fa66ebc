//! What operators are told of a guard, once since its flag began.

/// What is said of a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// One network brings more signs than count.
    Limits,
    /// Visitors who saw the flag had to be forgotten.
    Forgets,
    /// No further signs can be counted.
    Full,
}

impl Notice {
    /// In a sentence.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Limits => {
                "one network brings more errors, slow answers or goals than its part of the visitors; its further ones do not \
                 count for the guard"
            }
            Self::Forgets => {
                "more visitors see the flag than its guard remembers; it forgets those that stayed away longest"
            }
            Self::Full => {
                "the guard remembers as many visitors as fit and counts no further ones; `flagstaff rollout FLAG reset` begins anew"
            }
        }
    }
}
