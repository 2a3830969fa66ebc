//! The program: parse, build, announce, run, drain.

mod cli;
mod commands;
mod logging;
mod remote;
mod serve;
mod settings;
mod terminal;
mod waffle_rows;
mod workspace;

use std::process::ExitCode;

use clap::Parser;
use flagstaff_flags::without_userinfo;

use crate::cli::{Cli, Command};
use crate::commands::{
    Outcome, check, compare, demo_traffic, diff, edit, end, explain, export, fleet, forget, history, hygiene, import,
    init, link, list, power, pull, push, results, rollback, rollout, scan, shell, simulate, tail, traffic, webhook,
};
use crate::terminal::{BAD, styled};

/// Many small allocations of many sizes are what a proxy makes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    logging::tell_panics();
    let command = Cli::parse().command.unwrap_or_else(|| Command::Run(Box::default()));
    let code = match answer(&command) {
        Ok(answer) => answer.into(),
        Err(error) => {
            logging::fatal(&told(&error));
            ExitCode::from(2)
        }
    };
    logging::finish();
    code
}

/// An error as it is printed; some are drawn already.
fn told(error: &anyhow::Error) -> String {
    match error.is::<settings::Shown>() {
        true => format!("{error}\n"),
        false => format!("{}: {}\n", styled(BAD, "error"), without_userinfo(&format!("{error:#}"))),
    }
}

fn answer(command: &Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Run(args) => serve::run(args),
        Command::Init(args) => init::run(args),
        Command::Import(args) => import::run(args),
        Command::Check(args) => check::run(args),
        Command::List(args) => list::run(args),
        Command::Hygiene(args) => hygiene::run(args),
        Command::Scan(args) => scan::run(args),
        Command::Traffic(args) => traffic::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Simulate(args) => simulate::run(args),
        Command::Tail(args) => tail::run(args),
        Command::Add(args) => edit::add(args),
        Command::Set(args) => edit::set(args),
        Command::On(args) => edit::on(args),
        Command::Off(args) => edit::off(args),
        Command::Delete(args) => edit::delete(args),
        Command::History(args) => history::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Rollback(args) => rollback::run(args),
        Command::Fleet(args) => fleet::run(args),
        Command::Push(args) => push::run(args),
        Command::Pull(args) => pull::run(args),
        Command::End(args) => end::run(args),
        Command::Results(args) => results::run(args),
        Command::Rollout(args) => rollout::run(args),
        Command::Power(args) => power::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Export(args) => export::run(args),
        Command::Forget(args) => forget::run(args),
        Command::DemoTraffic(args) => demo_traffic::run(args),
        Command::Link(args) => link::run(args),
        Command::Webhook(args) => webhook::run(args),
        Command::Schema => shell::schema(),
        Command::Completions { shell } => shell::completions(*shell),
    }
}
