//! Draws that outlive the id they were made with.
//!
//! A visitor who consents gets a new id. Where the old one fell is kept, for the flags of that moment, so that nobody changes
//! variant; what is drawn later is drawn by the new id alone.

use crate::Draw;

/// Where a unit fell for one salt while it had another id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormerDraw {
    salt: u32,
    by: Kind,
    draw: Draw,
}

/// The kind of unit that was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DrawnBy<'a> {
    /// The visitor.
    Visitor,
    /// The browser session.
    Session,
    /// A person, or a header or cookie of this name: kept in memory only, where the unit itself is not.
    Other(&'a str),
}

impl DrawnBy<'_> {
    const fn kind(self) -> Kind {
        match self {
            Self::Visitor => Kind::Visitor,
            Self::Session => Kind::Session,
            Self::Other(_) => Kind::Other,
        }
    }
}

/// The same without a name, which is part of the salt's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Visitor,
    Session,
    Other,
}

impl FormerDraw {
    /// A draw as [`FormerDraw::parts`] gave it away; `None` when a position is beyond 99,999.
    #[must_use]
    pub fn of_parts(by_session: bool, [salt, position, split]: [u32; 3]) -> Option<Self> {
        let by = if by_session { Kind::Session } else { Kind::Visitor };
        Some(Self { salt, by, draw: Draw::of_parts(position, split)? })
    }

    /// A number for the salt, the position and the split.
    #[must_use]
    pub const fn parts(&self) -> [u32; 3] {
        [self.salt, self.draw.position(), self.draw.split()]
    }

    /// Whether it belongs to the browser session rather than to the visitor.
    #[must_use]
    pub const fn is_by_session(&self) -> bool {
        matches!(self.by, Kind::Session)
    }

    /// Where a unit fell for a salt; the position and the split are those of the id it had before.
    pub(crate) fn new(salt: &str, by: DrawnBy<'_>, draw: Draw) -> Self {
        Self { salt: number(salt, by), by: by.kind(), draw }
    }

    /// Whether both are about one salt and one kind of unit.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.salt == other.salt && self.by == other.by
    }

    /// The former draw for a salt, of a unit of this kind.
    pub(crate) fn find(all: &[Self], by: DrawnBy<'_>, salt: &str) -> Option<Draw> {
        if all.is_empty() {
            return None;
        }
        let (salt, kind) = (number(salt, by), by.kind());
        let found = all.iter().find(|former| former.salt == salt && former.by == kind);
        found.map(|former| former.draw)
    }
}

/// A short name for a salt (FNV-1a, folded). That two salts of one file share it is unlikely, and would do no more than let a
/// visitor keep the position of the other flag.
fn number(salt: &str, by: DrawnBy<'_>) -> u32 {
    let name = if let DrawnBy::Other(name) = by { name } else { "" };
    let hash = salt
        .bytes()
        .chain(name.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let [a, b, c, d, e, f, g, h] = hash.to_be_bytes();
    u32::from_be_bytes([a, b, c, d]) ^ u32::from_be_bytes([e, f, g, h])
}
