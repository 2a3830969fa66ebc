//! What the fields of a head mean for a proxy: which it must not pass on, and which may stand behind a body.

pub(crate) mod answer_length;
pub(crate) mod hop_by_hop;
pub(crate) mod list;
pub(crate) mod scan;
pub(crate) mod trailers;
