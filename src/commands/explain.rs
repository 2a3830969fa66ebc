//! `flagstaff explain`: why this visitor gets this variant, of one flag or of each.
//!
//! The request that is asked about is made up, and then read as the proxy reads one, so that what is told here is what is served.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use flagstaff_flags::{Explanation, Facts, Outcome, Snapshot, Step, User, visible};
use flagstaff_tag::{Known, Peer, Tagger};
use http::request::Parts;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::Explain;
use crate::commands::Answer;
use crate::print::{FAINT, GOOD, STRONG, json as print_json, out, styled, table};
use crate::settings::checked;
use crate::{facts, flags};

/// The header in which a made-up request tells its country.
const COUNTRY: &str = "x-explain-country";

pub(crate) fn run(args: &Explain) -> anyhow::Result<Answer> {
    let asked = Asked::new(args)?;
    let Some(flag) = &args.flag else {
        return all(args, &asked);
    };
    let explanation = asked.explain(flag);
    let is_unknown = explanation.decision.step() == Step::Unknown;
    if args.json {
        print_json(&as_json(&explanation))?;
    } else if is_unknown {
        out(&as_text(&explanation))?;
        if let Err(error) = flags::find(&asked.snapshot, flag) {
            out(&format!("\n{error}\n"))?;
        }
    } else {
        out(&as_text(&explanation))?;
    }
    Ok(if is_unknown { Answer::No } else { Answer::Yes })
}

/// All flags for one visitor.
fn all(args: &Explain, asked: &Asked) -> anyhow::Result<Answer> {
    let each = asked.snapshot.flags().iter().map(|flag| asked.explain(flag.name.as_str()));
    let each: Vec<_> = each.collect();
    if args.json {
        print_json(&each.iter().map(as_json).collect::<Vec<_>>())?;
    } else if each.is_empty() {
        out("No flags yet.\n")?;
    } else {
        let heading = ["FLAG", "VARIANT", "DECIDED BY", "WHY"].map(String::from).to_vec();
        out(&table(&std::iter::once(heading).chain(each.iter().map(row)).collect::<Vec<_>>()))?;
    }
    Ok(Answer::Yes)
}

fn row(e: &Explanation) -> Vec<String> {
    let decided = e.trace.iter().find(|step| step.outcome == Outcome::Decided);
    let why = decided.map(|step| visible(&step.detail).into_owned()).unwrap_or_default();
    vec![visible(&e.flag).into_owned(), styled(STRONG, &visible(&e.variant)), e.decision.step().as_str().into(), why]
}

/// One visitor with one request, and the flags they meet.
struct Asked {
    snapshot: Arc<Snapshot>,
    tagger: Tagger,
    request: Parts,
    known: Known,
    now: Timestamp,
}

impl Asked {
    fn new(args: &Explain) -> anyhow::Result<Self> {
        let settings = facts::settings(&args.facts)?;
        let loaded = flags::seen_by_programs(&settings)?;
        let snapshot = Arc::new(supposing(&loaded, facts::recorded(&settings), &args.tripped)?);
        let mut tag = checked::tagger_settings(&settings)?;
        if args.country.is_some() {
            tag.trust.country_header = Some(COUNTRY.into());
        }
        let tagger = Tagger::new(&tag).map_err(|problems| settings.report(problems))?;
        let user = args.user.clone().map(|id| User { id, groups: args.group.clone(), roles: args.role.clone() });
        let held =
            args.sticky.iter().map(|(flag, variant)| held(&snapshot, flag, variant)).collect::<Result<_, _>>()?;
        // one visitor for all flags, also where none is named
        let visitor =
            args.visitor.clone().or_else(|| args.flag.is_none().then(|| format!("{:032x}", fastrand::u128(..))));
        let known = Known { visitor, user, held };
        Ok(Self { snapshot, tagger, request: request(args)?, known, now: args.at.unwrap_or_else(Timestamp::now) })
    }

    fn explain(&self, flag: &str) -> Explanation {
        self.tagger.explain(&self.snapshot, &self.request, &self.known, flag, self.now)
    }
}

/// The flags with what is recorded of them, as they would be with these guards tripped.
fn supposing(snapshot: &Snapshot, mut facts: Facts, tripped: &[String]) -> anyhow::Result<Snapshot> {
    for name in tripped {
        let flag = flags::find(snapshot, name).map(|id| snapshot.flag(id))?.context("no such flag")?;
        facts.tripped.push((flag.name.clone(), flag.definition));
    }
    Ok(snapshot.with_facts(&facts))
}

fn held(snapshot: &Snapshot, name: &str, variant: &str) -> anyhow::Result<flagstaff_flags::StickyVariant> {
    let id = flags::find(snapshot, name)?;
    let flag = snapshot.flag(id).context("no such flag")?;
    let variant = flags::variant(flag, variant)?;
    Ok(flagstaff_flags::StickyVariant { flag: id, variant })
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
    let mut text = format!(
        "{} is {} ({})\n",
        styled(STRONG, &visible(&e.flag)),
        styled(STRONG, &visible(&e.variant)),
        e.decision.reason()
    );
    if let (Some(unit), Some(draw)) = (&e.unit, e.draw) {
        text += &format!(
            "{} has bucket {}, position {}, split {}\n",
            visible(unit),
            draw.bucket(),
            draw.position(),
            draw.split()
        );
    }
    text.push('\n');
    for step in &e.trace {
        let line = format!("{:<9} {}", step.step.as_str(), visible(&step.detail));
        text += &match step.outcome {
            Outcome::Decided => format!("  {} {}\n", styled(GOOD, "▶"), styled(STRONG, &line)),
            Outcome::Passed => format!("    {}\n", styled(FAINT, &line)),
        };
    }
    text
}
