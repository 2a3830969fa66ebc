//! What should be mended although it can be used.

use flagstaff_flags::{
    BucketBy, EventFrom, EventGoal, Flag, Goal, Hold, Name, Percent, Problem, Rollout, RolloutStep, Serve, Trigger,
    VariantId,
};
use jiff::civil::Date;

use super::options::ParseOptions;

/// The headers gunicorn takes (`limit_request_fields`).
const GUNICORN: usize = 100;

/// Headers that are there without any flag: what a browser sends (about 18), what a proxy adds, and two of ours.
const USUAL: usize = 25;

/// The goals of a document.
pub(crate) struct Goals<'a> {
    pub(crate) all: &'a [Goal],
    /// Those reached by an event, whose tables do not say where it comes from.
    pub(crate) silent: &'a [Name],
}

/// All warnings, in no order.
pub(crate) fn lint(flags: &[&Flag], goals: &Goals<'_>, options: &ParseOptions) -> Vec<Problem> {
    let mut warnings: Vec<Problem> = flags.iter().flat_map(|flag| of_flag(flag, options.today)).collect();
    warnings.extend(goals.all.iter().filter_map(|goal| of_goal(goal, goals, flags)));
    let headers = flags.iter().filter(|flag| flag.enabled).count() + USUAL;
    if headers > GUNICORN && !options.one_header {
        let message =
            format!("a request with a header per flag may have {headers} headers, and gunicorn takes {GUNICORN}");
        let help = "write headers.send = \"compact\" in flagstaff.toml, or take out flags that are done";
        warnings.push(Problem::new(["flags"], message).help(help));
    }
    warnings
}

fn of_flag(flag: &Flag, today: Option<Date>) -> Vec<Problem> {
    let old = today.and_then(|today| expired(flag, today).or_else(|| stale(flag, today)));
    let no_cookies = today.and_then(|today| no_more_cookies(flag, today));
    let missing = [no_expiry(flag), no_owner(flag), no_goal(flag)];
    let in_vain = [nobody(flag), unguarded(flag), too_fine(flag)];
    [old, no_cookies].into_iter().chain(missing).chain(in_vain).flatten().collect()
}

/// Where the event of a goal comes from, where that is likely not what was meant.
fn of_goal(goal: &Goal, goals: &Goals<'_>, flags: &[&Flag]) -> Option<Problem> {
    let Trigger::Event(EventGoal { from, .. }) = &goal.trigger else { return None };
    let in_pages = flags.iter().any(|flag| flag.client && flag.goals.contains(&goal.name));
    let guarded = flags.iter().find(|flag| flag.guard.as_ref().is_some_and(|guard| guard.goals.contains(&goal.name)));
    let (key, message, help) = match (from, guarded) {
        (EventFrom::App, _) if in_pages && goals.silent.contains(&goal.name) => (
            None,
            "only events from the app count for this goal: what pages send with flagstaff.track() is not counted"
                .to_owned(),
            "write from = \"page\" or from = \"both\" if pages send it, else from = \"app\"",
        ),
        (EventFrom::Page | EventFrom::Both, Some(flag)) => (
            Some("from"),
            format!("the guard of `{}` depends on this goal; anybody can send what a page sends", flag.name),
            "have the app say it with X-Flag-Event, and write from = \"app\"",
        ),
        _ => return None,
    };
    let at = ["goals", goal.name.as_str()].into_iter().chain(key);
    Some(Problem::new(at, message).help(help))
}

fn warning(flag: &Flag, key: Option<&str>, message: impl Into<String>, help: impl Into<String>) -> Option<Problem> {
    let at = ["flags", flag.name.as_str()].into_iter().chain(key);
    Some(Problem::new(at, message).help(help))
}

fn expired(flag: &Flag, today: Date) -> Option<Problem> {
    let expires = flag.expires.filter(|expires| *expires < today)?;
    let message = format!("the flag expired on {expires}");
    warning(flag, Some("expires"), message, "take it out of code and file, or set a later day")
}

fn no_more_cookies(flag: &Flag, today: Date) -> Option<Problem> {
    let until = flag.waffle_cookie_until.filter(|until| *until < today)?;
    let message = format!("no cookies of django-waffle are taken since {until}");
    warning(flag, Some("waffle_cookie_until"), message, "take this key out: who kept a side keeps it")
}

fn stale(flag: &Flag, today: Date) -> Option<Problem> {
    let created = flag.created.filter(|_| flag.is_stale(today))?;
    let state = flag.mode().as_str();
    warning(
        flag,
        None,
        format!("the flag was made on {created} and is {state} for everybody"),
        "keep one of the two sides in the code, and take the flag out",
    )
}

