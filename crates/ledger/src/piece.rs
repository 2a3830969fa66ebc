//! What one transaction does: a part of what waits, which can be halved until what a store does not take stands alone.

use std::collections::VecDeque;

use crate::batch::Batch;
use crate::counts::{Count, Key};
use crate::forget::FORGOTTEN_AT_ONCE;

pub(crate) enum Piece {
    /// Units to forget.
    Forget(Vec<Box<str>>),
    /// What happened.
    Rows(Box<Batch>),
    /// Minutes.
    Counts(Vec<(Key, Count)>),
}

/// A piece, and how often it was late when it was one row alone.
pub(crate) struct Waiting {
    pub(crate) piece: Piece,
    pub(crate) late: u32,
}

impl Piece {
    /// How many rows it is about.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Forget(units) => units.len(),
            Self::Rows(batch) => batch.rows(),
            Self::Counts(rows) => rows.len(),
        }
    }

    /// Events of recorders that it stands for.
    pub(crate) fn events(&self) -> usize {
        match self {
            Self::Forget(units) => units.len(),
            Self::Rows(batch) => batch.events(),
            Self::Counts(_) => 0,
        }
    }

    /// Takes its first half out; nothing of one row alone.
    pub(crate) fn half(&mut self) -> Option<Self> {
        if self.len() < 2 {
            return None;
        }
        Some(match self {
            Self::Forget(units) => Self::Forget(units.drain(..units.len() / 2).collect()),
            Self::Rows(batch) => Self::Rows(Box::new(batch.half())),
            Self::Counts(rows) => Self::Counts(rows.drain(..rows.len() / 2).collect()),
        })
    }
}

/// What waits to be written, first things first.
#[derive(Default)]
pub(crate) struct Pieces(VecDeque<Waiting>);

impl Pieces {
    /// The pieces of a batch: units are forgotten before what came after that is written.
    pub(crate) fn add(&mut self, mut batch: Batch) {
        let mut forget = std::mem::take(&mut batch.forget);
        batch.forgot(forget.len());
        while !forget.is_empty() {
            let rest = forget.split_off(forget.len().min(FORGOTTEN_AT_ONCE));
            self.push_back(Piece::Forget(std::mem::replace(&mut forget, rest)));
        }
        if batch.events() > 0 {
            self.push_back(Piece::Rows(Box::new(batch)));
        }
    }

    pub(crate) fn push_back(&mut self, piece: Piece) {
        self.0.push_back(Waiting { piece, late: 0 });
    }

    pub(crate) fn again_later(&mut self, waiting: Waiting) {
        self.0.push_back(waiting);
    }

    pub(crate) fn again(&mut self, waiting: Waiting) {
        self.0.push_front(waiting);
    }

    /// Puts a piece back as two halves; gives it back when it is one row alone.
    pub(crate) fn halved(&mut self, mut waiting: Waiting) -> Option<Waiting> {
        let Some(half) = waiting.piece.half() else { return Some(waiting) };
        self.0.push_front(waiting);
        self.0.push_front(Waiting { piece: half, late: 0 });
        None
    }

    pub(crate) fn next(&mut self) -> Option<Waiting> {
        self.0.pop_front()
    }
}
