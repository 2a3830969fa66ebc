//! Draws that outlive the id they were made with.
//!
//! A visitor who consents gets a new id. Where the old one fell is kept, for the flags of that moment, so that nobody changes
//! variant; what is drawn later is drawn by the new id alone.

use crate::Draw;

/// Where a unit fell for one salt while it had another id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormerDraw {
    salt: u32,
    by_session: bool,
    draw: Draw,
}

impl FormerDraw {
    /// A draw as [`FormerDraw::parts`] gave it away; `None` when a position is beyond 99,999.
    #[must_use]
    pub fn of_parts(by_session: bool, [salt, position, split]: [u32; 3]) -> Option<Self> {
        Some(Self { salt, by_session, draw: Draw::of_parts(position, split)? })
    }

    /// A number for the salt, the position and the split.
    #[must_use]
    pub const fn parts(&self) -> [u32; 3] {
        [self.salt, self.draw.position(), self.draw.split()]
    }

    /// Whether it belongs to the browser session rather than to the visitor.
    #[must_use]
    pub const fn is_by_session(&self) -> bool {
        self.by_session
    }

    /// Where a unit fell for a salt; the position and the split are those of the id it had before.
    pub(crate) fn new(salt: &str, by_session: bool, draw: Draw) -> Self {
        Self { salt: number(salt), by_session, draw }
    }

    /// Whether both are about one salt and one kind of unit.
    pub(crate) const fn is_like(&self, other: &Self) -> bool {
        self.salt == other.salt && self.by_session == other.by_session
    }

    /// The former draw for a salt, of a visitor or of a browser session.
    pub(crate) fn find(all: &[Self], by_session: bool, salt: &str) -> Option<Draw> {
        if all.is_empty() {
            return None;
        }
        let salt = number(salt);
        let found = all.iter().find(|former| former.salt == salt && former.by_session == by_session);
        found.map(|former| former.draw)
    }
}

/// A short name for a salt (FNV-1a, folded). That two salts of one file share it is unlikely, and would do no more than let a
/// visitor keep the position of the other flag.
fn number(salt: &str) -> u32 {
    let hash = salt
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let [a, b, c, d, e, f, g, h] = hash.to_be_bytes();
    u32::from_be_bytes([a, b, c, d]) ^ u32::from_be_bytes([e, f, g, h])
}
