//! OFREP 0.3, the OpenFeature Remote Evaluation Protocol.
//!
//! `question` is what is asked, `evaluation` the answer to one flag, `answer` the response to the request.

mod answer;
mod evaluation;
mod question;

pub use answer::{EventStream, evaluate};
pub(crate) use answer::{evaluate_for, wrong_method};
pub use evaluation::{ErrorCode, Evaluation, Failure, evaluation};
pub use question::{Question, context_of};
