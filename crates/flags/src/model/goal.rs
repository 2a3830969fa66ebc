//! Things worth counting.

use std::fmt;
use std::time::Duration;

use crate::{Name, Route};

/// A goal, and how the traffic shows it.
#[derive(Clone, Debug)]
pub struct Goal {
    /// What flags call it.
    pub name: Name,
    /// How it is reached.
    pub trigger: Trigger,
}

/// How a goal is reached.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// A request, answered with one of these statuses.
    Request {
        /// Which requests.
        route: Route,
        /// Which answers.
        status: StatusSet,
    },
    /// An event said by the app or the page.
    Event(EventGoal),
    /// Exposed, and no second page within this time.
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
    /// Whose word counts.
    pub from: EventFrom,
    /// A larger value counts as this much, a smaller one than its negative as that. Above 0, at most [`LARGEST_VALUE`].
    pub at_most: Option<f64>,
}

impl EventGoal {
    /// Visitors of whom the app says this event.
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

/// Who says that something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// The app, in its answer.
    App,
    /// The page, by a request that anybody can make.
    Page,
}

/// Whose word counts for a goal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventFrom {
    /// The app's alone.
    #[default]
    App,
    /// The page's alone.
    Page,
    /// Either's.
    Both,
}

impl EventFrom {
    /// Whether the word of a teller counts.
    #[must_use]
    pub const fn admits(self, teller: Teller) -> bool {
        matches!((self, teller), (Self::Both, _) | (Self::App, Teller::App) | (Self::Page, Teller::Page))
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

/// Status codes: `2xx`, `404`, `500-503`, several with commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSet(Vec<(u16, u16)>);

impl StatusSet {
    /// Reads a list such as `2xx,304,500-503`.
    ///
    /// # Errors
    /// When a part is neither a class, a code of 100 to 599, nor a rising range of codes.
    pub fn new(text: &str) -> Result<Self, StatusSetError> {
        let code = |t: &str| t.trim().parse().ok().filter(|c| (100..=599).contains(c));
        let part = |part: &str| {
            let part = part.trim();
            if let Some(class) = part.strip_suffix("xx") {
                let class: u16 = class.parse().ok().filter(|c| (1..=5).contains(c))?;
                return Some((class * 100, class * 100 + 99));
            }
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            Some((code(from)?, code(to)?)).filter(|(from, to)| from <= to)
        };
        text.split(',').map(part).collect::<Option<_>>().map(Self).ok_or(StatusSetError)
    }

    /// Success and redirection, `2xx,3xx`: the app took the request.
    #[must_use]
    pub fn accepted() -> Self {
        Self(vec![(200, 399)])
    }

    /// Whether a status is one of these.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|(from, to)| (*from..=*to).contains(&status))
    }
}

/// A text that names no statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusSetError;

impl fmt::Display for StatusSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("statuses are written as \"5xx\", \"404\" or \"500-503\", several with commas")
    }
}

impl std::error::Error for StatusSetError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_capped_and_never_beyond_reason() {
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
        let admits = |from: EventFrom| [Teller::App, Teller::Page].map(|teller| from.admits(teller));
        assert_eq!(admits(EventFrom::default()), [true, false]);
        assert_eq!([admits(EventFrom::Page), admits(EventFrom::Both)], [[false, true], [true, true]]);
    }

    #[test]
    fn reads_classes_codes_and_ranges() {
        let set = StatusSet::new("2xx, 304,500-503").unwrap();
        assert!([200, 299, 304, 500, 503].iter().all(|s| set.contains(*s)));
        assert!([199, 300, 305, 504].iter().all(|s| !set.contains(*s)));
        for bad in ["", "6xx", "xx", "600", "99", "503-500", "2xx,", "2xx 3xx", "ok"] {
            assert_eq!(StatusSet::new(bad), Err(StatusSetError), "{bad}");
        }
    }
}
