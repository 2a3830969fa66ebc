//! Root finding.

/// Halvings after which an interval of doubles cannot shrink any further in practice.
const HALVINGS: u32 = 200;

/// A root of `f` between `low` and `high`, where `f` changes sign once: bisection (Burden & Faires, *Numerical
/// Analysis*, §2.1), run until the interval cannot be halved any more. Slow and unable to fail.
pub(crate) fn bisect(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let rising = f(low) < 0.0;
    for _ in 0..HALVINGS {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if (f(middle) < 0.0) == rising {
            low = middle;
        } else {
            high = middle;
        }
    }
    low + (high - low) / 2.0
}

#[cfg(test)]
mod tests {
    use super::bisect;

    #[test]
    fn finds_roots_of_rising_and_falling_functions() {
        assert!((bisect(0.0, 2.0, |x| x * x - 2.0) - 2f64.sqrt()).abs() < 1e-15);
        assert!((bisect(0.0, 2.0, |x| 2.0 - x * x) - 2f64.sqrt()).abs() < 1e-15);
    }
}
