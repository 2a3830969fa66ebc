//! What is answered to the question what an edit would do, and its sentence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::compare::Compared;
use super::visitors::WhyNoVisitors;
use crate::words::thousands;

/// What an edit of a flag would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Preview {
    /// The flag.
    pub flag: String,
    /// Something would be otherwise in the file.
    pub changes: bool,
    /// Visitors who would get another variant.
    pub moves: u64,
    /// The last visitors, on whom it was tried.
    pub of: u64,
    /// Visitors who keep their variant only because it is remembered for them.
    pub kept: u64,
    /// How many of the visitors each variant has before and after.
    pub by_variant: Vec<VariantMoves>,
    /// Other flags whose visitors move with it.
    pub others: Vec<FlagMoves>,
    /// What happened to the flag and would be undone, in words; none: nothing.
    pub undoes: Option<String>,
    /// The share at which its rollout would begin anew (0 to 100); none: it goes on.
    pub restarts_at: Option<f64>,
    /// A rollback by its guard would be cleared.
    pub clears_rollback: bool,
    /// What its conditions look at and is not known of these visitors, because no condition looked at it when they came.
    pub unknown: Vec<String>,
    /// The revision of the files that it is about.
    pub revision: String,
    /// All of it in a sentence.
    pub means: String,
}

/// How many visitors a variant has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VariantMoves {
    /// The variant.
    pub variant: String,
    /// Visitors who have it.
    pub before: u64,
    /// Visitors who would have it.
    pub after: u64,
}

/// How many visitors of another flag move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FlagMoves {
    /// The flag.
    pub flag: String,
    /// Visitors who would get another variant of it.
    pub moves: u64,
}

/// What a whole text of flags would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DraftPreview {
    /// Visitors who would get another variant of some flag.
    pub moves: u64,
    /// The last visitors, on whom it was tried.
    pub of: u64,
    /// What becomes of each flag that changes, for its visitors or in what decides about them.
    pub flags: Vec<Preview>,
    /// The revision that the text has.
    pub revision: String,
    /// All of it in a sentence.
    pub means: String,
}

/// What goes into the sentence beside the numbers.
pub(super) struct About<'a> {
    pub(super) why_none: WhyNoVisitors,
    /// A key changes that decides about visitors.
    pub(super) decides: bool,
    pub(super) restarts_at: Option<String>,
    pub(super) switched_on: Option<&'a str>,
}

impl Preview {
    /// The numbers of a comparison.
    pub(super) fn count(&mut self, compared: &Compared) {
        (self.moves, self.kept) = (compared.moves, compared.kept);
        let one = |(variant, [before, after]): (&String, &[u64; 2])| VariantMoves {
            variant: variant.clone(),
            before: *before,
            after: *after,
        };
        self.by_variant = compared.variants.iter().map(one).collect();
    }

    /// The sentence.
    pub(super) fn say(&mut self, about: &About<'_>) {
        let mut parts = Vec::new();
        parts.extend(self.visitors(about));
        parts.extend(about.restarts_at.as_ref().map(|share| format!("restarts the rollout at {share} %")));
        parts.extend(self.clears_rollback.then(|| "clears a rollback".to_owned()));
        parts.extend(about.switched_on.map(|words| format!("switches it on again: it was {words}")));
        parts.extend(
            (self.kept > 0)
                .then(|| format!("{} of them keep the variant that is remembered for them", thousands(self.kept))),
        );
        let other = |one: &FlagMoves| format!("moves {} of them for {}", thousands(one.moves), one.flag);
        parts.extend(self.others.iter().take(3).map(other));
        parts.extend((!self.unknown.is_empty()).then(|| {
            format!("{} of the last visitors is not known, so the numbers may change", self.unknown.join(", "))
        }));
        self.means = parts.join("; ");
    }

    fn visitors(&self, about: &About<'_>) -> Option<String> {
        let undoes = about.restarts_at.is_some() || self.clears_rollback || about.switched_on.is_some();
        match (self.changes || undoes, self.of, self.moves) {
            (false, ..) => Some("changes nothing".into()),
            (true, _, 0) if !about.decides => (!undoes).then(|| "nobody would notice".into()),
            (true, 0, _) => Some(about.why_none.words().into()),
            (true, of, 0) => Some(format!("moves none of the last {}", visitors(of))),
            (true, of, moves) => Some(format!("moves {} of the last {}", thousands(moves), visitors(of))),
        }
    }
}

impl DraftPreview {
    /// The sentence.
    pub(super) fn say(&mut self, why_none: WhyNoVisitors) {
        let undoing = self.flags.iter().filter_map(|one| Some(format!("{}: {}", one.flag, one.undoes.as_ref()?)));
        let undoing: Vec<_> = undoing.take(5).collect();
        let mut parts = vec![match (self.flags.is_empty(), self.of, self.moves) {
            (true, ..) => "nobody would notice".into(),
            (false, 0, _) => why_none.words().into(),
            (false, of, 0) => format!("moves none of the last {}", visitors(of)),
            (false, of, moves) => format!("moves {} of the last {}", thousands(moves), visitors(of)),
        }];
        parts.extend(undoing);
        self.means = parts.join("; ");
    }
}

/// `5,000 visitors`.
fn visitors(number: u64) -> String {
    let noun = if number == 1 { "visitor" } else { "visitors" };
    format!("{} {noun}", thousands(number))
}
