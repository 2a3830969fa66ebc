//! A receiver: its address, and the events it is told of.

use std::collections::BTreeSet;
use std::fmt;

use flagstaff_flags::{Fact, Percent, Problem, nearest, typed};
use http::Uri;
use serde::{Deserialize, Serialize};

use crate::event::WebhookEvent;
use crate::fact_view::FactView;
use crate::message::{Format, Message};
use crate::signature::fingerprint;
use crate::template::Template;

/// The host whose addresses take Slack's messages.
const SLACK: &str = "hooks.slack.com";

/// A hook as it is typed: a table `[webhooks]` of the settings. [`Hook::new`] checks it.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HookSettings {
    /// Where messages go: `http://` or `https://`.
    pub url: String,
    /// Words of [`WebhookEvent`]s; none: all.
    #[serde(deserialize_with = "typed::list")]
    pub events: Vec<String>,
    /// What messages are signed with.
    pub secret: Option<String>,
    /// How they are written; none: as Slack does it where the host is Slack's, else JSON.
    pub format: Option<Format>,
    /// Their text, with placeholders such as `{flag}`; none: a sentence that fits the event.
    pub template: Option<String>,
}

/// Without its address and its secret.
impl fmt::Debug for HookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookSettings").field("events", &self.events).finish_non_exhaustive()
    }
}

/// A receiver of messages, whole and valid.
#[derive(Clone)]
pub struct Hook {
    id: String,
    uri: Uri,
    events: BTreeSet<WebhookEvent>,
    secret: Option<String>,
    format: Format,
    template: Option<Template>,
}

impl Hook {
    /// Checks a hook as it was typed.
    ///
    /// # Errors
    /// With every problem, at `url`, `events`, `secret` or `template`.
    pub fn new(options: &HookSettings) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let uri = address(&options.url).map_err(|problem| problems.push(problem)).ok();
        let events = events(&options.events, &mut problems);
        if options.secret.as_ref().is_some_and(|secret| secret.trim().is_empty()) {
            problems
                .push(Problem::new(["secret"], "an empty secret signs nothing").help("write one, or leave it out"));
        }
        let template = options.template.as_ref().map(|text| Template::new(text)).transpose();
        let template = template
            .map_err(|error| problems.push(Problem::new(["template"], error.to_string()).help(error.help())))
            .ok();
        let (Some(uri), Some(template), []) = (uri, template, problems.as_slice()) else {
            return Err(problems);
        };
        let usual = if uri.host() == Some(SLACK) { Format::Slack } else { Format::Json };
        let id = id(&options.url, &events);
        Ok(Self {
            id,
            uri,
            events,
            secret: options.secret.clone(),
            format: options.format.unwrap_or(usual),
            template,
        })
    }

    /// A fingerprint of address and events. The address itself may be a secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Host and port, which is what may be shown of an address.
    #[must_use]
    pub fn host(&self) -> &str {
        let authority = self.uri.authority().map_or("", http::uri::Authority::as_str);
        authority.rsplit('@').next().unwrap_or_default()
    }

    /// The events it is told of.
    pub fn events(&self) -> impl Iterator<Item = WebhookEvent> + '_ {
        self.events.iter().copied()
    }

    /// The message for a fact that happened at this percentage of visitors; none when the hook is not told of such facts.
    #[must_use]
    pub fn message(&self, fact: &Fact, percent: Option<Percent>) -> Option<Message> {
        let event = WebhookEvent::of(fact.kind).filter(|event| self.events.contains(event))?;
        Some(Message::new(&FactView::new(fact, percent), event, self.format, self.template.as_ref()))
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    pub(crate) const fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn secret(&self) -> Option<&str> {
        self.secret.as_deref()
    }
}

/// Without its address and its secret.
impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").field("host", &self.host()).field("events", &self.events).finish_non_exhaustive()
    }
}

/// The first two hooks that would send the same event to the same address: their indexes, and the event.
#[must_use]
pub fn twice(hooks: &[Hook]) -> Option<(usize, usize, WebhookEvent)> {
    hooks.iter().enumerate().find_map(|(i, hook)| {
        let same = |(j, other): (usize, &Hook)| {
            let both = hook.events.intersection(&other.events).next().filter(|_| hook.uri == other.uri)?;
            Some((j, i, *both))
        };
        hooks.iter().enumerate().take(i).find_map(same)
    })
}

