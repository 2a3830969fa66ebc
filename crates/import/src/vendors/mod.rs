//! The systems, each in a file or folder of its own that reads an export into [`crate::Imported`].

pub(crate) mod flagd;
pub(crate) mod growthbook;
pub(crate) mod launchdarkly;
mod plan;
mod semver;
pub(crate) mod unleash;
pub(crate) mod waffle;
