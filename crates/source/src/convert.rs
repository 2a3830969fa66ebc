//! From what was typed to what is true: the checks that take more than one value.

use flagstaff_flags::{
    Audience, EventValue, Flag, FlagLayer, Gate, GateAnswer, Goal, Guard, Hold, Name, OnTrip, Problem,
    Rollout, RolloutError, RolloutStep, Rule, Segment, Serve, Slice, StatusSet, Sticky, Trigger, VariantId,
    Variants, nearest,
};

use crate::document::{
    ClosedTable, FlagTable, GateTable, GoalTable, GuardTable, LayerTable, Measured, PeopleTable, Remembered,
    RolloutTable, RuleTable, SegmentTable, Tripped,
};

/// One table on its way: where it stands, what of it was lost while it was read, and what is wrong with the rest.
pub(crate) struct Conversion {
    section: &'static str,
    /// The name as written, which leads to the place.
    key: String,
    /// Paths inside the table that could not be read. What hangs on them is not judged.
    lost: Vec<Vec<String>>,
    pub(crate) problems: Vec<Problem>,
}

impl Conversion {
    pub(crate) const fn new(section: &'static str, key: String, lost: Vec<Vec<String>>) -> Self {
        Self {
            section,
            key,
            lost,
            problems: Vec::new(),
        }
    }

    fn wrong(&mut self, at: &[&str], message: impl Into<String>, help: impl Into<String>) {
        let path = [self.section, self.key.as_str()]
            .into_iter()
            .chain(at.iter().copied());
        self.problems.push(Problem::new(path, message).help(help));
    }

    fn lost(&self, at: &[&str]) -> bool {
        self.lost
            .iter()
            .any(|lost| lost.iter().zip(at).all(|(lost, at)| lost == *at))
    }

    pub(crate) fn flag(&mut self, name: Name, table: FlagTable) -> Flag {
        let variants = table
            .variants
            .map_or_else(Variants::off_and_on, |weights| weights.0);
        if table.percent.is_some() && table.rollout.is_some() {
            self.wrong(
                &["percent"],
                "`percent` and `rollout` exclude each other",
                "take out `percent`: the rollout's steps say the share",
            );
        }
        Flag {
            description: table.description,
            owner: table.owner,
            ticket: table.ticket,
            created: table.created.map(|day| day.0),
            expires: table.expires.map(|day| day.0),
            enabled: table.enabled.unwrap_or(true),
            percent: table.percent.map(|share| share.0),
            salt: table.salt,
            bucket_by: table.bucket_by.map(|unit| unit.0).unwrap_or_default(),
            sticky: table.sticky.map(sticky),
            layer: table.layer.map(|layer| layer.0),
            requires: table.requires.map(|needs| needs.0).unwrap_or_default(),
            allow: table.allow.map(people),
            deny: table.deny.map(people),
            rules: self.rules(table.rules, &variants),
            rollout: table.rollout.and_then(|rollout| self.rollout(rollout)),
            guard: table.guard.and_then(|guard| self.guard(guard)),
            gate: table.gate.and_then(|gate| self.gate(gate)),
            upstream: self.by_variant(
                "upstream",
                table.upstream.into_iter().map(|(k, v)| (k, v.0)),
                &variants,
            ),
            goals: table.goals.into_iter().map(|goal| goal.0).collect(),
            exposed_on: table.exposed_on.into_iter().map(|route| route.0).collect(),
            client: table.client.unwrap_or(false),
            testing: table.testing.unwrap_or(false),
            metadata: table.metadata,
            values: self.by_variant("values", table.values, &variants),
            variants,
            ..Flag::new(name)
        }
    }

