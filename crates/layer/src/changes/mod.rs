//! Server-sent events that tell browsers when flags have changed.
//!
//! [`streams`] knows the flags in force and how many streams are open, [`stream`] is one of them, [`body`] the body of an answer that may be
//! one, [`layer`] what answers with them.

pub(crate) mod body;
pub(crate) mod layer;
pub(crate) mod stream;
pub(crate) mod streams;

pub use body::EndpointBody;
pub use layer::{ChangeFuture, ChangeLayer, ChangeService};
pub use stream::ChangeStream;
pub use streams::ChangeStreams;
