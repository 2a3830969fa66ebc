//! What `flagstaff run` says when it serves: where everything is.

use std::net::SocketAddr;

use flagstaff_flags::{printable, printable_json};

use super::health::short;
use crate::logging;
use crate::terminal::{FAINT, GOOD, STRONG, out, styled};

/// Where everything is.
pub(crate) struct Banner<'a> {
    /// The addresses for visitors.
    pub(crate) visitors: Vec<String>,
    /// The addresses for operators.
    pub(crate) operators: Vec<SocketAddr>,
    /// The app's addresses; none where the demo shop answers.
    pub(crate) upstream: &'a [String],
    /// The environment whose overlay counts.
    pub(crate) environment: Option<&'a str>,
    /// The flag file.
    pub(crate) source: &'a str,
    /// Its revision.
    pub(crate) revision: &'a str,
    /// The ledger; none where nothing is kept.
    pub(crate) ledger: Option<&'a str>,
    /// The hosts of webhooks' receivers; empty without any.
    pub(crate) hooks: &'a str,
}

impl Banner<'_> {
    /// Prints it. Where that cannot be written, the program serves all the same.
    pub(crate) fn print(&self) {
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
            line("operators", &format!("http://{address}/healthz /readyz /metrics"));
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
        line("flags", &format!("{} {revision}", printable(self.source)));
        line("ledger", &printable(self.ledger.unwrap_or("none: nothing is kept")));
        if !self.hooks.is_empty() {
            line("webhooks", &printable(self.hooks));
        }
        text
    }

    /// An object of the same form as the lines of the log.
    fn json(&self) -> String {
        let json = serde_json::json!({
            "timestamp": jiff::Timestamp::now().to_string(),
            "level": "INFO",
            "message": "serving",
            "visitors": self.visitors,
            "operators": self.operators,
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
