//! Rows as a pack holds them: in the order of their hashes, one behind the other, with numbers as short as they can be.

use crate::store::unit_hash::UnitHash;

/// What a pack begins with. Another way to write rows gets another number.
const FORMAT: u8 = 1;

/// What can be in a pack.
pub(crate) trait Row: Sized {
    fn hash(&self) -> UnitHash;
    /// The time that those of other rows are near to.
    fn time(&self) -> i64;
    fn write(&self, base: i64, to: &mut Vec<u8>);
    fn read(from: &mut Reader<'_>, base: i64) -> Option<Self>;
}

/// A unit as it met a variant first. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exposed {
    pub(crate) hash: UnitHash,
    pub(crate) variant: i64,
    pub(crate) period: i64,
    pub(crate) place: i64,
    pub(crate) held: bool,
    pub(crate) confirmed: bool,
    pub(crate) at: i64,
    pub(crate) crossed: Option<i64>,
    pub(crate) page1: Option<i64>,
    pub(crate) page2: Option<i64>,
}

/// A unit reached a goal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Converted {
    pub(crate) hash: UnitHash,
    pub(crate) at: i64,
    pub(crate) value: Option<f64>,
}

const HELD: u8 = 1;
const CONFIRMED: u8 = 2;
const CROSSED: u8 = 4;
const PAGE1: u8 = 8;
const PAGE2: u8 = 16;
const VALUE: u8 = 1;

impl Row for Exposed {
    fn hash(&self) -> UnitHash {
        self.hash
    }

    fn time(&self) -> i64 {
        self.at
    }

    fn write(&self, base: i64, to: &mut Vec<u8>) {
        to.extend(self.hash.0.to_le_bytes());
        let bit = |is: bool, bit: u8| if is { bit } else { 0 };
        let times = [(self.crossed, CROSSED), (self.page1, PAGE1), (self.page2, PAGE2)];
        let known = times.iter().map(|(time, mark)| bit(time.is_some(), *mark)).sum::<u8>();
        to.push(bit(self.held, HELD) | bit(self.confirmed, CONFIRMED) | known);
        for number in [self.variant, self.period, self.place, self.at.wrapping_sub(base)] {
            write_number(number, to);
        }
        for (time, _) in times {
            time.into_iter().for_each(|time| write_number(time.wrapping_sub(self.at), to));
        }
    }

    fn read(from: &mut Reader<'_>, base: i64) -> Option<Self> {
        let hash = from.hash()?;
        let flags = from.byte()?;
        let [variant, period, place, at] = [from.number()?, from.number()?, from.number()?, from.number()?];
        let at = at.wrapping_add(base);
        let mut time = |mark: u8| -> Option<Option<i64>> {
            if flags & mark == 0 { Some(None) } else { from.number().map(|time| Some(time.wrapping_add(at))) }
        };
        let (crossed, page1, page2) = (time(CROSSED)?, time(PAGE1)?, time(PAGE2)?);
        let (held, confirmed) = (flags & HELD != 0, flags & CONFIRMED != 0);
        Some(Self { hash, variant, period, place, held, confirmed, at, crossed, page1, page2 })
    }
}

impl Row for Converted {
    fn hash(&self) -> UnitHash {
        self.hash
    }

    fn time(&self) -> i64 {
        self.at
    }

    fn write(&self, base: i64, to: &mut Vec<u8>) {
        to.extend(self.hash.0.to_le_bytes());
        to.push(if self.value.is_some() { VALUE } else { 0 });
        write_number(self.at.wrapping_sub(base), to);
        self.value.into_iter().for_each(|value| to.extend(value.to_le_bytes()));
    }

    fn read(from: &mut Reader<'_>, base: i64) -> Option<Self> {
        let hash = from.hash()?;
        let flags = from.byte()?;
        let at = from.number()?.wrapping_add(base);
        let value = if flags & VALUE == 0 { None } else { Some(f64::from_le_bytes(from.bytes()?)) };
        Some(Self { hash, at, value })
    }
}

/// Packs rows that are in the order of their hashes.
pub(crate) fn pack<R: Row>(rows: &[R]) -> Vec<u8> {
    let base = rows.first().map_or(0, Row::time);
    let mut packed = vec![FORMAT];
    packed.extend(base.to_le_bytes());
    rows.iter().for_each(|row| row.write(base, &mut packed));
    packed
}