    /// The variant of a name, or a problem.
    fn variant(&mut self, at: &[&str], name: &str, variants: &Variants) -> Option<VariantId> {
        let found = variants.find(name);
        if found.is_none() && !self.lost(&["variants"]) {
            let names = || variants.names().iter().map(AsRef::as_ref);
            let help = match nearest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it can be: {}", names().collect::<Vec<_>>().join(", ")),
            };
            self.wrong(at, format!("the flag has no variant `{name}`"), help);
        }
        found
    }

    fn by_variant<T>(
        &mut self,
        key: &str,
        table: impl IntoIterator<Item = (String, T)>,
        variants: &Variants,
    ) -> Vec<(VariantId, T)> {
        let entries = table.into_iter();
        entries
            .filter_map(|(name, value)| Some((self.variant(&[key, &name], &name, variants)?, value)))
            .collect()
    }

    fn rules(&mut self, rules: Vec<RuleTable>, variants: &Variants) -> Vec<Rule> {
        let mut kept = Vec::with_capacity(rules.len());
        for (i, rule) in rules.into_iter().enumerate() {
            let i = i.to_string();
            let at = ["rules", i.as_str()];
            let serve = match (&rule.serve, rule.percent) {
                (Some(name), None) => self
                    .variant(&["rules", &i, "serve"], name, variants)
                    .map(Serve::Variant),
                (None, Some(share)) => Some(Serve::Percent(share.0)),
                _ if self.lost(&at) => None,
                (None, None) => {
                    self.wrong(
                        &at,
                        "the rule does not say what is served",
                        "add serve = \"on\", or percent = 20",
                    );
                    None
                }
                (Some(_), Some(_)) => {
                    self.wrong(&at, "the rule says `serve` and `percent`", "keep one of them");
                    None
                }
            };
            // A rule that cannot be kept keeps its place, so that paths to the others stay right.
            let serve = serve.unwrap_or(Serve::OFF);
            kept.push(Rule {
                when: rule.r#if.0,
                serve,
            });
        }
        kept
    }

    fn rollout(&mut self, table: RolloutTable) -> Option<Rollout> {
        let last = table.steps.len().saturating_sub(1);
        let mut steps = Vec::with_capacity(table.steps.len());
        for (i, step) in table.steps.into_iter().enumerate() {
            let Some(percent) = step.percent else {
                let i = i.to_string();
                if !self.lost(&["rollout", "steps", &i]) {
                    self.wrong(
                        &["rollout", "steps", &i],
                        "the step has no share",
                        "add percent = 25",
                    );
                }
                continue;
            };
            let hold = match step.hold {
                Some(hold) => hold.0,
                None if self.lost(&["rollout", "steps", &i.to_string(), "hold"]) => Hold::Approval,
                None => Hold::End,
            };
            steps.push(RolloutStep {
                percent: percent.0,
                hold,
                min_visitors: step.min_visitors,
            });
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
                let before = step
                    .checked_sub(1)
                    .and_then(|i| steps.get(i))
                    .map(|s| s.percent.to_string());
                let help = format!("write more than {}", before.unwrap_or_default());
                self.wrong(
                    &["rollout", "steps", &step.to_string(), "percent"],
                    error.to_string(),
                    help,
                );
            }
            RolloutError::NoHold { step } => {
                let help = "add hold = \"2h\", or hold = \"approval\"";
                self.wrong(&["rollout", "steps", &step.to_string()], error.to_string(), help);
            }
        }
    }

    fn guard(&mut self, table: GuardTable) -> Option<Guard> {
        let watches = table.errors.is_some() || table.slower_than.is_some() || !table.goals.is_empty();
        if !watches && !self.lost(&["guard"]) {
            self.wrong(&["guard"], "the guard watches nothing", "add errors = \"5xx\"");
        }
        let chance = table.false_alarm.map_or(Guard::FALSE_ALARM, |chance| chance.0);
        let mut guard = Guard::new(chance).ok()?;
        guard.errors = table.errors.map(|codes| codes.0);
        guard.slower_than = table.slower_than.map(|length| length.0);
        guard.goals = table.goals.into_iter().map(|goal| goal.0).collect();
        guard.observe = table.observe;
        guard.on_trip = match table.on_trip {
            Some(Tripped::Hold) => OnTrip::Hold,
            Some(Tripped::Off) | None => OnTrip::Off,
        };
        Some(guard)
    }

    fn gate(&mut self, table: GateTable) -> Option<Gate> {
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
                self.wrong(
                    &at,
                    "a redirect has no status and no body of its own",
                    "keep redirect, or the others",
                );
                None
            }
            (None, None, None) => {
                self.wrong(
                    &at,
                    "the gate answers nothing",
                    "add status = 503, or redirect = \"/\"",
                );
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

    /// A goal; one that cannot be kept stands in for itself, so that flags may name it.
    pub(crate) fn goal(&mut self, name: Name, table: GoalTable) -> Goal {
        let trigger = self.trigger(&name, table);
        Goal { name, trigger }
    }

    fn trigger(&mut self, name: &Name, table: GoalTable) -> Trigger {
        let stray = |there: bool, key: &'static str, with: &str| {
            there.then(|| (key, format!("`{key}` belongs to `{with}`")))
        };
        let strays = [
            stray(table.status.is_some() && table.on.is_none(), "status", "on"),
            stray(table.value.is_some() && table.event.is_none(), "value", "event"),
        ];
        let placeholder = Trigger::Event {
            event: name.as_str().into(),
            value: EventValue::Count,
        };
        if !self.lost.is_empty() {
            return placeholder;
        }
        let ways = [
            table.on.is_some(),
            table.event.is_some(),
            table.bounce_after.is_some(),
        ];
        let ways = ways.iter().filter(|there| **there).count();
        if ways == 1 {
            for (key, message) in strays.into_iter().flatten() {
                self.wrong(&[key], message, "take it out");
            }
        } else {
            let what = if ways == 0 {
                "does not say how it is reached"
            } else {
                "can be reached in one way only"
            };
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
            self.wrong(
                &[],
                "nobody is in the segment",
                "add any = [ { group = \"beta\" } ]",
            );
        }
        let any = table.any.into_iter().map(|when| when.0).collect();
        Segment { name, any }
    }

    pub(crate) fn layer(&mut self, name: Name, table: LayerTable) -> FlagLayer {
        let mut slices = Vec::new();
        for (key, bounds) in table.slices {
            match Name::new(&key) {
                Ok(flag) => slices.extend(bounds.0.into_iter().map(|(from, to)| Slice {
                    flag: flag.clone(),
                    from,
                    to,
                })),
                Err(e) => self.wrong(
                    &["slices", &key],
                    format!("`{key}` is no name of a flag"),
                    e.to_string(),
                ),
            }
        }
        FlagLayer { name, slices }
    }
}

const fn sticky(remembered: Remembered) -> Sticky {
    match remembered {
        Remembered::None => Sticky::None,
        Remembered::Session => Sticky::Session,
        Remembered::Visitor => Sticky::Visitor,
    }
}

fn people(table: PeopleTable) -> Audience {
    Audience {
        users: table.users,
        groups: table.groups,
        roles: table.roles,
        authenticated: table.authenticated,
        languages: table.languages,
        segments: table.segments.into_iter().map(|segment| segment.0).collect(),
    }
}
