//! Rollouts, guards and gates.

use flagstaff_flags::{Gate, GateAnswer, Guard, Hold, OnTrip, Rollout, RolloutError, RolloutStep};

use super::Conversion;
use crate::document::{ClosedTable, GateTable, GuardTable, RolloutTable, Tripped};

impl Conversion {
    pub(super) fn rollout(&mut self, table: RolloutTable) -> Option<Rollout> {
        let last = table.steps.len().saturating_sub(1);
        let mut steps = Vec::with_capacity(table.steps.len());
        for (i, step) in table.steps.into_iter().enumerate() {
            let Some(percent) = step.percent else {
                let i = i.to_string();
                if !self.lost(&["rollout", "steps", &i]) {
                    self.wrong(&["rollout", "steps", &i], "the step has no share", "add percent = 25");
                }
                continue;
            };
            let hold = match step.hold {
                Some(hold) => hold.0,
                None if self.lost(&["rollout", "steps", &i.to_string(), "hold"]) => Hold::Approval,
                None => Hold::End,
            };
            steps.push(RolloutStep { percent: percent.0, hold, min_visitors: step.min_visitors });
        }
        let whole = steps.len() == last + 1 && !self.lost(&["rollout", "steps"]);
        match Rollout::new(table.start.map(|start| start.0), steps.clone()) {
            Ok(rollout) => Some(rollout),
            Err(error) if whole || steps.is_empty() && !self.lost(&["rollout", "steps"]) => {
                self.bad_rollout(error, &steps);
                None
            }
            Err(_) => None,
        }
    }

    fn bad_rollout(&mut self, error: RolloutError, steps: &[RolloutStep]) {
        match error {
            RolloutError::NoSteps => {
                let help = "add steps = [ { percent = 5, hold = \"2h\" }, { percent = 100 } ]";
                self.wrong(&["rollout"], error.to_string(), help);
            }
            RolloutError::Falls { step } => {
                let before = step.checked_sub(1).and_then(|i| steps.get(i)).map(|s| s.percent.to_string());
                let help = format!("write more than {}", before.unwrap_or_default());
                self.wrong(&["rollout", "steps", &step.to_string(), "percent"], error.to_string(), help);
            }
            RolloutError::NoHold { step } => {
                let help = "add hold = \"2h\", or hold = \"approval\"";
                self.wrong(&["rollout", "steps", &step.to_string()], error.to_string(), help);
            }
        }
    }

    pub(super) fn guard(&mut self, table: GuardTable) -> Option<Guard> {
        let watches = table.errors.is_some() || table.slower_than.is_some() || !table.goals.is_empty();
        if !watches && !self.lost(&["guard"]) {
            self.wrong(&["guard"], "the guard watches nothing", "add errors = \"5xx\"");
        } else if table.fuse.is_some() && table.errors.is_none() && !self.lost(&["guard", "errors"]) {
            self.wrong(&["guard", "fuse"], "the guard does not say what an error is", "add errors = \"5xx\"");
        }
        let chance = table.false_alarm.map_or(Guard::FALSE_ALARM, |chance| chance.0);
        let mut guard = Guard::new(chance).ok()?;
        guard.errors = table.errors.map(|codes| codes.0);
        guard.slower_than = table.slower_than.map(|slower| slower.0);
        guard.fuse = table.fuse.map(|fuse| fuse.0);
        guard.goals = table.goals.into_iter().map(|goal| goal.0).collect();
        guard.observe = table.observe;
        guard.network_signs = table.network_signs.map_or(Guard::NETWORK_SIGNS, |signs| signs.0);
        guard.upstream_away = table.upstream_away.map_or(Guard::UPSTREAM_AWAY, |length| length.0);
        guard.on_trip = match table.on_trip {
            Some(Tripped::Hold) => OnTrip::Hold,
            Some(Tripped::Off) | None => OnTrip::Off,
        };
        Some(guard)
    }

    pub(super) fn gate(&mut self, table: GateTable) -> Option<Gate> {
        if table.paths.is_empty() && !self.lost(&["gate", "paths"]) {
            self.wrong(&["gate"], "the gate has no paths", "add paths = [\"/pay/*\"]");
        }
        if table.when_off.is_none() && !self.lost(&["gate", "when_off"]) {
            let help = "add when_off = { status = 503, body = \"…\" }, or { redirect = \"/\" }";
            self.wrong(&["gate"], "the gate does not say what it answers", help);
        }
        let when_off = self.closed(table.when_off?)?;
        let paths = table.paths.into_iter().map(|path| path.0).collect();
        Some(Gate { paths, when_off })
    }

    fn closed(&mut self, table: ClosedTable) -> Option<GateAnswer> {
        let at = ["gate", "when_off"];
        match (table.redirect, table.status, table.body) {
            (Some(target), None, None) => Some(GateAnswer::Redirect(target.0)),
            _ if self.lost(&at) => None,
            (Some(_), _, _) => {
                self.wrong(&at, "a redirect has no status and no body of its own", "keep redirect, or the others");
                None
            }
            (None, None, None) => {
                self.wrong(&at, "the gate answers nothing", "add status = 503, or redirect = \"/\"");
                None
            }
            (None, status, body) => {
                let status = status.unwrap_or(503);
                if status != 200 && !(400..=599).contains(&status) {
                    let at = ["gate", "when_off", "status"];
                    self.wrong(
                        &at,
                        format!("a closed gate cannot answer {status}"),
                        "write 503, another of 400 to 599, or 200",
                    );
                }
                let body = body.unwrap_or_default();
                Some(GateAnswer::Page { status, body })
            }
        }
    }
}
