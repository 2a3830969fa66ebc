//! Salts, ready to be drawn with.

use crate::Draw;
use crate::draw::WEIGHTS;
use crate::lanes::{Block, INITIAL, Kernel, WIDTH, Weighed, kernel, whole_groups};

/// The most bytes of a message that fits a block with its padding (FIPS 180-4, 5.1.1), and the most that fits two.
const ONE_BLOCK: usize = 55;
const TWO_BLOCKS: usize = 119;

/// Salts of one unit, the shortest first, so that messages of one block stand together.
#[derive(Debug, Default)]
pub(super) struct Salts(Box<[Salt]>);

/// A salt with its colon, as the beginning of a message.
#[derive(Debug)]
struct Salt {
    beginning: Block,
    /// The length of the beginning, colon included; 255 for one that does not fit.
    length: u8,
    text: Box<str>,
}

impl Salt {
    fn new(salt: &str) -> Self {
        let with_colon = salt.bytes().chain([b':']);
        let mut beginning = [0; 64];
        beginning.iter_mut().zip(with_colon).for_each(|(slot, byte)| *slot = byte);
        let fits = u8::try_from(salt.len() + 1).ok().filter(|length| usize::from(*length) <= beginning.len());
        Self { beginning, length: fits.unwrap_or(u8::MAX), text: salt.into() }
    }

    fn fits(&self, unit: usize, most: usize) -> bool {
        usize::from(self.length) + unit <= most
    }
}

/// A unit between zeros: a piece of it, laid over a salt, is a message.
struct Unit {
    zeros_and_text: [u8; 192],
    length: usize,
}

impl Unit {
    /// `None` when it does not fit.
    #[inline]
    fn new(text: &str) -> Option<Self> {
        let mut zeros_and_text = [0; 192];
        let (_, from) = zeros_and_text.split_at_mut(64);
        let (body, rest) = from.get_mut(..64)?.split_at_mut_checked(text.len())?;
        body.copy_from_slice(text.as_bytes());
        // the bit after the message
        *rest.first_mut()? = 0x80;
        Some(Self { zeros_and_text, length: text.len() })
    }

    /// A block of the message for a salt: the first or the second of so many. It is laid together in pieces as wide as those in which it is
    /// read: a processor waits long for what was just written in others.
    #[inline]
    fn block(&self, salt: &Salt, number: usize, of: usize) -> Block {
        let length = usize::from(salt.length).min(64);
        let from = 64 * number - length;
        let mut block = [0; 64];
        block.copy_from_slice(&self.zeros_and_text[from..from + 64]);
        if number == 1 {
            block.iter_mut().zip(&salt.beginning).for_each(|(byte, of_salt)| *byte |= of_salt);
        }
        if number == of {
            let ending = ENDINGS.get(length + self.length).unwrap_or(&[0; 16]);
            block[48..].iter_mut().zip(ending).for_each(|(byte, of_ending)| *byte |= of_ending);
        }
        block
    }
}

/// The last 16 bytes of a message by its length: zeros, and how many bits it has.
static ENDINGS: [[u8; 16]; TWO_BLOCKS + 1] = {
    let mut all = [[0; 16]; TWO_BLOCKS + 1];
    let mut length = 0;
    while length < all.len() {
        let [high, low] = (length as u16 * 8).to_be_bytes();
        (all[length][14], all[length][15]) = (high, low);
        length += 1;
    }
    all
};

