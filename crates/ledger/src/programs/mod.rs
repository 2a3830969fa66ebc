//! The programs that run with a ledger: each says from time to time that it is there.

pub(crate) mod presence;
pub(crate) mod program;
pub(crate) mod program_store;
