//! Decisions of all flags, without their snapshot.

use crate::Decision;

/// So many decisions need no memory of their own. To carry more of them about costs more than to allocate them.
const INLINE: usize = 16;

/// Decisions without their snapshot, so that they do not hold it.
#[derive(Clone, Debug)]
pub struct DecisionList {
    count: usize,
    few: [Decision; INLINE],
    /// All of them, where there are more than `few` has room for.
    many: Vec<Decision>,
}

impl DecisionList {
    pub(crate) fn new(all: &[Decision]) -> Self {
        let mut list = Self { count: all.len(), few: [Decision::UNKNOWN; INLINE], many: Vec::new() };
        match list.few.get_mut(..all.len()) {
            Some(few) => few.copy_from_slice(all),
            None => list.many = all.to_vec(),
        }
        list
    }

    /// Takes the decisions of another list. Memory that it has is used again.
    #[inline]
    pub(crate) fn copy_from(&mut self, other: &Self) {
        (self.count, self.few) = (other.count, other.few);
        self.many.clone_from(&other.many);
    }

    #[inline]
    pub(crate) fn all(&self) -> &[Decision] {
        self.few.get(..self.count).unwrap_or(&self.many)
    }

    #[inline]
    pub(crate) fn all_mut(&mut self) -> &mut [Decision] {
        self.few.get_mut(..self.count).unwrap_or(&mut self.many)
    }
}

impl Default for DecisionList {
    fn default() -> Self {
        Self::new(&[])
    }
}
