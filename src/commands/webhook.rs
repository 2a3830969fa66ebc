//! `flagstaff webhook test`: whether receivers take what they will be told.

use anyhow::{Context, bail};
use flagstaff_flags::{Definition, Fact, FactKind, Name, Percent};
use flagstaff_webhook::{Answer as Said, Client, Event};
use jiff::Timestamp;
use serde_json::json;

use crate::cli::{Webhook, WebhookAction, WebhookTest};
use crate::commands::Answer;
use crate::settings::{Settings, webhooks};
use crate::terminal::{BAD, GOOD, json as print_json, out, styled};

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

pub(crate) fn run(args: &Webhook) -> anyhow::Result<Answer> {
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
    let all = answers.iter().all(|answer| answer["taken"] == json!(true));
    Ok(if all { Answer::Yes } else { Answer::No })
}

/// Sends one, where it is wanted, and says what came of it at once: a receiver may take its time.
fn sample(
    client: &Client,
    number: u64,
    kind: FactKind,
    args: &WebhookTest,
) -> anyhow::Result<Option<serde_json::Value>> {
    let fact = fact(number, kind)?;
    let message = client.hook().message(&fact, Percent::new(25.0).ok());
    let wanted = |event: Event| args.event.is_none_or(|only| only == event);
    let Some(message) = message.filter(|message| wanted(message.event())) else {
        return Ok(None);
    };
    let (taken, answer) = match client.send(&message, Timestamp::now()) {
        Said::Taken { status } => (true, format!("it answered {status}")),
        Said::Refused { why } | Said::Failed { why, .. } => (false, why),
    };
    let (host, event) = (client.hook().host(), message.event().as_str());
    if !args.json {
        let verdict = if taken { styled(GOOD, "taken    ") } else { styled(BAD, "not taken") };
        out(&format!("{verdict} {host} {event}: {answer}\n"))?;
    }
    Ok(Some(json!({ "host": host, "event": event, "id": message.id(), "taken": taken, "answer": answer })))
}

/// A fact that says it is none. Its number is the time, so that no receiver takes it for one it has.
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
        let events: Vec<_> = SAMPLES.into_iter().filter_map(Event::of).collect();
        assert_eq!(events, Event::ALL);
    }
}
