//! Goals: what is counted.

use std::time::Duration;

use super::status_set::StatusSet;
use crate::{Name, Route};

/// A goal, and how it is reached.
#[derive(Clone, Debug)]
pub struct Goal {
    /// The name that flags use.
    pub name: Name,
    /// How it is reached.
    pub trigger: Trigger,
}

/// How a goal is reached.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// A request, answered with one of these statuses.
    Request {
        /// The requests.
        route: Route,
        /// The statuses of the answers.
        status: StatusSet,
    },
    /// An event sent by the app or the page.
    Event(EventGoal),
    /// No second page within this time after an exposure.
    Bounce {
        /// How long a second page may take.
        after: Duration,
    },
}

/// A value beyond this, or below its negative, is refused everywhere: no sum of such values can overflow.
pub const LARGEST_VALUE: f64 = 1e12;

/// Whether a value can be counted: a number from -10¹² to 10¹².
#[must_use]
pub fn is_value(value: f64) -> bool {
    value.is_finite() && value.abs() <= LARGEST_VALUE
}

/// An event that reaches a goal.
#[derive(Clone, Debug, PartialEq)]
pub struct EventGoal {
    /// The event's name.
    pub event: String,
    /// What is measured.
    pub value: EventValue,
    /// The source whose events count.
    pub from: EventFrom,
    /// A larger value counts as this much, a smaller one than its negative as that. Above 0, at most [`LARGEST_VALUE`].
    pub at_most: Option<f64>,
}

impl EventGoal {
    /// Visitors for whom the app sends this event.
    #[must_use]
    pub fn new(event: impl Into<String>) -> Self {
        Self { event: event.into(), value: EventValue::Count, from: EventFrom::App, at_most: None }
    }

    /// What counts of the value of one event: nothing where only visitors are counted.
    #[must_use]
    pub fn counted(&self, value: Option<f64>) -> Option<f64> {
        let value = value.filter(|value| self.value == EventValue::Sum && is_value(*value))?;
        Some(self.at_most.map_or(value, |most| value.clamp(-most.abs(), most.abs())))
    }
}

/// Where an event comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventSource {
    /// The app, in its answer.
    App,
    /// The page, by a request that anybody can make.
    Page,
}

/// The sources whose events count for a goal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventFrom {
    /// The app's only.
    #[default]
    App,
    /// The page's only.
    Page,
    /// Either's.
    Both,
}

impl EventFrom {
    /// Whether events from a source count.
    #[must_use]
    pub const fn admits(self, source: EventSource) -> bool {
        matches!((self, source), (Self::Both, _) | (Self::App, EventSource::App) | (Self::Page, EventSource::Page))
    }
}

/// What is measured of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventValue {
    /// How many visitors sent it.
    #[default]
    Count,
    /// The sum of its values per visitor.
    Sum,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_capped() {
        let goal = EventGoal { value: EventValue::Sum, at_most: Some(500.0), ..EventGoal::new("paid") };
        let counted =
            [49.9, 501.0, 1e11, -1e11, 1e13, f64::NAN, f64::INFINITY].map(|value| goal.counted(Some(value)));
        assert_eq!(counted, [Some(49.9), Some(500.0), Some(500.0), Some(-500.0), None, None, None]);
        let goal = EventGoal { value: EventValue::Sum, ..EventGoal::new("paid") };
        assert_eq!(
            (goal.counted(Some(1e12)), goal.counted(Some(-1.1e12)), goal.counted(None)),
            (Some(1e12), None, None)
        );
        assert_eq!(EventGoal::new("paid").counted(Some(1.0)), None);
    }

    #[test]
    fn a_page_counts_only_where_it_is_asked() {
        let admits = |from: EventFrom| [EventSource::App, EventSource::Page].map(|source| from.admits(source));
        assert_eq!(admits(EventFrom::default()), [true, false]);
        assert_eq!([admits(EventFrom::Page), admits(EventFrom::Both)], [[false, true], [true, true]]);
    }
}
