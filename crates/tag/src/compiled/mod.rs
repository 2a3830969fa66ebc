//! What a snapshot means for headers and goals, made once for each snapshot.

pub(crate) mod blocks;
pub(crate) mod differing;
pub(crate) mod goals;
pub(crate) mod interned;
pub(crate) mod per_snapshot;
pub(crate) mod repeats;
pub(crate) mod snapshot;
pub(crate) mod unknown_names;

pub use goals::NotReached;
pub use per_snapshot::PerSnapshot;
pub use snapshot::CompiledSnapshot;
pub use unknown_names::{Asker, UnknownName};
