//! What comes next for a rollout, from what is known of it now.

use std::fmt;
use std::time::Duration;

use flagstaff_flags::{Fact, FactKind, Hold, Rollout, RolloutStep, Standing};
use flagstaff_stats::srm;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Visitors of the treatment who must have come at a step before it goes on, where the step says nothing else.
pub const MIN_VISITORS: u64 = 100;

/// Why a rollout stays where it is while treatment and control fail alike.
pub const SHARED_OUTAGE: &str = "treatment and control fail alike: a shared outage";

/// Why a rollout stays where it is while the upstream of its variant is away and no visitor is harmed.
pub const UPSTREAM_AWAY: &str = "the upstream of the variant gives no answer: the app answers in its place";

/// What keeps a flag where it is for now, whatever its hold says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// [`SHARED_OUTAGE`] or [`UPSTREAM_AWAY`].
    pub reason: &'static str,
    /// How it is now, in words.
    pub words: String,
}

impl Trouble {
    /// The reason that was told last of a flag and is not over, where it is one of trouble.
    #[must_use]
    pub fn told(standing: &Standing) -> Option<&'static str> {
        let told = standing.inconclusive.as_ref()?;
        [SHARED_OUTAGE, UPSTREAM_AWAY].into_iter().find(|reason| told.why == *reason)
    }
}

/// What is known of a rollout at one inputs.
#[derive(Clone, Debug)]
pub struct RolloutInputs<'a> {
    /// Its steps.
    pub rollout: &'a Rollout,
    /// Where its facts leave it.
    pub standing: &'a Standing,
    /// The time.
    pub now: Timestamp,
    /// Visitors of the treatment who came at this step; `None` while the ledger cannot be read.
    pub visitors: Option<u64>,
    /// The numbers of visitors do not fit the shares of the variants, see [`sample_ratio_broken`].
    pub split_is_broken: bool,
    /// How long the present step has been held. By a clock that nobody sets where the same program saw it begin.
    pub waited: Duration,
    /// What keeps it where it is just now.
    pub trouble: Option<Trouble>,
}

/// How long the present step has been held, by the clock that says what time it is now.
#[must_use]
pub fn waited(rollout: &Rollout, standing: &Standing, now: Timestamp) -> Duration {
    now.duration_since(rollout.begins(standing.since)).try_into().unwrap_or(Duration::ZERO)
}

/// Where a rollout stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RolloutState {
    /// Its step goes on by itself when its time is over.
    #[serde(rename = "climbing")]
    Advancing,
    /// It stays at its step.
    Holding,
    /// It waits for someone to approve.
    Approval,
    /// Its guard took it back.
    Tripped,
    /// All steps are behind it.
    Done,
}

impl RolloutState {
    /// As it is shown. Programs read it in `rollout NAME status --json`, so the older word of `Advancing` stays.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Advancing => "climbing",
            Self::Holding => "holding",
            Self::Approval => "approval",
            Self::Tripped => "tripped",
            Self::Done => "done",
        }
    }
}

impl fmt::Display for RolloutState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    Wait,
    /// Go to the next step.
    Advance,
    /// All steps are behind it.
    Finish,
    /// Tell that it waits for an approval.
    AskApproval,
    /// Tell why it stays. The words stay the same while the reason does.
    TellInconclusive(&'static str),
}

/// Where a rollout stands, and what comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextStep {
    /// In one word.
    pub state: RolloutState,
    /// In a sentence.
    pub why: String,
    /// When it goes on by itself, if nothing else keeps it.
    pub advances_at: Option<Timestamp>,
    /// What is to be done now.
    pub next: Next,
}

impl NextStep {
    const fn new(state: RolloutState, why: String) -> Self {
        Self { state, why, advances_at: None, next: Next::Wait }
    }

    fn next(self, next: Next) -> Self {
        Self { next, ..self }
    }

    fn at(self, time: Timestamp) -> Self {
        Self { advances_at: Some(time), ..self }
    }
}

/// Where a rollout stands, and what comes next. A step goes on when its hold is over, enough visitors came, and neither a
/// guard, the split nor an outage speaks against it; otherwise it stays, and says why.
#[must_use]
pub fn next_step(inputs: &RolloutInputs<'_>) -> NextStep {
    let RolloutInputs { rollout, standing, now, .. } = inputs;
    if let Some(trip) = &standing.trip {
        return NextStep::new(RolloutState::Tripped, trip.why.clone());
    }
    let Some(step) = rollout.steps().get(standing.step) else {
        return NextStep::new(RolloutState::Done, "all steps are done".into());
    };
    if let Some(start) = rollout.start().filter(|start| now < start) {
        return NextStep::new(RolloutState::Holding, format!("it starts at {start}")).at(start);
    }
    if let Some(stopped) = stopped(standing) {
        return NextStep::new(RolloutState::Holding, stopped);
    }
    if let Some(trouble) = inputs.trouble.as_ref().filter(|_| step.hold != Hold::End) {
        return NextStep::new(RolloutState::Holding, trouble.words.clone()).next(told_once(standing, trouble.reason));
    }
    match step.hold {
        Hold::End => NextStep::new(RolloutState::Done, "this is the last step".into()).next(Next::Finish),
        Hold::Approval => approval(standing),
        Hold::For(hold) => timed(inputs, step, hold),
    }
}

