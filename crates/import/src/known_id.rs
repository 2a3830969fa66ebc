//! Whether the id is known that a flag hashes. Most ids are not in every request, and systems differ in what they give without one.

use flagstaff_flags::BucketBy;

use crate::model::{Condition, Matcher};

/// The id of a unit is known: everybody, where every request has one.
pub(crate) fn known(unit: &str) -> Condition {
    match BucketBy::new(unit) {
        Some(BucketBy::User) => Condition::Authenticated(true),
        Some(unit) if unit.is_of_every_request() => Condition::Always,
        _ => Condition::Test(unit.to_owned(), Matcher::Expression(String::new())),
    }
}

/// The id of a unit is not known; none where every request has one.
pub(crate) fn unknown(unit: &str) -> Option<Condition> {
    match known(unit) {
        Condition::Always => None,
        Condition::Authenticated(known) => Some(Condition::Authenticated(!known)),
        known => Some(known.negated()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_every_request_has_are_not_asked_for() {
        for unit in ["visitor", "session", "request"] {
            assert_eq!((known(unit), unknown(unit)), (Condition::Always, None), "{unit}");
        }
        assert_eq!(unknown("user"), Some(Condition::Authenticated(false)));
        assert_eq!(unknown("cookie.uid"), Some(known("cookie.uid").negated()));
    }
}
