//! Two latency distributions compared at a quantile, always valid.
//!
//! Howard & Ramdas 2022, "Sequential estimation of quantiles with applications to A/B testing and best-arm
//! identification", *Bernoulli* 28:1704: evidence that no single value can be the quantile of both arms.

use crate::beta_binomial::BetaBinomial;
use crate::error::{Error, Result, chance};

/// Narrowings of the golden section: each takes the interval to 0.618 of its width, 40 to 10⁻⁹.
const NARROWINGS: u32 = 40;

/// The p-value against "both arms have the same `quantile`", tightest at `t_opt` values per arm for level `alpha_opt`.
/// It may be read after every value; report the smallest so far.
///
/// # Errors
/// [`Error::NoVisitors`] when an arm is empty, [`Error::NotFinite`] when a value is NaN or infinite,
/// [`Error::BadChance`] unless quantile and alpha_opt lie between 0 and 1, [`Error::BadSetting`] unless t_opt is above 0.
pub fn quantile_p(t: &[f64], c: &[f64], quantile: f64, t_opt: f64, alpha_opt: f64) -> Result<f64> {
    let mixture = BetaBinomial::new(chance(quantile)?, t_opt, alpha_opt)?;
    let (t, c) = (Arm::new(t, mixture)?, Arm::new(c, mixture)?);
    let least = if t.end <= c.end { least_evidence(&t, &c) } else { least_evidence(&c, &t) };
    Ok((-least).exp().min(1.0))
}

/// One arm's values and where its evidence is least.
struct Arm {
    sorted: Vec<f64>,
    mixture: BetaBinomial,
    /// The part of values below that speaks least against being the quantile.
    calm: f64,
    /// The values between which that part lies below.
    start: f64,
    end: f64,
}

impl Arm {
    fn new(values: &[f64], mixture: BetaBinomial) -> Result<Self> {
        if !values.iter().all(|value| value.is_finite()) {
            return Err(Error::NotFinite);
        }
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len() as f64;
        let calm = golden_minimum(|part| mixture.log_evidence(part * n, n));
        let at = |place: f64| {
            let index = (place as usize).clamp(1, sorted.len().max(1)) - 1;
            sorted.get(index).copied().ok_or(Error::NoVisitors)
        };
        let (start, end) = (at((calm * n).ceil())?, at((calm * n).floor() + 1.0)?);
        Ok(Self { sorted, mixture, calm, start, end })
    }

    /// How many values are at most `x`.
    fn up_to(&self, x: f64) -> usize {
        self.sorted.partition_point(|value| *value <= x)
    }

    /// The least evidence against `x` being the quantile, ties taken in its favour.
    fn evidence(&self, x: f64) -> f64 {
        let n = self.sorted.len() as f64;
        let part = if x < self.start {
            self.up_to(x) as f64 / n
        } else if x > self.end {
            self.sorted.partition_point(|value| *value < x) as f64 / n
        } else {
            self.calm
        };
        self.mixture.log_evidence(part * n, n)
    }
}

/// The least that both arms together say against any common value. It lies between where the lower arm is calm and
/// where the upper one is, and changes only at values of the upper one.
fn least_evidence(lower: &Arm, upper: &Arm) -> f64 {
    let both = |x: f64| lower.evidence(x) + upper.evidence(x);
    let (from, to) = (upper.up_to(lower.end).max(1) - 1, upper.up_to(upper.start));
    let between = upper.sorted.get(from..to).unwrap_or_default();
    between.iter().map(|x| both(*x)).fold(both(lower.end).min(both(upper.start)), f64::min)
}

/// Where a function with one valley is least on 0 to 1: golden-section search (Kiefer 1953).
fn golden_minimum(f: impl Fn(f64) -> f64) -> f64 {
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..NARROWINGS {
        let reach = ratio * (high - low);
        if f(high - reach) < f(low + reach) {
            high = low + reach;
        } else {
            low = high - reach;
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The search is short; trying every value of both arms is not, and finds the same.
    #[test]
    fn no_value_speaks_less_than_the_one_found() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..2000 {
            let quantile = random.f64() * 0.9 + 0.05;
            let mixture = BetaBinomial::new(quantile, 20.0, 0.05).unwrap();
            let mut values = |shift: f64| -> Vec<f64> {
                (0..random.usize(1..25)).map(|_| (random.f64() * 20.0 + shift).floor()).collect()
            };
            let (a, b) = (Arm::new(&values(0.0), mixture).unwrap(), Arm::new(&values(8.0), mixture).unwrap());
            let found = if a.end <= b.end { least_evidence(&a, &b) } else { least_evidence(&b, &a) };
            let tried = a.sorted.iter().chain(&b.sorted).map(|x| a.evidence(*x) + b.evidence(*x));
            let least = tried.fold(f64::INFINITY, f64::min);
            assert!((found - least).abs() < 1e-9, "{found} is not {least}: {:?} {:?}", a.sorted, b.sorted);
        }
    }
}
