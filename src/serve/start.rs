//! Everything that was checked is started, bound and served, and ended in order.

use std::sync::Arc;

use anyhow::Context;
use flagstaff_admin::PrometheusBuilder;
use flagstaff_embed::Flagstaff;
use flagstaff_flags::VariantId;
use flagstaff_layer::{Flags, Tagger, Traffic, TrafficSettings};
use flagstaff_sidecar::{Backend, Sidecar};
use flagstaff_source::Report;

use super::banner::Banner;
use super::checked::Checked;
use super::health::ProgramHealth;
use super::left_out::LeftOutLog;
use super::operators::{self, admin};
use super::service_manager::ServiceManager;
use super::spans::Spans;
use super::{entry, listen, meters, tokens};
use crate::commands::Outcome;

impl Checked {
    /// Binds, says every address, and runs.
    pub(super) fn serve(mut self) -> anyhow::Result<Outcome> {
        let backend = Backend::new(&self.proxy)?;
        let metrics = PrometheusBuilder::new().install_recorder().context("metrics cannot start")?;
        meters::begin(&self.parts.tagger);
        let (access, entry) = entry::access(self.admin.clone(), self.parts.state.as_ref())?;
        let traffic = TrafficSettings { recent_visitors: self.recent_requests };
        self.parts.traffic = Some(Traffic::start(traffic).context("what watches the traffic cannot start")?);
        let flagstaff = Flagstaff::start(self.parts.clone()).context("what follows the flags cannot start")?;
        let health = ProgramHealth::new(&self.parts, self.locations.replica.clone(), flagstaff.status());
        let admin = admin(&self, &flagstaff, health.clone(), metrics, &access);
        let manager = ServiceManager::from_environment();
        let [reloading, reloaded] = manager.reloading();
        let spans = Spans::start(&self.typed.telemetry)?;
        let sidecar = Sidecar::tagging(self.proxy.clone(), spans.layer(), flagstaff.layer(), backend)
            .background(operators::service(self.admin.address, admin, health, flagstaff.changes(), manager))
            .describe(described)
            .on_hangup(reloading)
            .on_hangup(flagstaff.reloading())
            .on_hangup(tokens::rereading(self.typed.clone(), self.admin.address, access)?)
            .on_hangup(reloaded);
        let bound = sidecar.bind().map_err(|error| listen::explained(error, self.admin.address))?;
        let operators = bound.background_addresses().map(|(_, address)| address).collect();
        Banner::new(&self, bound.urls(), operators, &entry).print();
        warn(&self.parts.tagger, &self.parts.loaded.report);
        warn_of_trust(&self.typed.trust.addresses);
        let left_out = LeftOutLog::start(Arc::clone(&self.parts.tagger))
            .context("the log of requests that are not counted cannot start")?;
        let ended = bound.run()?;
        drop(left_out);
        // what it could not do in time it has said
        let _ = flagstaff.close();
        spans.close();
        tracing::info!(cut = ended.cut, "stopped");
        Ok(Outcome::Yes)
    }
}

/// Says what works, and should be mended.
fn warn(tagger: &Tagger, flags: &Report) {
    if tagger.keys_are_temporary() {
        tracing::warn!(
            "no signing key is set, so sticky assignments, override links and identified users are lost when this process ends; set FLAGSTAFF_KEYS"
        );
    }
    for warning in flags.warnings() {
        tracing::warn!(file = &*warning.file, line = warning.line, "{}", warning.message);
    }
}

/// Says that a setting that is meant for a few proxies is open to everybody.
fn warn_of_trust(addresses: &[String]) {
    if let Some(all) = addresses.iter().find(|range| range.trim().ends_with("/0")) {
        tracing::warn!(
            "trust.addresses has {all}: every client may say which address it has, and who its user is; name the proxies in front alone"
        );
    }
}

/// The visitor of an answer and the flags, for the access log. Without an id that is kept (without consent) no visitor is named.
fn described(extensions: &http::Extensions) -> Option<(Option<String>, String)> {
    let flags = extensions.get::<Flags>()?;
    let on = flags.decisions().iter().filter(|(_, _, decision)| decision.variant() != VariantId::OFF);
    let on = on.map(|(_, flag, decision)| format!("{}={}", flag.name, flag.variants.name(decision.variant())));
    Some((flags.lasting_visitor().map(ToOwned::to_owned), on.collect::<Vec<_>>().join(",")))
}
