//! What flags say of a user, found with one look.
//!
//! A list of many names does not fit the processor's caches, and waiting for memory is then all that a look costs. So a short id lies in
//! the table itself, with what is said of it, in half a line of the cache; and the look begins in the right place, with no other table
//! before it.
//!
//! Ids of requests are written by strangers. They only look: the table is made of the names in the flag file, so no id can make another
//! one wait, and none is added. The hash has a key of this table alone all the same, for names that strangers chose.

use std::hash::{BuildHasher, RandomState};

use crate::{Decision, FlagId};

/// A flag that names a user, and the decision where one is known without a draw.
pub(crate) type Named = (FlagId, Option<Decision>);

/// The most bytes of an id that lies in the table itself.
const SHORT: usize = 23;
/// Stands where the length of a short id would.
const LONG: u64 = 0xff << 56;

/// Users by id.
#[derive(Debug, Default)]
pub(super) struct UserTable {
    /// A power of two, at least a third more than there are users; or none at all.
    slots: Box<[Slot]>,
    /// Ids that are not short.
    long: Vec<Box<str>>,
    /// What is said of users whom several flags name.
    several: Vec<Vec<Named>>,
    keys: [u64; 3],
}

/// One user, or none.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Slot {
    id: Id,
    said: Said,
}

/// An id of up to 23 bytes, with zeros behind it and its length at the end; of a longer one the place of its text, and its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Id([u64; 3]);

/// What flags say of a user.
#[derive(Clone, Copy, Debug)]
enum Said {
    /// There is no user here.
    Nothing,
    One(Named),
    /// The place among the lists of several.
    Several(u32),
}

const FREE: Slot = Slot { id: Id([0; 3]), said: Said::Nothing };

impl Id {
    /// `None` for one that is not short.
    #[inline]
    fn short(text: &str) -> Option<Self> {
        let mut bytes = [0; SHORT + 1];
        let (id, end) = bytes.split_at_mut(SHORT);
        id.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        *end.first_mut()? = u8::try_from(text.len()).ok()?;
        Some(Self(words(&bytes)))
    }

    fn long(place: u64, hash: u64) -> Self {
        Self([place, hash, LONG])
    }

    /// The place of the text of one that is not short, where it may be the one with this hash.
    fn place(self, hash: u64) -> Option<usize> {
        let Self([place, own, end]) = self;
        (end == LONG && own == hash).then(|| usize::try_from(place).ok()).flatten()
    }
}

/// Numbers of eight bytes each.
#[inline]
fn words(bytes: &[u8; 24]) -> [u64; 3] {
    let mut words = [0; 3];
    words.iter_mut().zip(bytes.as_chunks().0).for_each(|(word, bytes)| *word = u64::from_le_bytes(*bytes));
    words
}

/// Both halves of a product, one laid over the other.
#[inline]
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[allow(clippy::cast_possible_truncation, reason = "both halves are meant")]
    let halves = (product as u64, (product >> 64) as u64);
    halves.0 ^ halves.1
}

impl UserTable {
    /// An empty table with room for so many users.
    pub(super) fn with_room(users: usize) -> Self {
        let slots = if users == 0 { 0 } else { (users + users / 3 + 1).next_power_of_two() };
        let random = RandomState::new();
        let keys = [0, 1, 2].map(|number: u64| random.hash_one(number));
        Self { slots: vec![FREE; slots].into(), keys, ..Self::default() }
    }

    /// A flag names a user. What comes first counts: what one flag says is added together. Beyond the room nobody is added.
    pub(super) fn add(&mut self, user: &str, named: Named) {
        let (place, id) = match self.find(user) {
            Looked::Found(place) => (place, None),
            Looked::Free(place, hash) => (place, Some(Id::short(user).unwrap_or_else(|| self.keep(user, hash)))),
            Looked::Nowhere => return,
        };
        let Self { slots, several, .. } = self;
        let Some(slot) = slots.get_mut(place) else { return };
        if let Some(id) = id {
            *slot = Slot { id, said: Said::One(named) };
            return;
        }
        slot.said = match slot.said {
            Said::One(first) if first.0 != named.0 => {
                several.push(vec![first, named]);
                Said::Several(u32::try_from(several.len() - 1).unwrap_or(u32::MAX))
            }
            Said::Several(place) => {
                let list = several.get_mut(place as usize).filter(|list| list.last().is_none_or(|l| l.0 != named.0));
                list.into_iter().for_each(|list| list.push(named));
                slot.said
            }
            said => said,
        };
    }

