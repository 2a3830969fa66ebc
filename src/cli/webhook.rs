//! Options of `flagstaff webhook`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use flagstaff_webhook::WebhookEvent;

#[derive(Debug, Args)]
pub(crate) struct Webhook {
    #[command(subcommand)]
    pub(crate) action: WebhookAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WebhookAction {
    /// Send a sample of each event to the receivers of the settings: exit code 0: all accepted them, 1: one did not
    Test(WebhookTest),
}

#[derive(Debug, Args)]
pub(crate) struct WebhookTest {
    /// The settings file [default: config/flagstaff.toml or flagstaff.toml, where there is one]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// Only this event: changed, step, approval, inconclusive, trip, reset or expired
    #[arg(long, value_name = "EVENT", value_parser = event)]
    pub(crate) event: Option<WebhookEvent>,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn event(word: &str) -> Result<WebhookEvent, String> {
    let known = || WebhookEvent::ALL.map(WebhookEvent::as_str).join(", ");
    WebhookEvent::named(word).ok_or_else(|| format!("there are {}", known()))
}
