//! What happened to flags, what guards saw, and which facts a webhook is still to be told of.

pub(crate) mod fact_store;
pub(crate) mod news;
pub(crate) mod outbox;
pub(crate) mod signs;
