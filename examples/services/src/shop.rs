//! Messages of the shop, and what `build.rs` makes of its service.

/// What is searched for.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Question {
    /// The words.
    #[prost(string, tag = "1")]
    pub words: String,
}

/// What was found.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Found {
    /// Which search answers.
    #[prost(string, tag = "1")]
    pub by: String,
}

include!(concat!(env!("OUT_DIR"), "/shop.Search.rs"));