/// Adds the rows of a pack to others; none where it is no pack of this format.
pub(crate) fn unpack<R: Row>(packed: &[u8], to: &mut Vec<R>) -> Option<()> {
    let mut from = Reader(packed);
    if from.byte()? != FORMAT {
        return None;
    }
    let base = i64::from_le_bytes(from.bytes()?);
    while !from.0.is_empty() {
        to.push(R::read(&mut from, base)?);
    }
    Some(())
}

/// The rest of a pack.
pub(crate) struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    #[inline]
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*bytes)
    }

    #[inline]
    fn byte(&mut self) -> Option<u8> {
        self.bytes::<1>().map(|[byte]| byte)
    }

    #[inline]
    fn hash(&mut self) -> Option<UnitHash> {
        self.bytes().map(|bytes| UnitHash(i64::from_le_bytes(bytes)))
    }

    /// Seven bits a byte, the lowest first, the sign in the last of all ("zigzag", as Protocol Buffers have it).
    #[inline]
    fn number(&mut self) -> Option<i64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed());
            }
        }
        None
    }
}

fn write_number(number: i64, to: &mut Vec<u8>) {
    let mut rest = (number << 1 ^ number >> 63).cast_unsigned();
    while rest >= 0x80 {
        to.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    to.push(rest.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(draw: &mut fastrand::Rng) -> i64 {
        match draw.u8(0..4) {
            0 => draw.i64(..),
            1 => [i64::MIN, i64::MAX, 0, -1][draw.usize(0..4)],
            _ => 1_760_000_000_000_000 + draw.i64(0..100_000_000_000),
        }
    }

    fn exposed(draw: &mut fastrand::Rng) -> Exposed {
        let maybe = |draw: &mut fastrand::Rng| if draw.bool() { Some(time(draw)) } else { None };
        Exposed {
            hash: UnitHash(draw.i64(..)),
            variant: draw.i64(0..4),
            period: draw.i64(0..9),
            place: draw.i64(0..100_000),
            held: draw.bool(),
            confirmed: draw.bool(),
            at: time(draw),
            crossed: maybe(draw),
            page1: maybe(draw),
            page2: maybe(draw),
        }
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        let mut draw = fastrand::Rng::with_seed(14);
        for _ in 0..200 {
            let rows: Vec<_> = (0..draw.usize(0..60)).map(|_| exposed(&mut draw)).collect();
            let mut unpacked: Vec<Exposed> = Vec::new();
            assert_eq!(unpack(&pack(&rows), &mut unpacked), Some(()));
            assert_eq!(unpacked, rows);
            let value = |draw: &mut fastrand::Rng| if draw.bool() { Some(draw.f64() * 1e12) } else { None };
            let rows: Vec<_> = (0..draw.usize(0..60))
                .map(|_| Converted { hash: UnitHash(draw.i64(..)), at: time(&mut draw), value: value(&mut draw) })
                .collect();
            let mut unpacked: Vec<Converted> = Vec::new();
            assert_eq!(unpack(&pack(&rows), &mut unpacked), Some(()));
            assert_eq!(unpacked, rows);
        }
    }

    #[test]
    fn what_is_no_pack_is_told_from_one() {
        let mut draw = fastrand::Rng::with_seed(15);
        let rows: Vec<_> = (0..9).map(|_| exposed(&mut draw)).collect();
        let whole = pack(&rows);
        assert_eq!(unpack::<Exposed>(&[], &mut Vec::new()), None);
        assert_eq!(unpack::<Exposed>(&[9; 40], &mut Vec::new()), None);
        for _ in 0..2_000 {
            let mut broken = whole.clone();
            for _ in 0..draw.usize(1..4) {
                let at = draw.usize(0..broken.len());
                broken[at] = draw.u8(..);
            }
            broken.truncate(draw.usize(0..=whole.len()));
            // whatever it says, it does not panic, and has no more rows than bytes
            let mut rows = Vec::new();
            let _ = unpack::<Exposed>(&broken, &mut rows);
            assert!(rows.len() <= broken.len());
        }
    }
}