/// Variants that someone gets.
fn arms(flag: &Flag) -> usize {
    flag.variants.weights().filter(|(_, share)| *share > Percent::ZERO).count()
}

/// A kill switch is meant to stay; every other flag is meant to go.
fn no_expiry(flag: &Flag) -> Option<Problem> {
    let missing = flag.expires.is_none() && flag.gate.is_none();
    missing.then(|| {
        warning(flag, None, "the flag has no expiry date", "add expires = 2027-01-31, the day it should be removed")
    })?
}

fn no_owner(flag: &Flag) -> Option<Problem> {
    let missing = flag.owner.as_deref().is_none_or(|owner| owner.trim().is_empty());
    missing.then(|| warning(flag, None, "the flag has no owner", "add owner = \"…\", who answers for it"))?
}

/// Named variants that are drawn are an experiment, and one that counts nothing tells nothing.
fn no_goal(flag: &Flag) -> Option<Problem> {
    let experiment = flag.variants.are_named() && arms(flag) > 1 && flag.share_of_the_rest() > Percent::ZERO;
    let missing = experiment && flag.goals.is_empty();
    missing.then(|| {
        warning(
            flag,
            Some("variants"),
            "the experiment has no goal",
            "add goals = [\"…\"]: name what the experiment should improve",
        )
    })?
}

fn nobody(flag: &Flag) -> Option<Problem> {
    let by_name = flag.allow.is_some() || flag.rules.iter().any(|rule| can_serve(rule.serve));
    let by_share = flag.rollout.is_some() || flag.share_of_the_rest() > Percent::ZERO;
    let out_of_reach = flag.enabled && flag.pin.is_none() && !flag.testing && !by_name && !by_share;
    out_of_reach.then(|| {
        warning(
            flag,
            Some("percent"),
            "the flag is enabled, and nobody can get it",
            "raise percent, or write enabled = false",
        )
    })?
}

/// A guard that compares nothing. What it says of an upstream needs no comparison.
fn unguarded(flag: &Flag) -> Option<Problem> {
    let is_asked = flag.guard.is_some() && flag.enabled && flag.pin.is_none();
    let (why, help) = nobody_to_compare(flag).filter(|_| is_asked)?;
    let help = format!("{help}, or take out the guard");
    warning(flag, Some("guard"), format!("the guard has nobody to compare with: {why}"), help)
}

/// Why of all who are drawn none differs from the others.
fn nobody_to_compare(flag: &Flag) -> Option<(&'static str, &'static str)> {
    if flag.bucket_by == BucketBy::Request {
        return Some(("the flag is drawn anew for each request", "write bucket_by = \"visitor\""));
    }
    let steps = flag.rollout.as_ref().map(Rollout::steps);
    let is_at_once = |step: &RolloutStep| step.percent == Percent::ALL && step.hold == Hold::End;
    let has_all = match steps {
        Some(steps) => steps.first().is_some_and(is_at_once),
        None => flag.share_of_the_rest() == Percent::ALL,
    };
    let names_all = steps.is_none() && flag.percent.is_none() && flag.share_of_the_rest() == Percent::ZERO;
    match flag.upstream.is_empty() {
        true if has_all && arms(flag) < 2 => {
            Some(("everybody has the flag", "write percent = 50, or a rollout in steps"))
        }
        true if names_all => Some(("whom `allow` or a rule names is not compared", "add percent = 50")),
        _ => None,
    }
}

/// A share between two numbers of a formula that has few of them: it takes the number that it ends in.
fn too_fine(flag: &Flag) -> Option<Problem> {
    let hash = flag.hash.as_ref()?;
    let named = flag.variants.are_named();
    if named && hash.has_one_number() {
        return None;
    }
    let grid = hash.coarse_grid(named)?;
    let cell = Percent::WHOLE / grid;
    let steps = flag.rollout.iter().flat_map(Rollout::steps).map(|step| ("rollout", step.percent));
    let mut shares = flag.percent.map(|share| ("percent", share)).into_iter().chain(steps);
    let (key, share) = shares.find(|(_, share)| !share.thousandths().is_multiple_of(cell))?;
    let below = share.thousandths() / cell;
    let [less, more] = [below, below + 1].map(|cells| Percent::from_thousandths(cells * cell));
    let message = format!("{} has {grid} numbers, so {share} percent takes {} of them", hash.formula(), below + 1);
    warning(flag, Some(key), message, format!("write {less} or {more}"))
}

fn can_serve(serve: Serve) -> bool {
    match serve {
        Serve::Variant(variant) => variant != VariantId::OFF,
        Serve::Percent(share) => share > Percent::ZERO,
    }
}
