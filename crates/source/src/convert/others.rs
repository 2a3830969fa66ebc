//! Goals, segments and layers.

use flagstaff_flags::{
    EventFrom, EventGoal, EventValue, ExclusionLayer, Goal, Hash, LARGEST_VALUE, Name, Segment, Slice, StatusSet,
    Trigger, is_value,
};

use super::Conversion;
use crate::document::{GoalTable, HashTable, LayerTable, Measured, SaidBy, SegmentTable};

impl Conversion {
    /// A goal; one that cannot be kept stands in for itself, so that flags may name it.
    pub(crate) fn goal(&mut self, name: Name, table: GoalTable) -> Goal {
        let trigger = self.trigger(&name, table);
        Goal { name, trigger }
    }

    fn trigger(&mut self, name: &Name, table: GoalTable) -> Trigger {
        let stray =
            |there: bool, key: &'static str, with: &str| there.then(|| (key, format!("`{key}` belongs to `{with}`")));
        let strays = [
            stray(table.status.is_some() && table.on.is_none(), "status", "on"),
            stray(table.value.is_some() && table.event.is_none(), "value", "event"),
            stray(table.from.is_some() && table.event.is_none(), "from", "event"),
            stray(table.at_most.is_some() && !sums(&table), "at_most", "value = \"sum\""),
        ];
        let placeholder = Trigger::Event(EventGoal::new(name.as_str()));
        if !self.lost.is_empty() {
            return placeholder;
        }
        let ways = [table.on.is_some(), table.event.is_some(), table.bounce_after.is_some()];
        let ways = ways.iter().filter(|there| **there).count();
        if ways == 1 {
            for (key, message) in strays.into_iter().flatten() {
                self.wrong(&[key], message, "take it out");
            }
        } else {
            let what = if ways == 0 { "does not say how it is reached" } else { "can be reached in one way only" };
            let help = "write one of on = \"POST /contact\", event = \"order_paid\", bounce_after = \"30m\"";
            self.wrong(&[], format!("the goal {what}"), help);
        }
        match (table.on, table.event, table.bounce_after) {
            (Some(route), _, _) => Trigger::Request {
                route: route.0,
                status: table.status.map_or_else(StatusSet::accepted, |codes| codes.0),
            },
            (_, Some(event), _) => Trigger::Event(EventGoal {
                event,
                value: match table.value {
                    Some(Measured::Sum) => EventValue::Sum,
                    Some(Measured::Count) | None => EventValue::Count,
                },
                from: from(table.from),
                at_most: self.at_most(table.at_most),
            }),
            (_, _, Some(after)) => Trigger::Bounce { after: after.0 },
            _ => placeholder,
        }
    }

    fn at_most(&mut self, most: Option<f64>) -> Option<f64> {
        let most = most?;
        if !is_value(most) || most <= 0.0 {
            let message = format!("`at_most` is {most}; it must be above 0, up to {LARGEST_VALUE:e}");
            self.wrong(&["at_most"], message, "write the largest value that one event may have: at_most = 500");
        }
        Some(most)
    }

    pub(crate) fn segment(&mut self, name: Name, table: SegmentTable) -> Segment {
        if table.any.is_empty() && self.lost.is_empty() {
            self.wrong(&[], "nobody is in the segment", "add any = [ { group = \"beta\" } ]");
        }
        let any = table.any.into_iter().map(|when| when.0).collect();
        Segment { name, any }
    }

    pub(crate) fn layer(&mut self, name: Name, table: LayerTable) -> ExclusionLayer {
        let hash = table.hash.as_ref().and_then(|hash| self.layer_hash(&name, hash));
        let mut slices = Vec::new();
        for (key, bounds) in table.slices {
            match Name::new(&key) {
                Ok(flag) => {
                    slices.extend(bounds.0.into_iter().map(|(from, to)| Slice { flag: flag.clone(), from, to }));
                }
                Err(e) => {
                    self.wrong(&["slices", &key], format!("`{key}` is not a valid name of a flag"), e.to_string());
                }
            }
        }
        ExclusionLayer { name, slices, hash }
    }

    fn layer_hash(&mut self, name: &Name, table: &HashTable) -> Option<Hash> {
        let hash = self.formula(&["hash"], table, name.as_str())?;
        if table.order.is_some() {
            self.wrong(&["hash", "order"], "a layer has no variants", "take out `order`");
        }
        Some(hash).filter(|hash| !hash.is_default())
    }
}

const fn sums(table: &GoalTable) -> bool {
    table.event.is_some() && matches!(table.value, Some(Measured::Sum))
}

const fn from(said_by: Option<SaidBy>) -> EventFrom {
    match said_by {
        Some(SaidBy::App) | None => EventFrom::App,
        Some(SaidBy::Page) => EventFrom::Page,
        Some(SaidBy::Both) => EventFrom::Both,
    }
}
