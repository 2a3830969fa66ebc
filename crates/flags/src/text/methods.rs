//! The methods of HTTP.

/// The methods that are registered for HTTP and may be sent by clients, the usual ones first, and `PURGE`, which caches know.
const METHODS: [&str; 40] = [
    "GET",
    "POST",
    "HEAD",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "CONNECT",
    "TRACE",
    "QUERY",
    "PURGE",
    "PROPFIND",
    "PROPPATCH",
    "REPORT",
    "SEARCH",
    "MKCOL",
    "MKCALENDAR",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "LINK",
    "UNLINK",
    "BIND",
    "UNBIND",
    "REBIND",
    "ACL",
    "LABEL",
    "MERGE",
    "UPDATE",
    "CHECKIN",
    "CHECKOUT",
    "UNCHECKOUT",
    "ORDERPATCH",
    "MKACTIVITY",
    "MKWORKSPACE",
    "MKREDIRECTREF",
    "UPDATEREDIRECTREF",
    "BASELINE-CONTROL",
    "VERSION-CONTROL",
];

/// Whether HTTP knows a method of this name, in upper or lower case.
#[must_use]
pub fn is_method(word: &str) -> bool {
    METHODS.iter().any(|method| method.eq_ignore_ascii_case(word))
}

/// The method that a word is but a slip of the finger away from: `GET` for `GTE`. Methods are short, so likeness as between names of flags
/// would not see it.
#[must_use]
pub fn method_meant(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_uppercase();
    METHODS.into_iter().find(|method| strsim::damerau_levenshtein(&word, method) == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_no_methods() {
        for (slip, meant) in
            [("GTE", "GET"), ("POTS", "POST"), ("DELET", "DELETE"), ("putt", "PUT"), ("PACH", "PATCH")]
        {
            assert!(!is_method(slip), "{slip}");
            assert_eq!(method_meant(slip), Some(meant), "{slip}");
        }
        assert_eq!(method_meant("FETCH"), None);
        assert!(["GET", "get", "PROPFIND", "PURGE", "VERSION-CONTROL"].into_iter().all(is_method));
    }
}
