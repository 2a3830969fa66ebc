#![doc = include_str!("../README.md")]
//!
//! # Where to look
//!
//! - [`workspace`]: where the flags and the ledger are, and how they are opened.
//! - [`flags`]: what a flag file says, and what would be decided.
//! - [`results`]: whether an experiment's variants differ, and how many visitors it takes.
//! - [`history`]: which revisions of the flags there were, what else happened then, and the way back.
//! - [`revisions`]: how a revision is recorded, and who made it.
//! - [`records`]: what was recorded of visitors, to export or to forget.
//! - [`attention`]: what needs a person, and what happened last.
//! - [`hygiene`]: what should be tidied up.
//! - [`rollout`]: where a rollout stands, and commands to it.
//! - [`edit`]: changes of a flag in place.
//! - [`preview`]: what an edit would do to visitors, before it is made.
//! - [`traffic`]: what a running program sees of its traffic.
//! - [`fleet`](mod@fleet): the programs that run with the same ledger.
//! - [`transfer`]: the whole document, into a store and out of it.
//! - [`translate`](mod@translate): the flags of the file as another system's file.
//! - [`end`]: the end of an experiment.
//! - [`code`]: where code asks for flags, and whether the flag file knows them.
//! - [`init`](mod@init): settings, example flags and a key for an app that moves in.
//! - [`api`]: what is asked over HTTP, and the problem that answers what cannot be done.

pub mod api;
pub mod attention;
pub mod code;
pub mod edit;
pub mod end;
mod error;
pub mod flags;
pub mod fleet;
pub mod history;
pub mod hygiene;
pub mod init;
mod json;
pub mod preview;
mod problem;
pub mod records;
pub mod results;
pub mod revisions;
pub mod rollout;
pub mod traffic;
pub mod transfer;
pub mod translate;
mod words;
pub mod workspace;

pub use error::Error;
