//! What was sent, counted by variant.

use std::fmt::Write as _;

use serde::Serialize;

use super::plan::{Plan, Variant};
use crate::terminal::{FAINT, STRONG, grouped, percent, styled, table};

/// What was done, once it was done.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    variants: Vec<Counts>,
    bots: u64,
    prefetches: u64,
    /// Visitors who have their variant for another reason than the draw, or none.
    pub(super) outside: u64,
    pub(super) seconds: f64,
    /// The ledger has all of it.
    pub(super) is_written: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    visitors: u64,
    conversions: u64,
    errors: u64,
    slow: u64,
}

/// What was sent, for scripts.
#[derive(Serialize)]
pub(super) struct SentAnswer<'a> {
    flag: &'a str,
    to: String,
    seed: u64,
    visitors: u64,
    seconds: f64,
    variants: Vec<SentVariant<'a>>,
    outside: u64,
    bots: u64,
    prefetches: u64,
}

#[derive(Serialize)]
struct SentVariant<'a> {
    variant: &'a str,
    visitors: u64,
    conversions: u64,
    rate: Option<f64>,
    true_rate: f64,
    errors: u64,
    slow: u64,
}

impl Counts {
    fn rate(&self) -> Option<f64> {
        (self.visitors > 0).then(|| self.conversions as f64 / self.visitors as f64)
    }
}

impl Sent {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { variants: vec![Counts::default(); plan.variants.len()], ..Self::default() }
    }

    pub(super) fn count(&mut self, variant: usize, reached: bool, failed: bool, slow: bool) {
        if let Some(counts) = self.variants.get_mut(variant) {
            counts.visitors += 1;
            counts.conversions += u64::from(reached);
            counts.errors += u64::from(failed);
            counts.slow += u64::from(slow);
        }
    }

    pub(super) fn brought(&mut self, bot: bool) {
        if bot {
            self.bots += 1;
        } else {
            self.prefetches += 1;
        }
    }

    /// Visitors who came.
    pub(super) fn came(&self) -> u64 {
        self.outside + self.variants.iter().map(|counts| counts.visitors).sum::<u64>()
    }

    /// The answer for scripts.
    pub(super) fn answer<'a>(&self, plan: &'a Plan) -> SentAnswer<'a> {
        let variant = |(variant, counts): (&'a Variant, &Counts)| SentVariant {
            variant: &variant.name,
            visitors: counts.visitors,
            conversions: counts.conversions,
            rate: counts.rate(),
            true_rate: variant.rate,
            errors: counts.errors,
            slow: counts.slow,
        };
        SentAnswer {
            flag: &plan.flag,
            to: plan.url(),
            seed: plan.seed,
            visitors: self.came(),
            seconds: self.seconds,
            variants: plan.variants.iter().zip(&self.variants).map(variant).collect(),
            outside: self.outside,
            bots: self.bots,
            prefetches: self.prefetches,
        }
    }

    pub(super) fn text(&self, plan: &Plan) -> String {
        let stopped =
            if self.came() < plan.visitors { format!(" of {}", grouped(plan.visitors)) } else { String::new() };
        let mut text = format!(
            "{}: {}{stopped} visitors to {} in {:.1} s, seed {}\n",
            styled(STRONG, &plan.flag),
            grouped(self.came()),
            plan.url(),
            self.seconds,
            plan.seed
        );
        text += &table(&self.rows(plan));
        if self.outside > 0 {
            let _ = writeln!(text, "  {} visitors are not in the test", grouped(self.outside));
        }
        if self.bots + self.prefetches > 0 {
            let (bots, prefetches) = (grouped(self.bots), grouped(self.prefetches));
            let _ =
                writeln!(text, "  also, {bots} bots and {prefetches} prefetches did the same; they are not counted");
        }
        let next = format!("flagstaff results {}", plan.flag);
        let _ = writeln!(
            text,
            "next: {} {}",
            styled(STRONG, &next),
            styled(
                FAINT,
                if self.is_written {
                    "(the ledger has all of it)"
                } else {
                    "(the ledger is slow: not all of it is there yet)"
                }
            )
        );
        text
    }

    fn rows(&self, plan: &Plan) -> Vec<Vec<String>> {
        let faults = plan.variants.iter().any(|variant| variant.errors + variant.slow > 0.0);
        let mut heading = vec!["  VARIANT", "VISITORS", "CONVERSIONS", "RATE", "TRUE RATE"];
        heading.extend(["ERRORS", "SLOW"].into_iter().filter(|_| faults));
        let row = plan.variants.iter().zip(&self.variants).map(|(variant, counts)| {
            let mut row = vec![
                format!("  {}", variant.name),
                grouped(counts.visitors),
                grouped(counts.conversions),
                counts.rate().map(percent).unwrap_or_default(),
                percent(variant.rate),
            ];
            row.extend([counts.errors, counts.slow].map(grouped).into_iter().filter(|_| faults));
            row
        });
        std::iter::once(heading.into_iter().map(Into::into).collect()).chain(row).collect()
    }
}
