//! What one transaction does: a part of what waits, which can be halved until what a store does not take stands alone.

use std::collections::VecDeque;

use crate::store::forget::FORGOTTEN_AT_ONCE;
use crate::write::batch::Batch;

pub(crate) enum Piece {
    /// Units to forget.
    Forget(Vec<Box<str>>),
    /// What happened.
    Rows(Box<Batch>),
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
        }
    }

    /// Events of recorders that it stands for.
    pub(crate) fn events(&self) -> usize {
        match self {
            Self::Forget(units) => units.len(),
            Self::Rows(batch) => batch.events(),
        }
    }

    /// The unit of one row alone.
    fn unit(&self) -> Option<&str> {
        match self {
            Self::Forget(units) => units.first().map(|unit| &**unit),
            Self::Rows(batch) => batch.units().next(),
        }
    }

    /// Takes out what it does about one unit.
    fn take_unit(&mut self, unit: &str) -> Self {
        match self {
            Self::Forget(units) => Self::Forget(units.extract_if(.., |other| **other == *unit).collect()),
            Self::Rows(batch) => Self::Rows(Box::new(batch.take_unit(unit))),
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

    /// Puts one row behind all others, so that these show whether the store takes anything. What came later about its unit goes
    /// with it: a unit's rows stay in their order.
    pub(crate) fn again_later(&mut self, waiting: Waiting) {
        let unit = waiting.piece.unit().map(str::to_owned);
        let take = |unit: String| self.0.iter_mut().map(|later| later.piece.take_unit(&unit)).collect();
        let parts: Vec<Piece> = unit.map(take).unwrap_or_default();
        self.0.push_back(waiting);
        parts.into_iter().filter(|part| part.len() > 0).for_each(|part| self.push_back(part));
    }

    /// Rows that wait.
    pub(crate) fn rows(&self) -> usize {
        self.0.iter().map(|waiting| waiting.piece.len()).sum()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::clock::Clock;
    use crate::write::event::RecordedEvent;

    fn batch(events: impl IntoIterator<Item = RecordedEvent>) -> Batch {
        let (mut batch, mut clock) = (Batch::default(), Clock::after(0));
        events.into_iter().for_each(|event| batch.add(event, &mut clock));
        batch
    }

    fn page(unit: &str) -> RecordedEvent {
        RecordedEvent::Page { unit: unit.into(), at: 1 }
    }

    fn reached(unit: &str) -> RecordedEvent {
        let (goal, unit) = ("paid".into(), unit.into());
        RecordedEvent::Converted { goal, unit, value: None, key: None, at: 1, met: None }
    }

    #[test]
    fn rows_of_a_unit_keep_their_order() {
        let mut pieces = Pieces::default();
        pieces.add(batch([page("a")]));
        pieces.add(batch([reached("b"), reached("a")]));
        pieces.add(batch([
            RecordedEvent::Forget { unit: "a".into() },
            RecordedEvent::Forget { unit: "b".into() },
            page("a"),
        ]));
        let late = pieces.next().unwrap();
        pieces.again_later(late);
        let events: usize = pieces.0.iter().map(|waiting| waiting.piece.events()).sum();
        assert_eq!((pieces.rows(), events), (6, 6));
        let mut of_a = Vec::new();
        while let Some(waiting) = pieces.next() {
            let about_b = of_a.is_empty() && waiting.piece.unit() == Some("b");
            match waiting.piece {
                Piece::Forget(units) if *units == ["a".into()] => of_a.push("forget"),
                Piece::Rows(rows) if rows.units().eq(["a"]) && rows.conversions.is_empty() => of_a.push("page"),
                Piece::Rows(rows) if rows.units().eq(["a"]) => of_a.push("reached"),
                piece => assert!(about_b || piece.len() == 0),
            }
        }
        assert_eq!(of_a, ["page", "reached", "forget", "page"]);
    }
}
