//! The first day: settings, example flags and a key for the app in a folder. It asks nothing and overwrites nothing.
//!
//! - `framework.rs`: what the app is made with, as the files of its folder tell.
//! - `dependencies.rs`: the packages that these files name.
//! - `texts.rs`: what is written.
//! - `begin.rs`: how it is written.

mod begin;
mod dependencies;
mod framework;
mod texts;

pub use begin::{FileState, Init, InitAnswer, InitFile, init};
pub use framework::{App, detect};
