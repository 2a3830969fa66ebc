//! `flagstaff webhook test`: whether receivers take what they will be told.

use anyhow::{Context, bail};
use flagstaff_flags::{Definition, Fact, FactKind, Name, Percent};
use flagstaff_webhook::{Client, ReceiverAnswer, WebhookEvent};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::cli::{Webhook, WebhookAction, WebhookTest};
use crate::commands::Outcome;
use crate::settings::{Settings, webhooks};
use crate::terminal::{BAD, GOOD, json as print_json, out, styled};

/// What a receiver answered to a sample.
#[derive(Serialize)]
struct Sample {
    host: String,
    event: &'static str,
    id: String,
    taken: bool,
    answer: String,
}

/// One fact for each event.
const SAMPLES: [FactKind; 7] = [
    FactKind::Changed,
    FactKind::Step,
    FactKind::ApprovalNeeded,
    FactKind::Inconclusive,
    FactKind::Tripped,
    FactKind::Reset,
    FactKind::Expired,
];

pub(crate) fn run(args: &Webhook) -> anyhow::Result<Outcome> {
    let WebhookAction::Test(args) = &args.action;
    let settings = Settings::load(args.config.as_deref(), Vec::new())?;
    let hooks = webhooks::hooks(&settings.typed.webhooks).map_err(|problems| settings.report(problems))?;
    if hooks.is_empty() {
        bail!("the settings name no receiver: write [webhooks] with a url, or set FLAGSTAFF_WEBHOOKS_URL");
    }
    let mut answers = Vec::new();
    for hook in hooks {
        let client = Client::new(hook);
        for (number, kind) in (0..).zip(SAMPLES) {
            answers.extend(sample(&client, number, kind, args)?);
        }
    }
    if answers.is_empty() {
        bail!("no receiver is told of that event");
    }
    if args.json {
        print_json(&answers)?;
    }
    let all = answers.iter().all(|answer| answer.taken);
    Ok(if all { Outcome::Yes } else { Outcome::No })
}

/// Sends a sample, where it is wanted, and says at once what came of it: a receiver may be slow.
fn sample(client: &Client, number: u64, kind: FactKind, args: &WebhookTest) -> anyhow::Result<Option<Sample>> {
    let fact = fact(number, kind)?;
    let message = client.hook().message(&fact, Percent::new(25.0).ok());
    let wanted = |event: WebhookEvent| args.event.is_none_or(|only| only == event);
    let Some(message) = message.filter(|message| wanted(message.event())) else {
        return Ok(None);
    };
    let (taken, answer) = match client.send(&message, Timestamp::now()) {
        ReceiverAnswer::Taken { status } => (true, format!("it answered {status}")),
        ReceiverAnswer::Refused { why } | ReceiverAnswer::Failed { why, .. } => (false, why),
    };
    let (host, event) = (client.hook().host().to_string(), message.event().as_str());
    if !args.json {
        let verdict = if taken { styled(GOOD, "taken    ") } else { styled(BAD, "not taken") };
        out(&format!("{verdict} {host} {event}: {answer}\n"))?;
    }
    Ok(Some(Sample { host, event, id: message.id().to_string(), taken, answer }))
}

/// A made-up fact that says so. Its number is the time, so that no receiver mistakes it for an earlier one.
fn fact(number: u64, kind: FactKind) -> anyhow::Result<Fact> {
    let now = Timestamp::now();
    Ok(Fact {
        flag: Name::new("sample_flag").context("cannot make up a flag")?,
        number: now.as_second().unsigned_abs() * 10 + number,
        at: now,
        definition: Definition::default(),
        kind,
        step: 1,
        by: "flagstaff webhook test".into(),
        why: "this is a sample, nothing happened".into(),
        evidence: Some(json!({ "sample": true }).to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_sample_of_each_event() {
        let events: Vec<_> = SAMPLES.into_iter().filter_map(WebhookEvent::of).collect();
        assert_eq!(events, WebhookEvent::ALL);
    }
}
