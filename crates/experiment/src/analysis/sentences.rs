//! Sentences for people.

use flagstaff_stats::sequential::SHOWN_FROM;

use crate::analysis::comparison::Compared;
use crate::analysis::observed::Direction;
use crate::analysis::observed::{Goal, Measure};
use crate::analysis::report::Range;
use crate::analysis::verdict::{Case, gain};
use crate::numbers::{list, once_in, percent, signed, significant, thousands};

/// Says what a case shows.
pub(crate) struct Sentences<'a> {
    pub(crate) case: &'a Case<'a>,
}

impl Sentences<'_> {
    pub(crate) fn broken(&self) -> String {
        let ratio = self.case.sample_ratio;
        let counts = list(ratio.observed.iter().map(|n| thousands(*n as f64)));
        let expected = list(ratio.expected.iter().map(|n| thousands(*n)));
        format!(
            "Broken split: {counts} visitors, where {expected} were expected. By chance that happens about once in {}. No winner can \
             be named before that is explained. Look for a variant that fails or redirects before it is recorded, for caches, and \
             for bots that see only one variant.",
            once_in(ratio.p_value)
        )
    }

    pub(crate) fn without_goal(&self) -> String {
        if self.case.observed.is_holdout {
            return "Nothing can be compared: the file has no goal. Write [goals.NAME]; the first one decides."
                .into();
        }
        "Nothing can be compared: the flag has no goal. Write `goals = [\"…\"]`; the first one decides.".into()
    }

    pub(crate) fn not_enough(&self, goal: &Goal, compared: &[Compared], days: Option<u64>) -> String {
        let arms = compared.iter().flat_map(|one| [&one.seen.0, &one.seen.1]);
        let with = arms.clone().map(|arm| arm.conversions).min().unwrap_or_default();
        let without = arms.map(|arm| arm.visitors.saturating_sub(arm.conversions)).min().unwrap_or_default();
        if goal.measure == Measure::Mean && with >= SHOWN_FROM {
            return format!(
                "Not enough yet: {} is the same for all visitors, so there is nothing to compare.",
                goal.name
            );
        }
        let (wanted, fewest) = match goal.measure {
            Measure::Rate => (format!(" and {SHOWN_FROM} without"), format!("are {with} and {without}")),
            Measure::Mean => (String::new(), format!("are {with}")),
        };
        format!(
            "Not enough yet: a result is shown once each variant has {SHOWN_FROM} visitors with{wanted} {}; the fewest so far {fewest}.{}",
            goal.name,
            days.map_or(String::new(), |days| format!(
                " That takes about {} more at this traffic.",
                days_in_words(days)
            ))
        )
    }

    pub(crate) fn keep_running(&self, goal: &Goal, leader: &Compared, days: Option<u64>) -> String {
        let about = days.map_or("Keep running".into(), |days| {
            format!("Keep running, about {} more at this traffic", days_in_words(days))
        });
        format!("{about}. {}. {}{}", self.levels(goal, leader), self.span(leader), self.sight(goal, leader))
    }

    pub(crate) fn ship(&self, goal: &Goal, best: &Compared) -> String {
        let worse = self.others_worse();
        let but = if worse.is_empty() {
            String::new()
        } else {
            format!(" But it is worse by {}.", list(worse.into_iter()))
        };
        format!(
            "{} {}. {}. {}A winner looks better than it is at the moment it wins: count on the whole range, not on the \
             figure in its middle.{but}",
            self.advice_to_ship(best),
            self.levels(goal, best),
            self.span(best).trim_end_matches(['.', ' ']),
            self.earlier(best)
        )
    }

    /// That it was an earlier day that settled it, where the figures of today alone would not.
    fn earlier(&self, best: &Compared) -> &'static str {
        let of_today = best.comparison.always_valid.p_value_now;
        if of_today.is_some_and(|p| p >= self.case.settings.alpha()) {
            "That was certain on an earlier day. The figures of today alone are not, so watch whether it lasts. "
        } else {
            ""
        }
    }

    pub(crate) fn worse(&self, goal: &Goal, compared: &[Compared]) -> String {
        let all = compared.iter().map(|one| format!("{}. {}", self.levels(goal, one), self.span(one)));
        let advice = if self.case.observed.is_holdout {
            "All experiments together do harm.".into()
        } else {
            format!("Keep {}: nothing is better.", self.control())
        };
        format!("{advice} {}", all.collect::<String>().trim_end())
    }

    pub(crate) fn pointless(&self, goal: &Goal, leader: &Compared) -> String {
        format!(
            "{}: a change of {} for the better is ruled out. {}. {}",
            self.no_winner(),
            percent(self.case.settings.worthwhile()),
            self.levels(goal, leader),
            self.span(leader).trim_end()
        )
    }

    pub(crate) fn exhausted(&self, goal: &Goal, leader: &Compared) -> String {
        format!(
            "{}: there were enough visitors to find a change of {}, and none was found. {}. {}{}",
            self.no_winner(),
            percent(self.case.settings.worthwhile()),
            self.levels(goal, leader),
            self.span(leader),
            self.sight(goal, leader)
        )
    }

    /// The beginning of a verdict with a winner.
    fn advice_to_ship(&self, best: &Compared) -> String {
        if self.case.observed.is_holdout {
            return "All experiments together do good.".into();
        }
        format!("Ship {}.", best.comparison.variant)
    }

    /// The beginning of a verdict without a winner.
    fn no_winner(&self) -> String {
        if self.case.observed.is_holdout {
            return "All experiments together change little".into();
        }
        format!("Keep {}", self.control())
    }

    fn control(&self) -> &str {
        self.case.observed.variants.first().map_or("the control", |variant| &variant.name)
    }

    /// The level of both.
    fn levels(&self, goal: &Goal, one: &Compared) -> String {
        let (base, _) = one.base.unwrap_or_default();
        let level = base + one.comparison.difference.unwrap_or_default();
        format!(
            "{} is at {} with {} and at {} with {}",
            goal.name,
            shown(goal, level),
            one.comparison.variant,
            shown(goal, base),
            self.control()
        )
    }

    /// The interval of the true change.
    fn span(&self, one: &Compared) -> String {
        let sure = percent(1.0 - self.case.settings.alpha());
        let always = &one.comparison.always_valid;
        match (always.lift_interval, always.interval) {
            (Some(Range { low, high }), _) => {
                format!(
                    "The true change lies between {} and {} ({sure} sure, on any day you look). ",
                    signed(low),
                    signed(high)
                )
            }
            (None, Some(Range { low, high })) => {
                format!(
                    "The true difference lies between {low:+.4} and {high:+.4} ({sure} sure, on any day you look). "
                )
            }
            _ => String::new(),
        }
    }

    /// The smallest difference that so many visitors can show.
    fn sight(&self, goal: &Goal, one: &Compared) -> String {
        let Some(effect) = one.comparison.smallest_effect else {
            return String::new();
        };
        let size = match goal.measure {
            Measure::Rate => format!("{} points", significant(effect * 100.0)),
            Measure::Mean => significant(effect),
        };
        let (t, c) = (thousands(one.seen.0.visitors as f64), thousands(one.seen.1.visitors as f64));
        format!("With {t} and {c} visitors, a difference below {size} would probably not be seen.")
    }

    /// The goals by which some variant is certainly worse.
    fn others_worse(&self) -> Vec<String> {
        let others = self.case.observed.goals.iter().zip(self.case.compared).skip(1);
        let worse = |(_, compared): &(&Goal, &Vec<Compared>), goal: &Goal| {
            compared.iter().any(|one| self.case.is_certain(one) && gain(goal, one) < 0.0)
        };
        let named = |goal: &Goal| match goal.better {
            Direction::Up => format!("{}, which falls", goal.name),
            Direction::Down => format!("{}, which rises", goal.name),
        };
        others.filter(|pair| worse(pair, pair.0)).map(|(goal, _)| named(goal)).collect()
    }
}

fn shown(goal: &Goal, level: f64) -> String {
    match goal.measure {
        Measure::Rate => percent(level),
        Measure::Mean => significant(level),
    }
}

fn days_in_words(days: u64) -> String {
    match days {
        1 => "one day".into(),
        2..=730 => format!("{days} days"),
        _ => format!("{} years", thousands((days as f64 / 365.25).round())),
    }
}
