//! A fact as messages show it.

use flagstaff_flags::{Fact, FactKind, Percent};
use serde_json::{Value, json};

use crate::event::WebhookEvent;
use crate::template::Placeholder;

/// A fact, with the percentage of visitors who had the flag when it happened. Slack reads `&`, `<` and `>` as markup: what comes from
/// elsewhere is escaped for it, while a template may use them.
#[derive(Clone, Copy)]
pub(crate) struct FactView<'a> {
    fact: &'a Fact,
    percent: Option<Percent>,
    escapes: bool,
}

impl<'a> FactView<'a> {
    pub(crate) const fn new(fact: &'a Fact, percent: Option<Percent>) -> Self {
        Self { fact, percent, escapes: false }
    }

    pub(crate) const fn escaped(self) -> Self {
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

    pub(crate) fn id(&self) -> String {
        format!("{}-{}-{}", self.fact.flag, self.fact.number, self.fact.at.as_millisecond())
    }

    /// <https://docs.slack.dev/messaging/formatting-message-text/#escaping>
    fn safe(&self, text: &str) -> String {
        if !self.escapes {
            return text.into();
        }
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }

    /// What stands in the place of a placeholder.
    pub(crate) fn value(&self, placeholder: Placeholder, event: WebhookEvent) -> String {
        match placeholder {
            Placeholder::Flag => self.flag().into(),
            Placeholder::Event => event.as_str().into(),
            Placeholder::Kind => self.fact.kind.as_str().into(),
            Placeholder::Step => self.step().to_string(),
            Placeholder::Percent => self.percent.map(|percent| percent.to_string()).unwrap_or_default(),
            Placeholder::Why => self.why(),
            Placeholder::By => self.by(),
            Placeholder::At => format!("{:.0}", self.fact.at),
            Placeholder::Id => self.id(),
        }
    }

    /// All of it, for programs.
    pub(crate) fn json(&self, event: WebhookEvent, text: &str) -> Value {
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
