//! How long to wait before something is started again.

use std::time::Duration;

/// The pause after the first panic; doubled with each, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// What ran for so long was well, and begins with the first pause again.
const WELL_AFTER: Duration = Duration::from_secs(60);

/// Pauses that grow.
#[derive(Debug)]
pub(crate) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(FIRST_PAUSE)
    }
}

impl Pauses {
    /// The pause after something that ran for so long.
    pub(crate) fn after(&mut self, ran: Duration) -> Duration {
        if ran >= WELL_AFTER {
            self.0 = FIRST_PAUSE;
        }
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_it_ran_well() {
        let mut pauses = Pauses::default();
        let mut after = |seconds| pauses.after(Duration::from_secs(seconds)).as_millis();
        assert_eq!([after(0), after(0), after(1)], [100, 200, 400]);
        assert_eq!([after(0), after(0), after(0), after(0), after(59)], [800, 1600, 3200, 5000, 5000]);
        assert_eq!([after(60), after(0)], [100, 200]);
    }
}