    /// Keeps the text of an id that is not short.
    fn keep(&mut self, user: &str, hash: u64) -> Id {
        self.long.push(user.into());
        Id::long(self.long.len() as u64 - 1, hash)
    }

    /// What flags say of a user.
    #[inline]
    pub(super) fn of(&self, user: &str) -> &[Named] {
        let Looked::Found(place) = self.find(user) else { return &[] };
        match self.slots.get(place).map(|slot| &slot.said) {
            Some(Said::One(named)) => std::slice::from_ref(named),
            Some(Said::Several(place)) => self.several.get(*place as usize).map_or(&[], Vec::as_slice),
            _ => &[],
        }
    }

    #[inline]
    fn find(&self, user: &str) -> Looked {
        if self.slots.is_empty() {
            return Looked::Nowhere;
        }
        if let Some(id) = Id::short(user) {
            return self.look(self.hash(id), |other| other == id);
        }
        let hash = self.hash_of_long(user);
        let is = |place: usize| self.long.get(place).is_some_and(|text| **text == *user);
        self.look(hash, |other| other.place(hash).is_some_and(is))
    }

    #[inline]
    fn look(&self, hash: u64, is: impl Fn(Id) -> bool) -> Looked {
        let last = self.slots.len() - 1;
        #[allow(clippy::cast_possible_truncation, reason = "the low bits choose a place")]
        let first = hash as usize & last;
        for place in (0..self.slots.len()).map(|step| first.wrapping_add(step) & last) {
            match self.slots.get(place) {
                Some(Slot { said: Said::Nothing, .. }) => return Looked::Free(place, hash),
                Some(Slot { id, .. }) if is(*id) => return Looked::Found(place),
                _ => {}
            }
        }
        Looked::Nowhere
    }

    #[inline]
    fn hash(&self, Id([a, b, c]): Id) -> u64 {
        let [first, second, third] = self.keys;
        folded(folded(a ^ first, b ^ second) ^ c, third)
    }

    fn hash_of_long(&self, user: &str) -> u64 {
        let [first, second, third] = self.keys;
        user.as_bytes().chunks(24).fold(third ^ user.len() as u64, |before, chunk| {
            let mut bytes = [0; 24];
            bytes.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            let [a, b, c] = words(&bytes);
            folded(folded(a ^ first ^ before, b ^ second) ^ c, third)
        })
    }
}

/// What was found of a user.
enum Looked {
    Found(usize),
    /// A place that is free, and the hash.
    Free(usize, u64),
    /// There is no room at all.
    Nowhere,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DecisionStep, Reason, VariantId};

    fn named(flag: u32) -> Named {
        (FlagId(flag), Some(Decision::new(VariantId::ON, Reason::TargetingMatch, DecisionStep::Allow)))
    }

    #[test]
    fn two_users_share_a_line_of_the_cache() {
        assert_eq!((size_of::<Slot>(), align_of::<Slot>()), (32, 32));
    }

    #[test]
    fn everybody_is_found_at_every_length_and_nobody_else() {
        let user = |n: usize| format!("{}{n}", "ü".repeat(n % 40));
        let mut table = UserTable::with_room(2_000);
        (0..2_000).for_each(|n| table.add(&user(n), named(u32::try_from(n).unwrap())));
        for n in 0..2_000 {
            assert_eq!(table.of(&user(n)), [named(u32::try_from(n).unwrap())], "{}", user(n));
            assert!(table.of(&format!("{}x", user(n))).is_empty() && table.of(&format!("\0{}", user(n))).is_empty());
        }
        assert!(table.of("").is_empty() && table.of(&"u".repeat(100)).is_empty());
        assert!(UserTable::default().of("ann").is_empty());
    }

    #[test]
    fn zeros_and_lengths_are_part_of_an_id() {
        let ids = ["", "\0", "\0\0", "a", "a\0", &"\0".repeat(22), &"\0".repeat(23), &"\0".repeat(24)];
        let mut table = UserTable::with_room(ids.len());
        (0..).zip(ids).for_each(|(n, id)| table.add(id, named(n)));
        (0..).zip(ids).for_each(|(n, id)| assert_eq!(table.of(id), [named(n)], "{id:?}"));
    }

    #[test]
    fn several_flags_name_one_user_and_what_a_flag_says_first_counts() {
        for user in ["ann", "somebody-with-a-name-that-is-long"] {
            let mut table = UserTable::with_room(2);
            for one in [named(1), (FlagId(1), None), named(2), (FlagId(2), None), named(3)] {
                table.add(user, one);
            }
            assert_eq!(table.of(user), [named(1), named(2), named(3)]);
        }
    }
}
