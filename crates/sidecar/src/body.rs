//! Bodies: what comes from clients, and what goes back.

mod course;
mod request;
mod response;

pub(crate) use course::Course;
pub use request::RequestBody;
pub(crate) use request::{BodyFault, BodyRules};
pub use response::ResponseBody;

/// An error of any kind, as tower has it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
