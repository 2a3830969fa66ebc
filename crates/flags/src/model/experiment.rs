//! A flag as an experiment: which one it is, whether it is one, and which requests count for it.

use crate::{BucketBy, ExperimentId, Flag, Percent};

impl Flag {
    /// The id of the experiment that it is.
    #[must_use]
    pub fn experiment_id(&self) -> ExperimentId {
        let bucket_by = self.bucket_by.to_string();
        let names = self.variants.weights().map(|(id, _)| self.variants.name(id));
        let parts = [self.name.as_str(), self.salt(), &bucket_by].into_iter().chain(names);
        // A variant's name has no space, so none reads like a formula or an order.
        let formula = self.hash.as_ref().map(|hash| format!("hash {}", hash.id()));
        let order = self.order_of_variants();
        ExperimentId::of_parts(parts.chain(formula.as_deref()).chain(order.as_deref()))
    }

    /// The order in which variants lie along the draw, where it is not that of the list.
    fn order_of_variants(&self) -> Option<String> {
        let ranges = self.variants.ranges();
        let mut lying: Vec<_> = ranges.iter().enumerate().collect();
        lying.sort_by_key(|(place, range)| (range.from, *place));
        if lying.iter().map(|(place, _)| *place).eq(0..ranges.len()) {
            return None;
        }
        Some(format!("order {}", lying.iter().map(|(place, _)| place.to_string()).collect::<Vec<_>>().join(" ")))
    }

    /// Whether it is an experiment at this share: it has goals, and somebody is drawn who may get something else than others.
    /// A flag that is the same for everybody, or is drawn again for each request, is none; nor are people who are named.
    #[must_use]
    pub fn is_experiment(&self, share: Percent) -> bool {
        self.no_experiment(share).is_none()
    }

    /// Why it is not an experiment.
    pub(crate) fn no_experiment(&self, share: Percent) -> Option<&'static str> {
        let drawn = || self.variants.weights().filter(|(_, weight)| *weight > Percent::ZERO).count() > 1;
        match share {
            _ if self.goals.is_empty() => Some("it has no goals"),
            _ if self.bucket_by == BucketBy::Request => Some("it is drawn anew for each request"),
            Percent::ZERO => Some("at 0 percent nobody is drawn"),
            Percent::ALL if !drawn() => Some("at 100 percent everybody has the same"),
            _ => None,
        }
    }

    /// Whether a visitor is exposed to it on this request: one of `exposed_on`; where none is written, any page, or with a
    /// rollout or a guard any request at all, because clients that use no pages must be guarded too. For all flags of a request at
    /// once, `Snapshot::met` says it in less time.
    #[must_use]
    pub fn is_exposed_on(&self, method: &str, path: &str, is_page: bool) -> bool {
        self.is_exposed_on_all()
            || (is_page && self.is_exposed_on_pages())
            || self.exposed_on.iter().any(|route| route.fits(method, path))
    }

    /// Whether every request exposes to it.
    pub(crate) fn is_exposed_on_all(&self) -> bool {
        self.exposed_on.is_empty() && (self.rollout.is_some() || self.guard.is_some())
    }

    /// Whether every page exposes to it.
    pub(crate) const fn is_exposed_on_pages(&self) -> bool {
        self.exposed_on.is_empty()
    }
}
