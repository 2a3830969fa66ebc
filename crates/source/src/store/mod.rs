//! Where documents are: files, what was good last, and how a change is noticed.

pub(crate) mod files;
mod folders;
mod last_good;
mod reload;
mod watch;

pub use files::{Files, load};
pub use last_good::StateFolder;
pub use reload::{Health, Observer, Status};
pub use watch::{POLL, Watch};
