//! What is asked, by the path.

/// Which flags are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that are on; for a client, any other is off.
    On,
    /// All.
    All,
}

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Flags.
    Toggles(Which),
    /// It tells how often it was asked for which flag, or that it is there.
    Report,
}

impl Route {
    /// Reads what follows the address that clients are given; `None` for anything else.
    #[must_use]
    pub fn of(rest: &str) -> Option<Self> {
        match rest.strip_suffix('/').unwrap_or(rest) {
            "" => Some(Self::Toggles(Which::On)),
            "/all" => Some(Self::Toggles(Which::All)),
            "/client/metrics" | "/client/register" => Some(Self::Report),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_has_four_routes() {
        assert_eq!(Route::of(""), Some(Route::Toggles(Which::On)));
        assert_eq!(Route::of("/"), Some(Route::Toggles(Which::On)));
        assert_eq!(Route::of("/all"), Some(Route::Toggles(Which::All)));
        assert_eq!(Route::of("/client/metrics"), Some(Route::Report));
        assert_eq!(Route::of("/client/register/"), Some(Route::Report));
        assert_eq!((Route::of("s"), Route::of("/client")), (None, None));
    }
}