/// What someone or the guard said to keep it where it is.
fn stopped(standing: &Standing) -> Option<String> {
    if let Some(hold) = &standing.hold {
        return Some(format!("its guard holds it until the flag is edited or reset: {}", hold.why));
    }
    standing.paused.then(|| "it is paused; `flagstaff rollout FLAG resume` continues it".into())
}

fn approval(standing: &Standing) -> NextStep {
    let why = "it waits for someone: `flagstaff rollout FLAG approve`".into();
    let next = if standing.approval_told { Next::Wait } else { Next::AskApproval };
    NextStep::new(RolloutState::Approval, why).next(next)
}

/// When the hold of the present step is over; a hold without end never is.
fn ends(rollout: &Rollout, standing: &Standing, hold: Duration) -> Timestamp {
    let hold = SignedDuration::try_from(hold).unwrap_or(SignedDuration::MAX);
    rollout.begins(standing.since).checked_add(hold).unwrap_or(Timestamp::MAX)
}

fn timed(inputs: &RolloutInputs<'_>, step: &RolloutStep, hold: Duration) -> NextStep {
    let ends = ends(inputs.rollout, inputs.standing, hold);
    if inputs.waited < hold {
        let why = match obstacle(inputs, step) {
            Some((_, more)) => format!("its hold is not over; for now, {more}"),
            None => "its hold is not over".into(),
        };
        return NextStep::new(RolloutState::Advancing, why).at(ends);
    }
    match obstacle(inputs, step) {
        Some((reason, more)) => {
            let next = told_once(inputs.standing, reason);
            NextStep::new(RolloutState::Holding, format!("inconclusive: {more}")).next(next)
        }
        None => {
            let is_last = inputs.standing.step + 1 == inputs.rollout.steps().len();
            let next = if is_last { Next::Finish } else { Next::Advance };
            NextStep::new(RolloutState::Advancing, "its hold is over, and no problem was seen".into())
                .at(ends)
                .next(next)
        }
    }
}

/// Tells a reason, unless it is the one that was told last.
pub fn told_once(standing: &Standing, reason: &'static str) -> Next {
    let told = standing.inconclusive.as_ref().is_some_and(|fact| fact.why == reason);
    if told { Next::Wait } else { Next::TellInconclusive(reason) }
}

/// What keeps a step from going on: a reason that stays the same, and how it is now.
fn obstacle(inputs: &RolloutInputs<'_>, step: &RolloutStep) -> Option<(&'static str, String)> {
    let Some(visitors) = inputs.visitors else {
        return Some(("the ledger cannot be read", "the ledger cannot be read".into()));
    };
    if inputs.split_is_broken {
        let why = "visitors did not fall into the variants as the percentages say: the split is broken";
        return Some((why, why.into()));
    }
    let nobody = step.percent == flagstaff_flags::Percent::ZERO;
    let needed = if nobody { 0 } else { step.min_visitors.unwrap_or(MIN_VISITORS) };
    (visitors < needed).then(|| {
        ("too few visitors with the flag came", format!("{visitors} of {needed} visitors with the flag came"))
    })
}

/// Whether the numbers of visitors who came at one step do not fit the shares of the arms. May be asked at any time
/// (sequential, see [`srm::log_bayes_factor`]). Shares are weights of any scale.
#[must_use]
pub fn sample_ratio_broken(arrivals: &[u64], shares: &[f64]) -> bool {
    let with_share = || arrivals.iter().zip(shares).filter(|(_, share)| **share > 0.0);
    let (counts, shares): (Vec<u64>, Vec<f64>) = with_share().unzip();
    srm::log_bayes_factor(&counts, &shares).is_ok_and(srm::is_alarm)
}

impl Next {
    /// The fact with which it is done, if it takes one. `visitors` is told where the rollout goes on.
    #[must_use]
    pub fn fact(&self, inputs: &RolloutInputs<'_>, mut fact: Fact) -> Option<Fact> {
        let step = inputs.standing.step;
        fact.step = step;
        let seen = || match inputs.visitors {
            // nobody counts further than is needed
            Some(visitors) => {
                format!("its hold is over, at least {visitors} visitors had the flag, and no problem was seen")
            }
            None => "its hold is over".into(),
        };
        match self {
            Self::Wait => return None,
            Self::Advance => (fact.kind, fact.step, fact.why) = (FactKind::Step, step + 1, seen()),
            Self::Finish => {
                (fact.kind, fact.step) = (FactKind::Done, inputs.rollout.steps().len());
                fact.why = "all steps are done".into();
            }
            Self::AskApproval => {
                (fact.kind, fact.why) =
                    (FactKind::ApprovalNeeded, "this step waits until a person approves it".into());
            }
            Self::TellInconclusive(reason) => (fact.kind, fact.why) = (FactKind::Inconclusive, (*reason).into()),
        }
        Some(fact)
    }
}
