//! Visitors who fall into variants.

use std::collections::BTreeMap;
use std::sync::Arc;

use flagstaff_flags::{BucketBy, Flag, FlagId, Percent, Snapshot, Subject, User, VariantId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workspace::find;
use crate::{Error, json};

/// Made-up visitors who meet one flag, one after the other.
#[derive(Debug)]
pub struct Simulation {
    snapshot: Arc<Snapshot>,
    id: FlagId,
    flag: Arc<Flag>,
    now: Timestamp,
    visitors: u64,
    /// By the number of the variant.
    fallen: Vec<u64>,
}

/// How many visitors fell into each variant.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Simulated {
    /// The flag.
    pub flag: String,
    /// The share of visitors it is on for (0 to 100).
    #[serde(with = "json::percent")]
    #[schemars(with = "f64")]
    pub percent: Percent,
    /// Visitors so far.
    pub visitors: u64,
    /// The variants that can be, with their visitors, in the order of the file. `off` of a flag with variants of its own is among them
    /// only when somebody has it.
    #[serde(with = "json::pairs")]
    #[schemars(with = "BTreeMap<String, u64>")]
    pub variants: Vec<(String, u64)>,
}

impl Simulation {
    /// A flag that nobody has met yet, supposing another percentage of it.
    ///
    /// # Errors
    /// [`Error::NoFlag`] when there is no such flag.
    pub fn new(snapshot: &Arc<Snapshot>, flag: &str, percent: Option<Percent>) -> Result<Self, Error> {
        let (id, _) = find(snapshot, flag)?;
        let snapshot = match percent {
            Some(percent) => Arc::new(snapshot.supposing(id, percent)),
            None => Arc::clone(snapshot),
        };
        let flag = Arc::clone(find(&snapshot, flag)?.1);
        let fallen = vec![0; flag.variants.names().len()];
        Ok(Self { snapshot, id, flag, now: Timestamp::now(), visitors: 0, fallen })
    }

    /// The next visitor meets the flag.
    pub fn add_visitor(&mut self) {
        self.next_visitor();
    }

    /// The next visitor meets the flag, and gets this variant.
    pub fn next_visitor(&mut self) -> VariantId {
        let unit = format!("visitor-{}", self.visitors);
        let user = User { id: unit.clone(), ..User::default() };
        let visitor = Subject { session: Some(&unit), request: Some(&unit), ..Subject::at(self.now).visitor(&unit) };
        let subject = if self.flag.bucket_by == BucketBy::User { visitor.user(&user) } else { visitor };
        let variant = self.snapshot.decide_one(self.id, &subject).variant();
        if let Some(count) = self.fallen.get_mut(variant.index()) {
            *count += 1;
        }
        self.visitors += 1;
        variant
    }

    /// The flag, as it is supposed to be.
    #[must_use]
    pub fn flag(&self) -> &Flag {
        &self.flag
    }

    /// How many visitors fell into each variant so far.
    #[must_use]
    pub fn answer(&self) -> Simulated {
        let variants = &self.flag.variants;
        let is_drawn = |name: &str| variants.weights().any(|(id, _)| variants.name(id) == name);
        let all = variants.names().iter().map(|name| &**name).zip(self.fallen.iter().copied());
        let shown = all.filter(|(name, count)| *count > 0 || !variants.are_named() || is_drawn(name));
        Simulated {
            flag: self.flag.name.to_string(),
            percent: self.snapshot.share(self.id, self.now),
            visitors: self.visitors,
            variants: shown.map(|(name, count)| (name.to_owned(), count)).collect(),
        }
    }
}
