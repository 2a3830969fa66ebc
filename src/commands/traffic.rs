//! `flagstaff traffic`: how often each flag was asked for.

use anyhow::bail;
use flagstaff_operations::traffic::{FlagTraffic, NotCountedRequests, VariantTraffic};

use crate::cli::{FlagArgs, TrafficArgs};
use crate::commands::Outcome;
use crate::remote::Remote;
use crate::terminal::{FAINT, STRONG, grouped, json, out, styled, table};

pub(crate) fn run(args: &TrafficArgs) -> anyhow::Result<Outcome> {
    let Some(remote) = Remote::flags(&args.remote, &FlagArgs::default())? else {
        bail!("only a running program knows what it was asked for; name it with --url, or with FLAGSTAFF_URL");
    };
    if let Some(name) = &args.flag {
        // says which names there are like it
        remote.answer(remote.client.flag(name))?;
    }
    let mut all = remote.answer(remote.client.traffic())?;
    all.retain(|one| args.flag.as_ref().is_none_or(|name| *name == one.flag));
    if args.json {
        json(&all)?;
    } else {
        out(&text(&all))?;
        out(&left_out(&remote.answer(remote.client.not_counted())?))?;
    }
    Ok(Outcome::Yes)
}

fn text(all: &[FlagTraffic]) -> String {
    if all.is_empty() {
        return "No flags yet.\n".into();
    }
    let heading = ["FLAG", "LAST ASKED", "VARIANT", "REQUESTS", "ACTUAL", "SHOULD BE"].map(Into::into).into();
    table(&std::iter::once(heading).chain(all.iter().flat_map(rows)).collect::<Vec<_>>())
}

/// A row for each variant; the first one names the flag.
fn rows(flag: &FlagTraffic) -> Vec<Vec<String>> {
    let row = |(place, one): (usize, &VariantTraffic)| {
        let (name, last) = match (place, &flag.last) {
            (0, Some(last)) => (styled(STRONG, &flag.flag), last.clone()),
            (0, None) => (styled(STRONG, &flag.flag), styled(FAINT, "never")),
            _ => (String::new(), String::new()),
        };
        let actual = one.actual.map_or_else(|| "–".into(), share);
        vec![name, last, one.variant.clone(), grouped(one.requests), actual, share(one.expected)]
    };
    flag.variants.iter().enumerate().map(row).collect()
}

/// What is in none of these numbers.
fn left_out(all: &[NotCountedRequests]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let parts: Vec<_> = all.iter().map(|one| format!("{} {}", grouped(one.requests), one.words())).collect();
    styled(FAINT, &format!("Not counted: {}\n", parts.join(", ")))
}

fn share(percent: f64) -> String {
    format!("{percent:.1} %")
}
