//! `flagstaff explain`: why this visitor gets this variant.
//!
//! The request that is asked about is made up, and then read as the proxy reads one, so that what is told here is what is served.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use flagstaff_flags::{Explanation, Facts, Outcome, Snapshot, Step, User};
use flagstaff_tag::{Known, Peer, Tagger};
use http::request::Parts;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::Explain;
use crate::commands::Answer;
use crate::print::{FAINT, GOOD, STRONG, json as print_json, out, styled};
use crate::settings::checked;
use crate::{facts, flags};

/// The header in which a made-up request tells its country.
const COUNTRY: &str = "x-explain-country";

pub(crate) fn run(args: &Explain) -> anyhow::Result<Answer> {
    let explanation = explain(args)?;
    if args.json {
        print_json(&as_json(&explanation))?;
    } else {
        out(&as_text(&explanation))?;
    }
    Ok(if explanation.decision.step() == Step::Unknown { Answer::No } else { Answer::Yes })
}

fn explain(args: &Explain) -> anyhow::Result<Explanation> {
    let settings = facts::settings(&args.facts)?;
    let path = flags::path(&settings.typed)?;
    let loaded = flags::load(&path, &settings.typed).map_err(|report| crate::settings::shown(&report))?;
    let snapshot = Arc::new(supposing(&loaded.snapshot, facts::recorded(&settings), &args.tripped)?);
    let mut tag = checked::tagger_settings(&settings)?;
    if args.country.is_some() {
        tag.trust.country_header = Some(COUNTRY.into());
    }
    let tagger = Tagger::new(&tag).map_err(|problems| settings.report(problems))?;
    let user = args.user.clone().map(|id| User { id, groups: args.group.clone(), roles: args.role.clone() });
    let held = args.sticky.iter().map(|(flag, variant)| held(&snapshot, flag, variant)).collect::<Result<_, _>>()?;
    let known = Known { visitor: args.visitor.clone(), user, held };
    let now = args.at.unwrap_or_else(Timestamp::now);
    Ok(tagger.explain(&snapshot, &request(args)?, &known, &args.flag, now))
}

/// The flags with what is recorded of them, as they would be with these guards tripped.
fn supposing(snapshot: &Snapshot, mut facts: Facts, tripped: &[String]) -> anyhow::Result<Snapshot> {
    for name in tripped {
        let flag = flags::find(snapshot, name).map(|id| snapshot.flag(id))?.context("no such flag")?;
        facts.tripped.push((flag.name.clone(), flag.definition));
    }
    Ok(snapshot.with_facts(&facts))
}

fn held(snapshot: &Snapshot, name: &str, variant: &str) -> anyhow::Result<flagstaff_flags::Held> {
    let id = flags::find(snapshot, name)?;
    let found = snapshot.flag(id).and_then(|flag| flag.variants.find(variant));
    let variant = found.ok_or_else(|| anyhow!("the flag `{name}` has no variant `{variant}`"))?;
    Ok(flagstaff_flags::Held { flag: id, variant })
}

/// The request that is asked about, from a peer that is trusted: whoever asks here may say who they are.
fn request(args: &Explain) -> anyhow::Result<Parts> {
    let uri: http::Uri = args.path.parse().with_context(|| format!("--path {}", args.path))?;
    let mut request = http::Request::builder().method(args.method.as_str());
    if let Some(host) = uri.authority() {
        request = request.header("host", host.as_str());
    }
    request = request.uri(uri);
    for (name, value) in
        args.header.iter().map(|(n, v)| (n.as_str(), v)).chain(args.country.iter().map(|c| (COUNTRY, c)))
    {
        request = request.header(name, value);
    }
    let peer = Peer { address: SocketAddr::new(args.ip, 0), client: args.ip, trusted: true, tls: false };
    let (mut parts, ()) = request.body(()).context("this is no request")?.into_parts();
    parts.extensions.insert(peer);
    Ok(parts)
}

fn as_json(e: &Explanation) -> Value {
    let trace =
        e.trace.iter().map(|t| json!({ "step": t.step.as_str(), "outcome": t.outcome.as_str(), "detail": t.detail }));
    json!({
        "flag": e.flag,
        "variant": e.variant,
        "reason": e.decision.reason().as_str(),
        "step": e.decision.step().as_str(),
        "unit": e.unit,
        "bucket": e.draw.map(flagstaff_flags::Draw::bucket),
        "position": e.draw.map(flagstaff_flags::Draw::position),
        "split": e.draw.map(flagstaff_flags::Draw::split),
        "unit_missing": e.decision.is_unit_missing(),
        "trace": trace.collect::<Vec<_>>(),
    })
}

fn as_text(e: &Explanation) -> String {
    let mut text =
        format!("{} is {} ({})\n", styled(STRONG, &e.flag), styled(STRONG, &e.variant), e.decision.reason());
    if let (Some(unit), Some(draw)) = (&e.unit, e.draw) {
        text +=
            &format!("{unit} has bucket {}, position {}, split {}\n", draw.bucket(), draw.position(), draw.split());
    }
    text.push('\n');
    for step in &e.trace {
        let line = format!("{:<9} {}", step.step.as_str(), step.detail);
        text += &match step.outcome {
            Outcome::Decided => format!("  {} {}\n", styled(GOOD, "▶"), styled(STRONG, &line)),
            Outcome::Passed => format!("    {}\n", styled(FAINT, &line)),
        };
    }
    text
}
