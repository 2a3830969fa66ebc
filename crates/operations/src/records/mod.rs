//! What was recorded of visitors, to export or to forget.

mod export;
mod forget;

pub use export::{Export, Exported, Part, export};
pub use flagstaff_ledger::{Export as Rows, Format};
pub use forget::{Forgotten, forget};
