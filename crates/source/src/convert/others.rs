//! Goals, segments and layers.

use flagstaff_flags::{EventValue, FlagLayer, Goal, Name, Segment, Slice, StatusSet, Trigger};

use super::Conversion;
use crate::document::{GoalTable, LayerTable, Measured, SegmentTable};

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
        ];
        let placeholder = Trigger::Event { event: name.as_str().into(), value: EventValue::Count };
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
            (_, Some(event), _) => Trigger::Event {
                event,
                value: match table.value {
                    Some(Measured::Sum) => EventValue::Sum,
                    Some(Measured::Count) | None => EventValue::Count,
                },
            },
            (_, _, Some(after)) => Trigger::Bounce { after: after.0 },
            _ => placeholder,
        }
    }

    pub(crate) fn segment(&mut self, name: Name, table: SegmentTable) -> Segment {
        if table.any.is_empty() && self.lost.is_empty() {
            self.wrong(&[], "nobody is in the segment", "add any = [ { group = \"beta\" } ]");
        }
        let any = table.any.into_iter().map(|when| when.0).collect();
        Segment { name, any }
    }

    pub(crate) fn layer(&mut self, name: Name, table: LayerTable) -> FlagLayer {
        let mut slices = Vec::new();
        for (key, bounds) in table.slices {
            match Name::new(&key) {
                Ok(flag) => {
                    slices.extend(bounds.0.into_iter().map(|(from, to)| Slice { flag: flag.clone(), from, to }));
                }
                Err(e) => self.wrong(&["slices", &key], format!("`{key}` is no name of a flag"), e.to_string()),
            }
        }
        FlagLayer { name, slices }
    }
}
