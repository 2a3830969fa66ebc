//! The guard: is the treatment hit more often than chance and tolerance allow?
//!
//! The null is the randomisation itself. If the flag changes nothing, the next visitor to meet a first bad event is in
//! the treatment with the known share w. So two integers per step are enough, at any sample size, under any error rate
//! that varies with time but hits both arms alike, and however often it is read (Lindon & Malek, NeurIPS 2022,
//! arXiv 2011.03567; Ville 1939). An outage both arms share trips nothing.
//!
//! Count the first bad event of each visitor in the rollout, never requests: one visitor's retries are not independent,
//! and a test on requests raises false alarms by the dozen.
//!
//! [`Law`] is the test itself, without memory of its own; [`SequentialTest`] restarts it, so that a long healthy time does not
//! make it deaf. [`boundary`] is the end of the interval of the risk ratio that goes with it.

mod boundary;
mod law;
mod machine;

pub use boundary::boundary;
pub use law::{Count, Law, p_value, trips};
pub use machine::{Segment, SequentialTest};

/// Risk ratio that is tolerated.
pub const TOLERATED: f64 = 1.25;

/// How many times worse than tolerated the treatment may be: the alternatives that are tried together.
pub const HARM_GRID: [f64; 9] = [1.25, 1.5, 2.0, 3.0, 5.0, 8.0, 15.0, 30.0, 100.0];

/// Which part of the control's conversions may be left: the alternatives where goals must not fall.
pub const GOAL_GRID: [f64; 7] = [0.9, 0.8, 0.7, 0.5, 0.3, 0.1, 0.02];

/// Bad events after which another machine is started.
pub const RESTART_EVERY: u64 = 50;

/// Machines that are kept running.
pub const LIVE: usize = 32;

/// ln Σ exp(x), without overflow; −∞ of nothing.
fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + values.map(|value| (value - most).exp()).sum::<f64>().ln()
}
