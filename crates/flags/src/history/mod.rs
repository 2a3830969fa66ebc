//! What happened to a flag ([`fact`]), and where that leaves it ([`standing`]).

mod fact;
mod standing;

pub use fact::{Fact, FactKind, FactKindError};
pub use standing::Standing;
