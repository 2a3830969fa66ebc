//! What `flagstaff run` says when it serves: where everything is.

use std::io::IsTerminal as _;
use std::net::SocketAddr;

use flagstaff_embed::{Hook, Parts};
use flagstaff_flags::{printable, printable_json};

use super::checked::Checked;
use super::entry::Entry;
use crate::logging;
use crate::terminal::{FAINT, GOOD, STRONG, out, styled};

/// Where everything is.
pub(super) struct Banner<'a> {
    /// The addresses for visitors.
    visitors: Vec<String>,
    /// The addresses for operators.
    operators: Vec<SocketAddr>,
    /// How operators get in.
    entry: &'a Entry,
    /// The app's addresses; none where the demo shop answers.
    upstream: &'a [String],
    /// The environment whose overlay counts.
    environment: Option<&'a str>,
    /// The flag file.
    source: String,
    /// Its revision.
    revision: &'a str,
    /// The ledger; none where nothing is kept.
    ledger: Option<String>,
    /// The hosts of webhooks' receivers, as the rest of an address may be a secret; empty without any.
    hooks: String,
}

impl<'a> Banner<'a> {
    pub(super) fn new(
        checked: &'a Checked,
        visitors: Vec<String>,
        operators: Vec<SocketAddr>,
        entry: &'a Entry,
    ) -> Self {
        let Parts { source, loaded, ledger, hooks, .. } = &checked.parts;
        Self {
            visitors,
            operators,
            entry,
            upstream: &checked.upstream,
            environment: checked.environment.as_deref(),
            source: source.name(),
            revision: loaded.snapshot.revision(),
            ledger: ledger.as_ref().map(|ledger| ledger.location.to_string()),
            hooks: hooks.iter().map(Hook::host).collect::<Vec<_>>().join(", "),
        }
    }

    /// Prints it. Where that cannot be written, the program serves all the same.
    pub(super) fn print(&self) {
        let text = if logging::is_json() { self.json() } else { self.text() };
        if let Err(error) = out(&text) {
            tracing::warn!("{error:#}");
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut line =
            |name: &str, value: &str| text += &format!("{} {value}\n", styled(STRONG, &format!("{name:<9}")));
        for url in &self.visitors {
            line("visitors", &styled(GOOD, url));
        }
        for address in &self.operators {
            line("operators", &self.entrance(*address, &|url| styled(GOOD, url)));
            line("probes", &format!("http://{address}/healthz /readyz /metrics"));
        }
        let upstream = self.upstream.join(", ");
        line(
            "upstream",
            &printable(if upstream.is_empty() { "none: the built-in demo shop answers" } else { &upstream }),
        );
        if let Some(environment) = self.environment {
            line("overlay", &printable(&format!("environment {environment}")));
        }
        let revision = styled(FAINT, &format!("revision {}", short(self.revision)));
        line("flags", &format!("{} {revision}", printable(&self.source)));
        line("ledger", &printable(self.ledger.as_deref().unwrap_or("none: nothing is kept")));
        if !self.hooks.is_empty() {
            line("webhooks", &printable(&self.hooks));
        }
        text
    }

    /// The address with the token, or where the token is.
    fn entrance(&self, address: SocketAddr, shown: &dyn Fn(&str) -> String) -> String {
        let url = shown(&self.link(address).unwrap_or_else(|| format!("http://{address}")));
        match self.entry {
            Entry::Set => format!("{url} with the token that was set"),
            Entry::Made { file: Some(file), .. } if self.link(address).is_none() => {
                format!("{url} with the token in {}", printable(file))
            }
            Entry::Made { .. } => url,
        }
    }

    /// The address with the token in it, which opens the pages. It is told when the token is made, and on a terminal. Elsewhere what is
    /// printed is often kept where more people read it than may change flags.
    fn link(&self, address: SocketAddr) -> Option<String> {
        match self.entry {
            Entry::Made { token, is_new, .. } if *is_new || std::io::stdout().is_terminal() => {
                Some(format!("http://{address}/?token={token}"))
            }
            Entry::Made { .. } | Entry::Set => None,
        }
    }

    /// An object of the same form as the lines of the log.
    fn json(&self) -> String {
        let json = serde_json::json!({
            "timestamp": jiff::Timestamp::now().to_string(),
            "level": "INFO",
            "message": "serving",
            "visitors": self.visitors,
            "operators": self.operators,
            "link": self.operators.first().and_then(|address| self.link(*address)),
            "upstream": self.upstream,
            "environment": self.environment,
            "flags": self.source,
            "revision": short(self.revision),
            "ledger": self.ledger,
            "webhooks": self.hooks,
        });
        printable_json(&format!("{json}\n")).into_owned()
    }
}

/// Enough of a revision to tell it from others.
fn short(revision: &str) -> &str {
    revision.get(..12).unwrap_or(revision)
}
