//! The systems, each in a file or folder of its own that reads an export into [`crate::Imported`].

pub(crate) mod flagd;
mod semver;
pub(crate) mod waffle;
