//! `flagstaff demo-traffic`: visitors with known true rates, through the real proxy.

mod crowd;
mod plan;
mod sent;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

use self::crowd::Crowd;
use self::plan::Plan;
use crate::cli::DemoTraffic;
use crate::commands::Outcome;
use crate::terminal::{json as print_json, out};
use crate::workspace::Opened;

/// How a process ends that was interrupted twice: 128 and SIGINT.
const INTERRUPTED: i32 = 130;

pub(crate) fn run(args: &DemoTraffic) -> anyhow::Result<Outcome> {
    let opened = Opened::flags(&args.flags)?;
    let snapshot = opened.answer(opened.workspace.snapshot())?;
    let plan = Plan::new(args, &opened.settings.typed, &snapshot)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let sent = runtime.context("cannot send anything")?.block_on(async {
        let stopping = interrupted();
        Crowd::new(&plan, &snapshot, &stopping).comes().await
    })?;
    if args.json {
        print_json(&sent.answer(&plan))?;
    } else {
        out(&sent.text(&plan))?;
    }
    Ok(if sent.came() < plan.visitors { Outcome::No } else { Outcome::Yes })
}

/// Becomes true at the first Ctrl-C: visits that are under way are finished, so that what is told is what was done. The second ends all.
fn interrupted() -> Arc<AtomicBool> {
    let stopping = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stopping);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            told.store(true, Ordering::Relaxed);
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(INTERRUPTED);
        }
    });
    stopping
}
