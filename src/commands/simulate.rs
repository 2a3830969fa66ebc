//! `flagstaff simulate`: visitors fall into variants.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use flagstaff_flags::Percent;
use flagstaff_operations::api::SimulationQuery;
use flagstaff_operations::flags::{Simulated, Simulation};

use crate::cli::Simulate;
use crate::commands::Outcome;
use crate::remote::Remote;
use crate::terminal::{FAINT, STRONG, bar, is_live, json as print_json, redraw, styled};
use crate::workspace::Opened;

/// How long a chart stands before the next one is drawn.
const FRAME: Duration = Duration::from_millis(60);
/// Visitors between two looks at the clock.
const STRIDE: u64 = 256;

pub(crate) fn run(args: &Simulate) -> anyhow::Result<Outcome> {
    let percent =
        args.percent.map(|percent| Percent::new(percent).map_err(|e| anyhow!("--percent: {e}"))).transpose()?;
    let mut chart = Chart { of: args.visitors, drawn: None };
    let simulated = match Remote::flags(&args.remote, &args.flags)? {
        Some(remote) => far(args, &remote)?,
        None => here(args, percent, &mut chart)?,
    };
    if args.json {
        print_json(&simulated)?;
    } else {
        chart.draw(&simulated)?;
    }
    Ok(Outcome::Yes)
}

/// Visitors of a running program's flag.
fn far(args: &Simulate, remote: &Remote) -> anyhow::Result<Simulated> {
    let most = SimulationQuery::MAX_VISITORS;
    let visitors = u32::try_from(args.visitors).ok().filter(|visitors| *visitors <= most);
    let visitors = visitors.ok_or_else(|| anyhow!("--visitors: a running program simulates up to {most}"))?;
    let query = SimulationQuery { percent: args.percent, visitors: Some(visitors) };
    remote.answer(remote.client.simulate(&args.flag, &query))
}

/// Visitors of a flag of the file, drawn while they come.
fn here(args: &Simulate, percent: Option<Percent>, chart: &mut Chart) -> anyhow::Result<Simulated> {
    let opened = Opened::flags(&args.flags)?;
    let snapshot = opened.answer(opened.workspace.snapshot())?;
    let mut simulation = opened.answer(Simulation::new(&snapshot, &args.flag, percent))?;
    let live = is_live() && !args.json;
    let mut last = Instant::now();
    for i in 0..args.visitors {
        simulation.add_visitor();
        if live && i % STRIDE == 0 && last.elapsed() > FRAME {
            chart.draw(&simulation.answer())?;
            last = Instant::now();
        }
    }
    Ok(simulation.answer())
}

struct Chart {
    of: u64,
    /// Lines of the chart that stands on the terminal now.
    drawn: Option<usize>,
}

impl Chart {
    fn draw(&mut self, now: &Simulated) -> anyhow::Result<()> {
        let mut text = self.drawn.map(|lines| format!("\x1b[{lines}A")).unwrap_or_default();
        let flag = styled(STRONG, &now.flag);
        let head = format!("{flag}: {} percent, {} of {} visitors", now.percent, now.visitors, self.of);
        text.push_str(&format!("\x1b[2K{head}\n"));
        let width = now.variants.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, count) in &now.variants {
            #[allow(clippy::cast_precision_loss, reason = "a chart")]
            let part = *count as f64 / now.visitors.max(1) as f64;
            let bar = styled(if name == "off" { FAINT } else { STRONG }, &bar(part, 40));
            text.push_str(&format!("\x1b[2K  {name:width$}  {count:>9}  {:>7.3} %  {bar}\n", part * 100.0));
        }
        self.drawn = Some(now.variants.len() + 1);
        redraw(&text)
    }
}
