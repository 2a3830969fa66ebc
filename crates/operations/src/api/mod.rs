//! The JSON API as both of its ends know it: what is asked, and what is answered where it cannot be done.
//!
//! What is answered otherwise are the answers of the other rooms. The program serves the API, and a command that is given `--url` asks it.
//!
//! - `requests.rs`: bodies and queries.
//! - `streams.rs`: the query of the stream of changes.
//! - `problem.rs`: an error of an operation as a problem.
//! - `toml_text.rs`: a JSON value as the flag file says it.

mod problem;
mod requests;
mod streams;
mod toml_text;

pub use crate::problem::{Problem, ProblemKind};
pub use crate::traffic::TailQuery;
pub use requests::{
    ChangeRequest, CheckQuery, CompareQuery, CreateRequest, DeleteQuery, DiffQuery, EndRequest, ExplainRequest,
    ExportFormat, ExportQuery, ExportRows, ForgetRequest, HeaderField, HistoryQuery, LinkRequest, OrderRequest,
    PowerQuery, PreviewRequest, ResultsQuery, RollbackQuery, RollbackRequest, SignedLink, SimulationQuery, Switch,
};
pub use streams::EventsQuery;
