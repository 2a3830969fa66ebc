//! How long a message that was not taken waits.

use std::time::Duration;

/// The wait after the first try in vain; doubled with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait that is not asked for.
const MAX_WAIT: Duration = Duration::from_secs(5 * 60);
/// The longest wait a receiver may ask for with `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// How long to wait after so many tries (from 1) in vain: 1 s, 2 s, 4 s and so on up to 5 minutes, or as long as the receiver
/// asked for, up to an hour.
#[must_use]
pub fn wait(tries: u32, asked: Option<Duration>) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1))).min(MAX_WAIT);
    asked.map_or(doubled, |asked| asked.clamp(doubled.min(FIRST_WAIT), MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes() {
        let seconds = |tries| wait(tries, None).as_secs();
        assert_eq!([0, 1, 2, 3, 9, 10, 40, u32::MAX].map(seconds), [1, 1, 2, 4, 256, 300, 300, 300]);
    }

    #[test]
    fn a_receiver_says_when_within_an_hour() {
        let asked = |seconds| wait(3, Some(Duration::from_secs(seconds))).as_secs();
        assert_eq!([0, 2, 90, 7200].map(asked), [1, 2, 90, 3600]);
    }
}
