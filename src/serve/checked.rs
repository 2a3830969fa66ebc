//! Settings and flags are read, and everything that is wrong with them is said before anything is bound.

use std::sync::Arc;

use flagstaff_admin::{AccessSettings, ClientSettings};
use flagstaff_embed::Parts;
use flagstaff_flags::{Problem, RevisionSource};
use flagstaff_layer::{Answers, Tagger};
use flagstaff_operations::workspace::Workspace;
use flagstaff_source::{FlagSource, Loaded, ParseOptions};
use flagstaff_tag::TaggerSettings;

use crate::settings::checked::LedgerLocations;
use crate::settings::{self, Settings, checked, protocols, shown, typed};
use crate::terminal::counted;
use crate::workspace::{no_flag_file, reading};

/// Everything that runs, checked; nothing is bound yet.
pub(super) struct Checked {
    pub(super) proxy: flagstaff_sidecar::ProxySettings,
    pub(super) tagger_settings: TaggerSettings,
    /// The operators' address, and who may use it as far as that was set.
    pub(super) admin: AccessSettings,
    pub(super) upstream: Vec<String>,
    pub(super) environment: Option<String>,
    /// Visitors whose last request is kept in memory; 0: none is.
    pub(super) recent_requests: usize,
    pub(super) clients: ClientSettings,
    /// As typed, for what is read again.
    pub(super) typed: typed::SettingsFile,
    pub(super) locations: LedgerLocations,
    pub(super) parts: Parts,
}

impl Checked {
    /// Reads and checks all there is.
    ///
    /// # Errors
    /// With everything that is wrong with settings, or else with flags.
    pub(super) fn new(settings: &Settings, upgrade: bool, dry_run: bool) -> anyhow::Result<Self> {
        let mut problems = Vec::new();
        let mut note = |more: Vec<Problem>| problems.extend(more);
        let proxy = checked::proxy(&settings.typed, upgrade).map_err(&mut note).ok();
        if let Some(Err(wrong)) = proxy.as_ref().map(flagstaff_sidecar::ProxySettings::check_files) {
            note(wrong);
        }
        let tagger_settings = checked::tagger_settings(settings)?;
        let tagger = Tagger::new(&tagger_settings).map_err(&mut note).ok();
        let admin = settings::admin::address(&settings.typed);
        let admin =
            admin.and_then(|address| settings::admin::access(&settings.typed, address)).map_err(&mut note).ok();
        let ledger = checked::ledger(&settings.typed).map_err(&mut note).ok();
        let locations = ledger.as_ref().and_then(|_| checked::ledger_locations(settings).map_err(&mut note).ok());
        let source = checked::source(&settings.typed).map_err(&mut note).ok();
        let hooks = settings::webhooks::hooks(&settings.typed.webhooks).map_err(&mut note).ok();
        settings::telemetry::check(&settings.typed.telemetry).unwrap_or_else(&mut note);
        let (Some(proxy), Some(tagger), Some(admin), Some(ledger), Some(locations), Some(source), Some(hooks), []) =
            (proxy, tagger, admin, ledger, locations, source, hooks, problems.as_slice())
        else {
            return Err(settings.report(problems));
        };
        let reading = reading(&settings.typed);
        let (loaded, is_last_good) = match read(settings, &source, &reading) {
            Ok(loaded) => (loaded, false),
            Err(error) if dry_run => return Err(error),
            Err(error) => (last_good(&source, &reading).ok_or(error)?, true),
        };
        let (upstream, environment) = (settings.typed.upstream.clone(), settings.typed.environment.clone());
        let (tagger, state, answers) = (Arc::new(tagger), checked::state(&settings.typed), Some(Answers::default()));
        let change_streams = settings.typed.ofrep.streams;
        let parts = Parts {
            tagger,
            source,
            reading,
            loaded,
            is_last_good,
            state,
            ledger,
            hooks,
            answers,
            traffic: None,
            change_streams,
        };
        let recent_requests = settings.typed.recent_requests;
        let clients = protocols::clients(&settings.typed)?;
        let typed = settings.typed.clone();
        Ok(Self {
            proxy,
            tagger_settings,
            admin,
            upstream,
            environment,
            recent_requests,
            clients,
            typed,
            locations,
            parts,
        })
    }

    /// The files and the ledger, for what operators ask and do.
    pub(super) fn workspace(&self) -> Workspace {
        Workspace {
            source: self.parts.source.clone(),
            reading: self.parts.reading.clone(),
            ledger: Ok(self.locations.ledger.clone()),
            replica: self.locations.replica.clone(),
            edits_by: RevisionSource::Api,
        }
    }

    pub(super) fn summary(&self) -> String {
        let upstream = if self.proxy.has_upstream() { "the proxy" } else { "the demo shop" };
        let flags = self.parts.loaded.snapshot.flags().len();
        format!("{upstream} with {} of {}", counted(flags, "flag"), self.parts.source.name())
    }
}

/// The flags as they are now.
fn read(settings: &Settings, source: &FlagSource, reading: &ParseOptions) -> anyhow::Result<Loaded> {
    match source.file() {
        Some(path) if !path.exists() => Err(no_flag_file(settings, path)),
        _ => source.load(reading).map_err(|report| shown(&report)),
    }
}

/// What was served before, where the files cannot be used now. The watch says at once what is wrong with them.
fn last_good(source: &FlagSource, reading: &ParseOptions) -> Option<Loaded> {
    let (loaded, at) = source.last_good(reading)?;
    let at = jiff::Timestamp::try_from(at).map(|at| format!("{at:.0}")).unwrap_or_default();
    tracing::error!(
        "{} cannot be used, so the last good flags are served, of {at}; fix it: it is followed again as soon as it is good",
        source.name()
    );
    Some(loaded)
}
