//! Requests by span of time, as far as is seen by looking at the counters now and then: a request pays nothing for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How long a span is.
const SPAN: Duration = Duration::from_secs(10);
/// How many spans are kept.
const SPANS: usize = 30;

/// When flags were asked for, and how often in each of the last spans.
#[derive(Default)]
pub(super) struct Spans {
    flags: HashMap<Arc<str>, FlagSpans>,
    /// When the present span began.
    began: Option<Timestamp>,
    /// Where the present span is counted.
    present: usize,
}

#[derive(Default)]
struct FlagSpans {
    last: Option<Timestamp>,
    variants: Vec<VariantSpans>,
}

struct VariantSpans {
    variant: Arc<str>,
    requests: u64,
    ring: [u64; SPANS],
}

impl Spans {
    /// Notes what was counted since the last look. Flags that are not named are forgotten.
    pub(super) fn look<'a>(
        &mut self,
        counted: impl Iterator<Item = (&'a Arc<str>, impl Iterator<Item = (&'a Arc<str>, u64)>)>,
        now: Timestamp,
    ) {
        let over = self.turn(now);
        let mut left = std::mem::take(&mut self.flags);
        for (name, variants) in counted {
            let before = left.remove(name).unwrap_or_default();
            self.flags.insert(Arc::clone(name), before.look(variants, (over, self.present), now));
        }
    }

    /// Goes on to the span of this time. Returns how many began since the last look.
    fn turn(&mut self, now: Timestamp) -> usize {
        let began = *self.began.get_or_insert(now);
        let span = SignedDuration::try_from(SPAN).unwrap_or(SignedDuration::ZERO);
        let over = now.duration_since(began).as_secs().max(0) / span.as_secs().max(1);
        if over == 0 {
            return 0;
        }
        let over = usize::try_from(over).unwrap_or(SPANS);
        self.began = began.checked_add(span * i32::try_from(over).unwrap_or(0)).ok().or(Some(now));
        self.present = (self.present + over) % SPANS;
        over.min(SPANS)
    }

    pub(super) fn last(&self, flag: &Arc<str>) -> Option<Timestamp> {
        self.flags.get(flag)?.last
    }

    /// Requests of a variant in all spans.
    pub(super) fn recent(&self, flag: &Arc<str>, variant: &Arc<str>) -> u64 {
        let of = self.flags.get(flag).into_iter().flat_map(|flag| &flag.variants).find(|one| one.variant == *variant);
        of.map_or(0, |one| one.ring.iter().sum())
    }

    /// Requests in each span, the oldest first.
    pub(super) fn history(&self, flag: &Arc<str>) -> Vec<u64> {
        let mut all = [0; SPANS];
        for one in self.flags.get(flag).into_iter().flat_map(|flag| &flag.variants) {
            all.iter_mut().zip(one.ring).for_each(|(sum, requests)| *sum += requests);
        }
        all.rotate_left((self.present + 1) % SPANS);
        all.into()
    }
}

impl FlagSpans {
    fn look<'a>(
        self,
        counted: impl Iterator<Item = (&'a Arc<str>, u64)>,
        (over, present): (usize, usize),
        now: Timestamp,
    ) -> Self {
        let mut more = 0;
        let mut left = self.variants;
        let look = |(variant, requests): (&Arc<str>, u64)| {
            let known = left.iter().position(|one| one.variant == *variant).map(|place| left.swap_remove(place));
            let mut one =
                known.unwrap_or_else(|| VariantSpans { variant: Arc::clone(variant), requests: 0, ring: [0; SPANS] });
            more += one.look(requests, over, present);
            one
        };
        let variants = counted.map(look).collect();
        Self { last: if more > 0 { Some(now) } else { self.last }, variants }
    }
}

impl VariantSpans {
    /// Returns how many requests came since the last look.
    fn look(&mut self, requests: u64, over: usize, present: usize) -> u64 {
        for begun in 0..over {
            let place = (present + SPANS - begun) % SPANS;
            self.ring.get_mut(place).into_iter().for_each(|count| *count = 0);
        }
        let more = requests.saturating_sub(self.requests);
        self.requests = requests;
        self.ring.get_mut(present).into_iter().for_each(|count| *count += more);
        more
    }
}
