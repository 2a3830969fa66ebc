//! Who runs, and whose flags lag.

use std::collections::HashMap;

use flagstaff_ledger::{Program, ProgramStore, RevisionStore, SeenProgram};
use jiff::{SignedDuration, Timestamp};

use super::answer::{Fleet, FleetProgram, ProgramState};
use super::strangers::{is_there, strangers};
use crate::Error;
use crate::workspace::Workspace;

/// How long a program may take to have a revision that another one accepted.
const LAG: SignedDuration = SignedDuration::from_secs(5);

/// The programs that run with the ledger, or ran with it within a day and did not end in good order.
///
/// # Errors
/// When there is no ledger, or it gives no answer.
pub async fn fleet(workspace: &Workspace) -> Result<Fleet, Error> {
    let location = workspace.ledger()?.ok_or(Error::NoLedger)?;
    let there = workspace.ledger_that_is_there()?;
    let there = there.ok_or_else(|| flagstaff_ledger::Error::Missing(location.clone()))?;
    let mut programs = ProgramStore::open_to_read(there).await?;
    let all = programs.all().await?;
    programs.close().await;
    let mut revisions = RevisionStore::open_to_read(there).await?;
    let mut newest = HashMap::new();
    for seen in &all {
        let environment = &seen.program.environment;
        if !newest.contains_key(environment) {
            let found = revisions.newest(environment.as_deref(), None, 1).await?.pop();
            newest.insert(environment.clone(), found.map(|found| (found.revision, found.at)));
        }
    }
    revisions.close().await;
    let told = |seen: &SeenProgram| told(seen, newest.get(&seen.program.environment).and_then(Option::as_ref), &all);
    Ok(Fleet { programs: all.iter().map(told).collect() })
}

fn told(seen: &SeenProgram, newest: Option<&(String, Timestamp)>, all: &[SeenProgram]) -> FleetProgram {
    let Program { host, process, version, environment, source, revision, problem, started, .. } =
        seen.program.clone();
    let lags = newest.is_some_and(|(newest, at)| *newest != revision && seen.seen > *at + LAG);
    let state = match (is_there(seen), lags) {
        (false, _) => ProgramState::Silent,
        (true, true) => ProgramState::Lagging,
        (true, false) => ProgramState::Running,
    };
    let strangers = if is_there(seen) { strangers(&seen.program, all) } else { Vec::new() };
    FleetProgram {
        host,
        process,
        version,
        environment,
        source,
        revision,
        state,
        started: format!("{started:.0}"),
        seen: format!("{:.0}", seen.seen),
        seconds_ago: seen.seconds_ago,
        notices: problem.into_iter().chain(strangers).collect(),
    }
}
