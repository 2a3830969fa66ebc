//! Where a flag document is kept, how it is read, replaced and watched.
//!
//! A [`FlagSource`] is what the settings name, and has a [`document_store`]: any place of a document. [`files`] are one on disk, [`redis`] has it under keys,
//! [`http`] reads it from the web. Files are replaced whole ([`replace`]), and their [`folders`] are watched. Programs tell each other of facts on a [`fact_channel`]. [`watch`] is the thread that looks,
//! [`reload`] what it does with what it found ([`contents`]), and [`last_good`] what it keeps in a [`state_folder`].

mod contents;
mod document_store;
mod fact_channel;
mod files;
mod folders;
mod http;
mod last_good;
mod redis;
mod reload;
mod replace;
mod source;
mod state_folder;
mod watch;

pub(crate) use contents::Contents;
pub(crate) use document_store::{LastStep, LastSteps};
pub use fact_channel::{FactChannel, OpenFactChannel};
pub use files::POLL;
pub use reload::{ReloadHealth, ReloadObserver, ReloadStatus};
pub(crate) use replace::{Turn, WriteError};
pub use source::{FlagSource, load};
pub use state_folder::StateFolder;
pub use watch::Reloader;
