//! The ids of flags, variants, definitions and experiments.

use std::fmt;

use sha2::{Digest, Sha256};

/// A flag of one snapshot, by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlagId(pub(crate) u32);

impl FlagId {
    /// The index in `Snapshot::flags`.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A variant of one flag, by its index in the flag's list. Index 0 is always `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariantId(pub(crate) u8);

impl VariantId {
    /// The variant every flag has: `off`.
    pub const OFF: Self = Self(0);
    /// The other variant of a flag of off and on.
    pub const ON: Self = Self(1);

    /// The index in `Variants::names`.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A fingerprint of the text a flag was made from: any edit of the flag changes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Definition(pub u64);

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Which experiment a flag is: the same for all definitions that draw alike. A new share, text, goal or owner goes on with
/// it; another name, salt, unit or list of variants starts a new one, because it makes other groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExperimentId(u64);

impl ExperimentId {
    pub(crate) fn of_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // no part contains a NUL, so no two lists of parts read the same
            hash.update(part);
            hash.update([0]);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    /// As a number.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ExperimentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
