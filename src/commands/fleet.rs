//! `flagstaff fleet`: which programs run, and what is wrong between them.

use flagstaff_flags::printable;
use flagstaff_operations::fleet::{Fleet, FleetProgram, ProgramState, fleet};

use crate::cli;
use crate::commands::Outcome;
use crate::commands::push::short;
use crate::remote::Remote;
use crate::terminal::{BAD, FAINT, GOOD, ODD, json as print_json, out, styled, table};
use crate::workspace::{Opened, block_on};

pub(crate) fn run(args: &cli::Fleet) -> anyhow::Result<Outcome> {
    let fleet = asked(args)?;
    if args.json {
        print_json(&fleet)?;
    } else {
        out(&text(&fleet))?;
    }
    Ok(if fleet.is_well() { Outcome::Yes } else { Outcome::No })
}

fn asked(args: &cli::Fleet) -> anyhow::Result<Fleet> {
    if let Some(remote) = Remote::ledger(&args.ledger)? {
        return remote.answer(remote.client.fleet());
    }
    let opened = Opened::ledger(&args.ledger)?;
    opened.answer(block_on(fleet(&opened.workspace))?)
}

fn text(fleet: &Fleet) -> String {
    if fleet.programs.is_empty() {
        return styled(FAINT, "no program has run with this ledger today\n");
    }
    let heading = ["HOST", "PROCESS", "VERSION", "ENVIRONMENT", "REVISION", "STATE", "SEEN"].map(Into::into).into();
    let rows = std::iter::once(heading).chain(fleet.programs.iter().map(row));
    let mut text = table(&rows.collect::<Vec<_>>());
    for program in &fleet.programs {
        for notice in &program.notices {
            let name = format!("{} on {}", program.process, program.host);
            text += &format!("{}: {}\n", styled(ODD, &printable(&name)), printable(notice));
        }
    }
    text
}

fn row(program: &FleetProgram) -> Vec<String> {
    let colour = match program.state {
        ProgramState::Running => GOOD,
        ProgramState::Lagging => ODD,
        ProgramState::Silent => BAD,
    };
    let environment = program.environment.as_deref().unwrap_or("–");
    vec![
        printable(&program.host).into_owned(),
        program.process.to_string(),
        printable(&program.version).into_owned(),
        printable(environment).into_owned(),
        printable(short(&program.revision)).into_owned(),
        styled(colour, program.state.as_str()),
        format!("{} s ago", program.seconds_ago),
    ]
}
