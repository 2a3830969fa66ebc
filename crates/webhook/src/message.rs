//! A fact as a receiver gets it.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::event::WebhookEvent;
use crate::fact_view::FactView;
use crate::sentence::sentence;
use crate::template::Template;

/// The longest text, in characters. Slack cuts at 40,000, and nobody reads that many.
const MAX_TEXT: usize = 4_000;

/// How messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// All there is, for programs.
    Json,
    /// `{"text": …}`, as Slack and those compatible with it read it.
    Slack,
}

/// A message as it is sent: a body of JSON, with an id and an event for its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    id: String,
    event: WebhookEvent,
    body: String,
}

impl Message {
    /// The fact it tells, the same however often it is sent: `FLAG-NUMBER-TIME`. Without its time (ms since 1970), facts of two
    /// ledgers could have the same.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it tells of.
    #[must_use]
    pub const fn event(&self) -> WebhookEvent {
        self.event
    }

    /// The JSON.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// A fact in a format, with the text of a template when there is one.
    pub(crate) fn new(view: &FactView<'_>, event: WebhookEvent, format: Format, template: Option<&Template>) -> Self {
        let text = |view: &FactView<'_>| {
            let text =
                template.map_or_else(|| sentence(view), |template| template.fill(|name| view.value(name, event)));
            cut(text)
        };
        let body = match format {
            Format::Slack => json!({ "text": text(&view.escaped()) }),
            Format::Json => view.json(event, &text(view)),
        };
        Self { id: view.id(), event, body: body.to_string() }
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Definition, Fact, FactKind, Name, Percent};
    use jiff::Timestamp;
    use serde_json::Value;

    use super::*;

    fn fact(kind: FactKind) -> Fact {
        Fact {
            flag: Name::new("new_checkout").unwrap(),
            number: 7,
            at: Timestamp::from_millisecond(1_795_176_000_250).unwrap(),
            definition: Definition(1),
            kind,
            step: 1,
            by: "guard".into(),
            why: "errors 4 % <b> & more".into(),
            evidence: Some(r#"{"errors":[4,100]}"#.into()),
        }
    }

    fn body(fact: &Fact, format: Format, template: Option<&str>) -> Value {
        let template = template.map(|text| Template::new(text).unwrap());
        let view = FactView::new(fact, Some(Percent::new(2.5).unwrap()));
        let event = WebhookEvent::of(fact.kind).unwrap();
        serde_json::from_str(Message::new(&view, event, format, template.as_ref()).body()).unwrap()
    }

    #[test]
    fn json_tells_all_there_is() {
        let told = body(&fact(FactKind::Tripped), Format::Json, None);
        assert_eq!(
            told,
            json!({
                "id": "new_checkout-7-1795176000250", "event": "trip", "kind": "tripped", "flag": "new_checkout", "number": 7,
                "at": "2026-11-20T12:00:00.25Z", "by": "guard", "step": 2, "percent": 2.5,
                "why": "errors 4 % <b> & more", "evidence": { "errors": [4, 100] },
                "text": "new_checkout was rolled back at 2.5 %: errors 4 % <b> & more",
            })
        );
        let broken = Fact { evidence: Some("{".into()), why: String::new(), ..fact(FactKind::Expired) };
        let told = body(&broken, Format::Json, None);
        assert_eq!((&told["evidence"], &told["text"]), (&json!("{"), &json!("new_checkout is past its expiry date")));
    }

    #[test]
    fn slack_gets_a_text_that_means_nothing_else() {
        let told = body(&fact(FactKind::Tripped), Format::Slack, None);
        let text = "new_checkout was rolled back at 2.5 %: errors 4 % &lt;b&gt; &amp; more";
        assert_eq!(told, json!({ "text": text }));
        let told = body(&fact(FactKind::Held), Format::Slack, Some("<!here> *{flag}* {why}"));
        assert_eq!(told, json!({ "text": "<!here> *new_checkout* errors 4 % &lt;b&gt; &amp; more" }));
    }

    #[test]
    fn templates_take_from_the_fact() {
        let told = body(&fact(FactKind::Step), Format::Json, Some("{id} {event}/{kind} {step} {percent} {by} {at}"));
        assert_eq!(told["text"], json!("new_checkout-7-1795176000250 step/step 2 2.5 guard 2026-11-20T12:00:00Z"));
    }

    #[test]
    fn steps_count_from_one_up_to_the_last() {
        let step = |kind, step| body(&Fact { step, ..fact(kind) }, Format::Json, None)["step"].clone();
        assert_eq!([step(FactKind::Changed, 0), step(FactKind::Step, 4), step(FactKind::Done, 5)], [1, 5, 5]);
    }

    #[test]
    fn every_kind_has_a_sentence_that_names_the_flag() {
        for kind in FactKind::ALL {
            let fact = fact(kind);
            for percent in [None, Some(Percent::ALL)] {
                let text = sentence(&FactView::new(&fact, percent));
                assert!(text.starts_with("new_checkout ") && text.ends_with("& more"), "{text}");
            }
        }
    }

    #[test]
    fn a_text_without_end_is_cut() {
        let long = Fact { why: "é".repeat(100_000), ..fact(FactKind::Tripped) };
        let told = body(&long, Format::Slack, None);
        assert_eq!(told["text"].as_str().unwrap().chars().count(), MAX_TEXT + 1);
    }
}
