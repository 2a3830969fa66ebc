//! Steps that go on become rules that decide.

use std::collections::VecDeque;

use super::{Chain, Get, Step};
use crate::model::{Condition, Flag};

/// The most rules that a chain is unfolded into.
const MOST_RULES: usize = 200;

/// A chain in which every step decides for all whom it is for, or for the first part of a number, and leaves the others to the next.
pub(super) struct Rules {
    pub(super) steps: Vec<Step>,
    /// What everybody else gets.
    pub(super) rest: Get,
}

/// Unfolds a chain; what cannot be kept is noted on the flag.
pub(super) fn unfolded(chain: &Chain, flag: &mut Flag) -> Rules {
    let mut steps: VecDeque<Step> = VecDeque::new();
    let mut rest = Get::arm(chain.control);
    let reached = |step: &&Step| step.condition != Condition::Never && !step.get.is_nothing();
    let all: Vec<&Step> = chain.steps.iter().filter(reached).collect();
    // what lies behind a step that is unfolded is unfolded into it, so it has to decide
    let first_unfolded = all.iter().position(|step| step.get.goes_on() && !step.get.is_share()).unwrap_or(all.len());
    for (at, step) in all.iter().enumerate().rev() {
        let ends_chain = steps.is_empty() && step.get.over(&rest).is_some();
        let mut front = if at < first_unfolded && step.get.is_share() && !ends_chain {
            vec![(*step).clone()]
        } else {
            in_front(step, steps.make_contiguous(), &rest, chain.control, flag)
        };
        if front.last().is_some_and(|last| last.condition == Condition::Always && !last.get.goes_on())
            && let Some(last) = front.pop()
        {
            rest = last.get;
            // Nothing behind a step for everybody is ever reached.
            steps.clear();
        }
        front.into_iter().rev().for_each(|step| steps.push_front(step));
    }
    while steps.back().is_some_and(|last| last.get == rest && last.comment.is_none()) {
        steps.pop_back();
    }
    Rules { steps: without_repeats(steps.into()), rest }
}

/// Without rules in front of a wider one that gives the same.
fn without_repeats(steps: Vec<Step>) -> Vec<Step> {
    let mut kept: Vec<Step> = Vec::new();
    for step in steps.into_iter().rev() {
        let repeats =
            kept.last().is_some_and(|next| next.get == step.get && is_wider(&next.condition, &step.condition));
        if !repeats || step.comment.is_some() {
            kept.push(step);
        }
    }
    kept.reverse();
    kept
}

/// Whether a condition asks for nothing that the other does not.
fn is_wider(one: &Condition, other: &Condition) -> bool {
    let asked = parts(other);
    parts(one).iter().all(|part| asked.contains(part))
}

/// What a condition asks for, of which all must hold.
fn parts(condition: &Condition) -> &[Condition] {
    match condition {
        Condition::Always => &[],
        Condition::All(list) => list,
        one => std::slice::from_ref(one),
    }
}

/// The rules that a step becomes, in front of those it may go on to.
fn in_front(step: &Step, behind: &[Step], rest: &Get, control: usize, flag: &mut Flag) -> Vec<Step> {
    if !step.get.goes_on() {
        return vec![step.clone()];
    }
    let mut rules = Vec::new();
    let everybody_else = Step::new(Condition::Always, rest.clone());
    for later in behind.iter().chain([&everybody_else]) {
        if behind.len() + rules.len() > MOST_RULES {
            flag.lost(
                "Its steps go on to each other in more ways than rules are written for; some of them are left out.",
            );
            break;
        }
        let get = step.get.over(&later.get).unwrap_or_else(|| {
            flag.lost(
                "A step that draws goes on to one that draws by another number. Here those whom the first leaves over get \
                 the default.",
            );
            step.get.over(&Get::arm(control)).unwrap_or_else(|| Get::arm(control))
        });
        rules.push(Step { condition: step.condition.clone().and(later.condition.clone()), get, comment: None });
    }
    if let Some(last) = rules.last_mut() {
        last.comment.clone_from(&step.comment);
    }
    rules
}