fn address(text: &str) -> Result<Uri, Problem> {
    let problem = |message: String| {
        Problem::new(["url"], message).help("write one such as \"https://hooks.slack.com/services/…\"")
    };
    if text.trim().is_empty() {
        return Err(problem("the address is missing".into()));
    }
    let uri: Uri = text.parse().map_err(|error| problem(format!("this is not an address: {error}")))?;
    let host = uri.host().unwrap_or_default();
    match uri.scheme_str() {
        Some("http" | "https") if !host.is_empty() => Ok(uri),
        Some("http" | "https") | None => Err(problem("this address has no host, or no https:// before it".into())),
        Some(other) => Err(problem(format!("messages go over http:// or https://, not {other}://"))),
    }
}

fn events(words: &[String], problems: &mut Vec<Problem>) -> BTreeSet<WebhookEvent> {
    let known = || WebhookEvent::ALL.iter().map(|event| event.as_str());
    let mut events = BTreeSet::new();
    for (i, word) in words.iter().enumerate() {
        match WebhookEvent::named(word) {
            Some(event) => {
                events.insert(event);
            }
            None => {
                let problem = Problem::new(["events", &i.to_string()], format!("`{word}` is not an event"));
                let help = match nearest(word, known()) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
                };
                problems.push(problem.help(help));
            }
        }
    }
    if words.is_empty() { WebhookEvent::ALL.into_iter().collect() } else { events }
}

fn id(url: &str, events: &BTreeSet<WebhookEvent>) -> String {
    let words: Vec<_> = events.iter().map(|event| event.as_str()).collect();
    fingerprint(&format!("{url}\n{}", words.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(url: &str) -> HookSettings {
        HookSettings { url: url.into(), ..HookSettings::default() }
    }

    fn hook(url: &str, events: &[&str]) -> Hook {
        Hook::new(&HookSettings { events: events.iter().map(|&e| e.into()).collect(), ..options(url) }).unwrap()
    }

    #[test]
    fn slack_is_known_by_its_host() {
        assert_eq!(hook("https://hooks.slack.com/services/T0/B0/x", &[]).format, Format::Slack);
        assert_eq!(hook("https://hooks.slack.com.example/T0", &[]).format, Format::Json);
        let told = HookSettings { format: Some(Format::Slack), ..options("http://mattermost.example/hooks/x") };
        assert_eq!(Hook::new(&told).unwrap().format, Format::Slack);
    }

    #[test]
    fn all_mistakes_are_told_at_their_places() {
        let wrong = HookSettings {
            url: "ftp://example.org".into(),
            events: vec!["trip".into(), "tripp".into(), "zebra".into()],
            secret: Some(" ".into()),
            template: Some("{reason}".into()),
            format: None,
        };
        let problems = Hook::new(&wrong).unwrap_err();
        let at: Vec<_> = problems.iter().map(|p| p.at.join(".")).collect();
        assert_eq!(at, ["url", "events.1", "events.2", "secret", "template"]);
        assert!(problems[1].help.as_ref().unwrap().contains("\"trip\""), "{problems:?}");
        assert!(problems[2].help.as_ref().unwrap().contains("inconclusive"), "{problems:?}");
        assert!(problems[4].help.as_ref().unwrap().contains("{why}"), "{problems:?}");
        for url in ["", "example.org/hook", "/hook", "https://", "http://a b/", "https:///x", "hooks"] {
            assert!(Hook::new(&options(url)).is_err(), "{url}");
        }
    }

    #[test]
    fn an_id_is_that_of_address_and_events() {
        let id = |url, events: &[&str]| hook(url, events).id().to_owned();
        assert_eq!(id("http://a/", &["trip", "step"]), id("http://a/", &["step", "trip", "step"]));
        assert_ne!(id("http://a/", &["trip"]), id("http://a/", &["step"]));
        assert_ne!(id("http://a/x", &["trip"]), id("http://a/y", &["trip"]));
        let all: Vec<_> = WebhookEvent::ALL.iter().map(|event| event.as_str()).collect();
        assert_eq!(id("http://a/", &[]), id("http://a/", &all));
    }

    #[test]
    fn what_may_be_secret_is_not_shown() {
        let options =
            HookSettings { secret: Some("s3cret".into()), ..options("https://me:s3cret@example.org:8443/s3cret") };
        let hook = Hook::new(&options).unwrap();
        assert_eq!(hook.host(), "example.org:8443");
        assert!(!format!("{hook:?}").contains("s3cret"));
    }

    #[test]
    fn one_address_is_not_told_twice() {
        let both = [hook("http://a/", &["trip"]), hook("http://b/", &[]), hook("http://a/", &["step", "trip"])];
        assert_eq!(twice(&both), Some((0, 2, WebhookEvent::Trip)));
        assert_eq!(twice(&[hook("http://a/", &["trip"]), hook("http://a/", &["step"])]), None);
    }
}
