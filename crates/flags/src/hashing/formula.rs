//! The formulas by name, and the keys that each of them reads.

use std::fmt;

/// A formula: how a unit's place is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Formula {
    /// Flagstaff's own: SHA-256 of `salt:unit`.
    #[default]
    Sha256,
    /// Unleash.
    Unleash,
    /// flagd, and other providers with its `fractional`.
    Flagd,
    /// GrowthBook.
    GrowthBook,
    /// LaunchDarkly.
    LaunchDarkly,
    /// PostHog.
    PostHog,
    /// Flipper.
    Flipper,
    /// ConfigCat.
    ConfigCat,
    /// Flagsmith.
    Flagsmith,
    /// GO Feature Flag.
    Goff,
    /// Statsig.
    Statsig,
    /// Flipt.
    Flipt,
    /// Azure App Configuration.
    Azure,
    /// Vercel Flags.
    Vercel,
}

impl Formula {
    /// All formulas.
    pub const ALL: [Self; 14] = [
        Self::Sha256,
        Self::Unleash,
        Self::Flagd,
        Self::GrowthBook,
        Self::LaunchDarkly,
        Self::PostHog,
        Self::Flipper,
        Self::ConfigCat,
        Self::Flagsmith,
        Self::Goff,
        Self::Statsig,
        Self::Flipt,
        Self::Azure,
        Self::Vercel,
    ];

    /// The word for it in a flag file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Unleash => "unleash",
            Self::Flagd => "flagd",
            Self::GrowthBook => "growthbook",
            Self::LaunchDarkly => "launchdarkly",
            Self::PostHog => "posthog",
            Self::Flipper => "flipper",
            Self::ConfigCat => "configcat",
            Self::Flagsmith => "flagsmith",
            Self::Goff => "goff",
            Self::Statsig => "statsig",
            Self::Flipt => "flipt",
            Self::Azure => "azure",
            Self::Vercel => "vercel",
        }
    }

    /// The formula of a word.
    #[must_use]
    pub fn new(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|formula| formula.as_str() == word)
    }

    /// The keys that it reads beside `as`, `prefix` and `order`, which all do.
    #[must_use]
    pub const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Sha256 => &[],
            Self::Unleash => &["group", "variant_group", "total"],
            Self::Flagd => &["key", "version", "total"],
            Self::Goff => &["key", "total"],
            Self::GrowthBook => &["seed", "version"],
            Self::LaunchDarkly => &["key", "salt", "seed"],
            Self::PostHog | Self::Flipper | Self::ConfigCat | Self::Flagsmith | Self::Flipt => &["key"],
            Self::Statsig => &["salt", "buckets"],
            Self::Azure => &["key", "group", "ignore_case"],
            Self::Vercel => &["seed"],
        }
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
