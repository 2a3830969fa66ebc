//! What happened to a flag ([`fact`]), where that leaves it ([`standing`]), and the texts that were accepted ([`revision`]).

mod fact;
mod revision;
mod standing;

pub use fact::{Fact, FactKind, FactKindError};
pub use revision::{FlagTexts, RevisionSource, RevisionSourceError};
pub use standing::Standing;
