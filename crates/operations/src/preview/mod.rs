//! What an edit would do to visitors, before it is made: it is evaluated on the last visitors.
//!
//! - `visitors.rs`: the last visitors, as a running program keeps them.
//! - `compare.rs`: what two sets of flags give each of them.
//! - `answer.rs`: what is answered, and its sentence.
//! - `edit.rs`: an edit of one flag.
//! - `draft.rs`: a whole text of flags.

mod answer;
mod compare;
mod draft;
mod edit;
mod visitors;

pub use answer::{DraftPreview, FlagMoves, Preview, VariantMoves};
pub use draft::{Draft, preview_draft};
pub use edit::preview;
pub use visitors::{RecentVisitors, WhyNoVisitors};
