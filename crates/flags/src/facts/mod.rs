//! What happened to a flag, and where that leaves it.

mod fact;

pub use fact::{Fact, FactKind, FactKindError, Standing};
