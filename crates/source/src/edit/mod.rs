//! Edits that keep comments and layout: only the bytes of a value change.
//!
//! A `change` says which keys it sets. A `plan` reads the files, has `set` put the keys where their `location` is (in a
//! `chunk` alone where the rest is not TOML) or `restore` what was, checks the result, and has the store replace the files. To `end` a flag is to
//! `settle` it on its winner or to `cut` it out, after the `end_checks`. To `create` one is to write or copy its table. `read` says what a
//! key says now. A `node` is what a path leads to. `error` is why not. A `passage` is what a text says of a flag.

mod change;
mod chunk;
mod create;
mod cut;
mod end;
mod end_checks;
mod error;
mod location;
mod node;
mod passage;
mod plan;
mod read;
mod restore;
mod set;
mod settle;

pub use change::Change;
pub use end::{Ending, Settled, end};
pub use error::{EditError, Refused};
pub use passage::{passage, without};
pub use plan::{EditPlan, Ready, Undo};
pub use set::set;
pub use settle::VariantNames;
