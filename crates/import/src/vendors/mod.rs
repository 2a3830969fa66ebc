//! The systems, each in a file or folder of its own that reads an export into [`crate::Imported`].

pub(crate) mod azure;
mod beyond_ascii;
pub(crate) mod configcat;
pub(crate) mod flagd;
pub(crate) mod flagsmith;
pub(crate) mod flipper;
pub(crate) mod flipt;
pub(crate) mod goff;
pub(crate) mod growthbook;
pub(crate) mod launchdarkly;
mod plan;
pub(crate) mod posthog;
mod semver;
pub(crate) mod statsig;
pub(crate) mod unleash;
pub(crate) mod vercel;
pub(crate) mod waffle;
