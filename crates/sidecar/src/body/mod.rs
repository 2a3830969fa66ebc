//! Bodies: what comes from clients, and what goes back.

mod progress;
mod request;
mod response;

pub(crate) use progress::Course;
pub use request::RequestBody;
pub(crate) use request::{BodyFault, BodyRules};
pub use response::ResponseBody;

/// An error of any kind, as tower has it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
