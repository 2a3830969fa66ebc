//! Bodies: what comes from clients ([`request`]), and what goes back ([`response`], [`upstream`]). The two tell each other how far they
//! have come ([`exchange_state`]).

mod exchange_state;
mod request;
mod response;
mod upstream;

pub(crate) use exchange_state::ExchangeState;
pub use request::RequestBody;
pub(crate) use request::{BodyFault, BodyRules, copy, empty_request};
pub use response::ResponseBody;
pub(crate) use upstream::{AnswerBody, Reuse, UpstreamBody};

/// An error of any kind, as tower has it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
