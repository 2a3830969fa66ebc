//! The programs that run with the same ledger.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use flagstaff_flags::printable;
use flagstaff_operations::Error;
use flagstaff_operations::fleet::{Fleet, FleetProgram, ProgramState, fleet};
use flagstaff_operations::workspace::Workspace;

use super::failure::Answered;
use super::frame::{Frame, Section, Visit};
use crate::Context;

/// Digits of a revision that are shown.
const SHORT: usize = 12;

/// One program, as its row shows it.
struct Row {
    program: FleetProgram,
    short: String,
    chip: &'static str,
}

#[derive(Template)]
#[template(path = "fleet.html")]
struct FleetPage {
    frame: Frame,
    rows: Vec<Row>,
    /// Nothing is recorded, so nobody is seen.
    has_ledger: bool,
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/fleet", get(show))
}

async fn show(State(context): State<Context>, visit: Visit) -> Answered {
    let found = context
        .run(async |workspace: &Workspace| match fleet(workspace).await {
            Err(Error::NoLedger) => Ok(None),
            found => found.map(Some),
        })
        .await?;
    Ok(visit.show(&page(visit.frame("Fleet", Section::Fleet), found)))
}

fn page(frame: Frame, found: Option<Fleet>) -> FleetPage {
    let has_ledger = found.is_some();
    let programs = found.map(|fleet| fleet.programs).unwrap_or_default();
    FleetPage { frame, rows: programs.into_iter().map(row).collect(), has_ledger }
}

fn row(program: FleetProgram) -> Row {
    let chip = match program.state {
        ProgramState::Running => "accent",
        ProgramState::Lagging | ProgramState::Silent => "alarm",
    };
    let plain = |text: String| printable(&text).into_owned();
    let program = FleetProgram {
        host: plain(program.host),
        version: plain(program.version),
        environment: program.environment.map(plain),
        source: plain(program.source),
        revision: plain(program.revision),
        notices: program.notices.into_iter().map(plain).collect(),
        ..program
    };
    Row { short: program.revision.chars().take(SHORT).collect(), program, chip }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_say_of_themselves_is_text() {
        let program = FleetProgram {
            host: "<b>host".into(),
            process: 7,
            version: "0.1.0".into(),
            environment: None,
            source: "flags.toml".into(),
            revision: "0123456789abcdef".into(),
            state: ProgramState::Lagging,
            started: "2026-11-28T10:00:00Z".into(),
            seen: "2026-11-28T11:00:00Z".into(),
            seconds_ago: 4,
            notices: vec!["signs with <other> keys".into()],
        };
        let text = page(Frame::plain("Fleet"), Some(Fleet { programs: vec![program] })).render().unwrap();
        assert!(text.contains("0123456789ab<") && text.contains("lagging") && text.contains("4 s ago"), "{text}");
        assert!(!text.contains("<b>host") && !text.contains("<other>"), "{text}");
        let none = page(Frame::plain("Fleet"), None).render().unwrap();
        assert!(none.contains("no ledger"), "{none}");
    }
}
