//! A fact as a receiver gets it.

use flagstaff_flags::{Fact, FactKind, Percent};
use serde_json::{Value, json};

use crate::event::Event;
use crate::hook::Format;
use crate::template::{Template, Word};
use crate::text::sentence;

/// Characters of a text; Slack cuts at 40,000, and nobody reads that many.
const LONGEST: usize = 4_000;

/// What is sent: a body of JSON, and what its headers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    id: String,
    event: Event,
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
    pub const fn event(&self) -> Event {
        self.event
    }

    /// The JSON.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// A fact in a format, with the text of a template when there is one.
    pub(crate) fn new(told: &Told<'_>, event: Event, format: Format, template: Option<&Template>) -> Self {
        let text = |told: &Told<'_>| {
            let text =
                template.map_or_else(|| sentence(told), |template| template.fill(|word| told.word(word, event)));
            cut(text)
        };
        let body = match format {
            Format::Slack => json!({ "text": text(&told.escaped()) }),
            Format::Json => told.json(event, &text(told)),
        };
        Self { id: told.id(), event, body: body.to_string() }
    }
}

/// A fact with the share it was told at. Slack reads three signs as its own markup; what comes from elsewhere is escaped for it,
/// while a template may use them.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    fact: &'a Fact,
    percent: Option<Percent>,
    escapes: bool,
}

impl<'a> Told<'a> {
    pub(crate) const fn new(fact: &'a Fact, percent: Option<Percent>) -> Self {
        Self { fact, percent, escapes: false }
    }

    const fn escaped(self) -> Self {
        Self { escapes: true, ..self }
    }

    pub(crate) fn flag(&self) -> &str {
        self.fact.flag.as_str()
    }

    pub(crate) const fn kind(&self) -> FactKind {
        self.fact.kind
    }

    pub(crate) const fn percent(&self) -> Option<Percent> {
        self.percent
    }

    pub(crate) fn by(&self) -> String {
        self.safe(&self.fact.by)
    }

    pub(crate) fn why(&self) -> String {
        self.safe(&self.fact.why)
    }

    /// The step from 1, as people count; the last one once all are behind.
    fn step(&self) -> usize {
        if self.fact.kind == FactKind::Done { self.fact.step } else { self.fact.step.saturating_add(1) }
    }

    fn id(&self) -> String {
        format!("{}-{}-{}", self.fact.flag, self.fact.number, self.fact.at.as_millisecond())
    }

    /// <https://docs.slack.dev/messaging/formatting-message-text/#escaping>
    fn safe(&self, text: &str) -> String {
        if !self.escapes {
            return text.into();
        }
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }

    fn word(&self, word: Word, event: Event) -> String {
        match word {
            Word::Flag => self.flag().into(),
            Word::Event => event.as_str().into(),
            Word::Kind => self.fact.kind.as_str().into(),
            Word::Step => self.step().to_string(),
            Word::Percent => self.percent.map(|percent| percent.to_string()).unwrap_or_default(),
            Word::Why => self.why(),
            Word::By => self.by(),
            Word::At => format!("{:.0}", self.fact.at),
            Word::Id => self.id(),
        }
    }

    fn json(&self, event: Event, text: &str) -> Value {
        let evidence = self.fact.evidence.as_deref().map(|text| {
            // evidence is JSON; should it ever not be, it is better told as a text than not at all
            serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
        });
        json!({
            "id": self.id(),
            "event": event.as_str(),
            "kind": self.fact.kind.as_str(),
            "flag": self.flag(),
            "number": self.fact.number,
            "at": self.fact.at.to_string(),
            "by": self.fact.by,
            "step": self.step(),
            "percent": self.percent.map(number),
            "why": self.fact.why,
            "evidence": evidence,
            "text": text,
        })
    }
}

/// A whole number where it is one.
fn number(percent: Percent) -> Value {
    let thousandths = percent.thousandths();
    if thousandths.is_multiple_of(1000) { (thousandths / 1000).into() } else { percent.as_f64().into() }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Definition, Name};
    use jiff::Timestamp;

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
        let told = Told::new(fact, Some(Percent::new(2.5).unwrap()));
        let event = Event::of(fact.kind).unwrap();
        serde_json::from_str(Message::new(&told, event, format, template.as_ref()).body()).unwrap()
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
                "text": "new_checkout was taken back at 2.5 %: errors 4 % <b> & more",
            })
        );
        let broken = Fact { evidence: Some("{".into()), why: String::new(), ..fact(FactKind::Expired) };
        let told = body(&broken, Format::Json, None);
        assert_eq!((&told["evidence"], &told["text"]), (&json!("{"), &json!("new_checkout is past its time")));
    }

    #[test]
    fn slack_gets_a_text_that_means_nothing_else() {
        let told = body(&fact(FactKind::Tripped), Format::Slack, None);
        let text = "new_checkout was taken back at 2.5 %: errors 4 % &lt;b&gt; &amp; more";
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
                let text = sentence(&Told::new(&fact, percent));
                assert!(text.starts_with("new_checkout ") && text.ends_with("& more"), "{text}");
            }
        }
    }

    #[test]
    fn a_text_without_end_is_cut() {
        let long = Fact { why: "é".repeat(100_000), ..fact(FactKind::Tripped) };
        let told = body(&long, Format::Slack, None);
        assert_eq!(told["text"].as_str().unwrap().chars().count(), LONGEST + 1);
    }
}