impl Salts {
    /// Those of a list, each once; and the place of each of the list among them.
    pub(super) fn new(all: &[&str]) -> (Self, Vec<u32>) {
        // no request is the first to ask
        _ = kernel();
        let key = |salt: &&str| (salt.len(), (*salt).to_owned());
        let mut sorted = all.to_vec();
        sorted.sort_unstable_by_key(key);
        sorted.dedup();
        let place =
            |salt| sorted.binary_search_by_key(&key(salt), key).ok().and_then(|place| u32::try_from(place).ok());
        let places = all.iter().map(|salt| place(salt).unwrap_or_default()).collect();
        (Self(sorted.into_iter().map(Salt::new).collect()), places)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Draws a unit with each of them.
    pub(super) fn draw(&self, text: &str, draws: &mut [Draw]) {
        // one alone is hashed by itself: to lay it between zeros would take longer than it saves
        if let ([salt], [draw]) = (&*self.0, &mut *draws) {
            *draw = Draw::of(&salt.text, text);
            return;
        }
        let Some(unit) = Unit::new(text) else {
            return draw_each(&self.0, text, draws);
        };
        let up_to = |most: usize| {
            let all_fit = self.0.last().is_none_or(|longest| longest.fits(unit.length, most));
            if all_fit { self.0.len() } else { self.0.partition_point(|salt| salt.fits(unit.length, most)) }
        };
        let one = up_to(ONE_BLOCK);
        let (short, longer) = self.0.split_at(one);
        let (draws, longer_draws) = draws.split_at_mut(one);
        draw_at_once::<1>(short, &unit, draws);
        if !longer.is_empty() {
            let (longer, longest) = longer.split_at(up_to(TWO_BLOCKS) - one);
            let (draws, longest_draws) = longer_draws.split_at_mut(longer.len());
            draw_at_once::<2>(longer, &unit, draws);
            draw_each(longest, text, longest_draws);
        }
    }
}

/// Draws with salts whose messages have so many blocks.
fn draw_at_once<const BLOCKS: usize>(salts: &[Salt], unit: &Unit, draws: &mut [Draw]) {
    let kernel = kernel();
    match kernel.width() {
        WIDTH => {
            let whole = whole_groups(salts.len());
            let ((salts, rest), (draws, rest_draws)) = (salts.split_at(whole), draws.split_at_mut(whole));
            if whole > 0 {
                draw_together::<BLOCKS, WIDTH>(kernel, salts, unit, draws);
            }
            draw_together::<BLOCKS, 4>(kernel, rest, unit, rest_draws);
        }
        8 => draw_together::<BLOCKS, 8>(kernel, salts, unit, draws),
        4 => draw_together::<BLOCKS, 4>(kernel, salts, unit, draws),
        _ => draw_together::<BLOCKS, 1>(kernel, salts, unit, draws),
    }
}

/// Draws with so many salts at once. What a few hashes say is read off only when the next ones are hashed: reading is a chain of steps that wait
/// for each other, and goes on beside the rounds.
#[inline]
fn draw_together<const BLOCKS: usize, const N: usize>(
    kernel: Kernel,
    salts: &[Salt],
    unit: &Unit,
    draws: &mut [Draw],
) {
    let mut hashed: (&mut [Draw], [Weighed; N]) = (&mut [], [Weighed::default(); N]);
    for (salts, draws) in salts.chunks(N).zip(draws.chunks_mut(N)) {
        let block = |number| {
            let mut blocks = [[0; 64]; N];
            blocks.iter_mut().zip(salts).for_each(|(block, salt)| *block = unit.block(salt, number, BLOCKS));
            blocks
        };
        let before = (BLOCKS > 1).then(|| {
            let mut states = [INITIAL; N];
            (1..BLOCKS).for_each(|number| kernel.compress(&mut states, &block(number), salts.len()));
            states
        });
        let weighed = kernel.weigh(before.as_ref(), &block(BLOCKS), &WEIGHTS, salts.len());
        // sixteen are as many as a processor looks ahead
        let (draws, weighed) =
            if N == WIDTH { (draws, weighed) } else { std::mem::replace(&mut hashed, (draws, weighed)) };
        read_off(draws, &weighed);
    }
    read_off(hashed.0, &hashed.1);
}

#[inline]
fn read_off(draws: &mut [Draw], all: &[Weighed]) {
    draws.iter_mut().zip(all).for_each(|(draw, weighed)| *draw = Draw::of_weighed(*weighed));
}

/// Draws with salts, or a unit, too long for that.
#[cold]
fn draw_each(salts: &[Salt], unit: &str, draws: &mut [Draw]) {
    draws.iter_mut().zip(salts).for_each(|(draw, salt)| *draw = Draw::of(&salt.text, unit));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_as_one_by_one_at_every_length() {
        let salts: Vec<String> =
            (0..130).map(|length| "s".repeat(length % 70)).chain(["a".into(), "b".into()]).collect();
        let all: Vec<&str> = salts.iter().map(String::as_str).collect();
        let (sorted, places) = Salts::new(&all);
        assert_eq!(sorted.len(), 72, "each once");
        for unit in (0..130).map(|length| "ü".repeat(length / 2) + if length % 2 == 0 { "" } else { "u" }) {
            let mut draws = vec![Draw::FIRST; sorted.len()];
            sorted.draw(&unit, &mut draws);
            for (salt, place) in all.iter().zip(&places) {
                assert_eq!(draws[*place as usize], Draw::of(salt, &unit), "{salt}:{unit}");
            }
        }
    }
}
