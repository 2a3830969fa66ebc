//! Draws as they stand in a cookie: nine bytes each, in base64url.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flagstaff_flags::FormerDraw;

/// Draws that are kept. With more flags than that, the later ones of the file are drawn anew.
pub(crate) const MAX_DRAWS: usize = 200;
/// Four bytes for the salt, five for position and split, which take 17 bits each.
const DRAW_BYTES: usize = 9;
const POSITION_BITS: u32 = 17;

/// The draws of one kind.
pub(crate) fn write(draws: &[FormerDraw], by_session: bool) -> String {
    let mut bytes = Vec::new();
    for draw in draws.iter().filter(|draw| draw.is_by_session() == by_session) {
        let [salt, position, split] = draw.parts();
        bytes.extend_from_slice(&salt.to_be_bytes());
        let positions = (u64::from(position) << POSITION_BITS | u64::from(split)).to_be_bytes();
        bytes.extend_from_slice(positions.get(3..).unwrap_or_default());
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads them. What is not a draw is left out.
pub(crate) fn read(text: &str, by_session: bool) -> Vec<FormerDraw> {
    let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    bytes.chunks_exact(DRAW_BYTES).take(MAX_DRAWS).filter_map(|chunk| one(chunk, by_session)).collect()
}

fn one(chunk: &[u8], by_session: bool) -> Option<FormerDraw> {
    let (salt, positions) = chunk.split_at_checked(4)?;
    let positions = positions.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
    let (position, split) = (
        u32::try_from(positions >> POSITION_BITS).ok()?,
        u32::try_from(positions & ((1 << POSITION_BITS) - 1)).ok()?,
    );
    FormerDraw::of_parts(by_session, [u32::from_be_bytes(salt.try_into().ok()?), position, split])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn come_back_as_they_went(parts in prop::collection::vec((any::<u32>(), 0..100_000_u32, 0..100_000_u32, any::<bool>()), 0..50)) {
            let draw = |(salt, position, split, by_session)| FormerDraw::of_parts(by_session, [salt, position, split]).unwrap();
            let all: Vec<_> = parts.into_iter().map(draw).collect();
            for by_session in [false, true] {
                let kept: Vec<_> = all.iter().filter(|draw| draw.is_by_session() == by_session).copied().collect();
                prop_assert_eq!(read(&write(&all, by_session), by_session), kept);
            }
        }

        #[test]
        fn any_text_is_read(text in "\\PC*") {
            prop_assert!(read(&text, false).len() <= MAX_DRAWS);
        }
    }

    #[test]
    fn a_whole_lot_fits_a_cookie() {
        let one = FormerDraw::of_parts(false, [u32::MAX, 99_999, 99_999]).unwrap();
        assert!(write(&[one; MAX_DRAWS], false).len() <= 2_400);
    }
}
