//! Metrics about the program itself, and counters that are there with 0 before anything is counted.

use metrics::{counter, describe_counter, describe_gauge, gauge};

use super::health::VERSION;
use crate::logging;

/// Counters of losses. A rule on their increase sees the first loss only where they were there before it.
const LOSSES: [(&str, &str); 2] = [
    ("flagstaff_ledger_written_total", "Events written to the ledger"),
    ("flagstaff_guard_dropped_total", "Signs that guards did not count, because too many waited"),
];

/// Begins them. The recorder must be there.
pub(crate) fn begin() {
    describe_gauge!("flagstaff_build_info", "1, with the version of the program");
    gauge!("flagstaff_build_info", "version" => VERSION).set(1.0);
    describe_gauge!("flagstaff_start_time_seconds", "When the program started, in seconds since 1970");
    #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 are few enough")]
    gauge!("flagstaff_start_time_seconds").set(jiff::Timestamp::now().as_second() as f64);
    describe_counter!(flagstaff_supervise::RESTARTS, "Times a thread was started again after a panic");
    // its reasons begin with the ledger
    describe_counter!("flagstaff_ledger_dropped_total", "Events that did not get into the ledger, by reason");
    describe_counter!("flagstaff_events_refused_total", "Events that do not reach a goal, by goal and reason");
    describe_counter!("flagstaff_directives_refused_total", "Headers of the app's answers that are not understood");
    for header in ["x-flag-event", "x-flag-exposed", "x-flag-identify"] {
        counter!("flagstaff_directives_refused_total", "header" => header).increment(0);
    }
    for (name, what) in LOSSES {
        describe_counter!(name, what);
        counter!(name).increment(0);
    }
    logging::count_losses();
}
