//! Whether django-waffle ever shows that it followed our cookies.
//!
//! With `waffle_confirms` a visitor counts where an answer shows it. An app without `WaffleMiddleware`, or one that reads our headers
//! instead, never shows it: then nobody counts, and nothing else says so.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use super::RequestContext;

/// So many requests without any sign are no chance: most pages of an app with flags ask for one.
const MANY: u64 = 1000;

/// What the answers of the app showed since the program started.
#[derive(Debug, Default)]
pub(crate) struct Confirmations {
    seen: AtomicBool,
    requests: AtomicU64,
}

impl Confirmations {
    /// Looks at an answer of the app, and warns once when many of them showed nothing.
    pub(crate) fn note(&self, context: &RequestContext, is_followed: bool) {
        if !context.flags.are_confirmed_by_app() || self.seen.load(Relaxed) {
            return;
        }
        let decisions = context.flags.decisions();
        let would_count = context.met().iter().any(|id| decisions.is_countable(id));
        if (is_followed || would_count) && self.is_missed(is_followed) {
            tracing::warn!(
                "{MANY} requests met flags that are drawn, and no answer showed that django-waffle followed our cookie: nobody \
                 is counted. Add waffle.middleware.WaffleMiddleware to the app's MIDDLEWARE. If the app does not ask django-waffle, write \
                 waffle_confirms = false under [headers]"
            );
        }
    }

    /// Counts one request more; true for the one that makes them many without a sign.
    fn is_missed(&self, is_followed: bool) -> bool {
        if is_followed {
            self.seen.store(true, Relaxed);
            return false;
        }
        self.requests.fetch_add(1, Relaxed) + 1 == MANY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_missed_once_after_many_requests() {
        let confirmations = Confirmations::default();
        let missed = (0..3 * MANY).filter(|_| confirmations.is_missed(false)).count();
        assert_eq!((missed, confirmations.seen.load(Relaxed)), (1, false));
    }

    #[test]
    fn one_sign_is_enough() {
        let confirmations = Confirmations::default();
        assert!(!confirmations.is_missed(true) && confirmations.seen.load(Relaxed));
    }
}
