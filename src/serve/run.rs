//! `flagstaff run`: everything is read and checked, then everything is bound, then it runs until it has drained.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use flagstaff_admin::{AccessSettings, Admin, Context as AdminContext, PrometheusBuilder};
use flagstaff_flags::{Problem, Publisher, VariantId, publisher};
use flagstaff_layer::{Answers, FlagLayer, Flags, Tagger};
use flagstaff_ledger::{Keeper, Recorder};
use flagstaff_operations::workspace::Workspace;
use flagstaff_rollout::{RunningController, Start};
use flagstaff_sidecar::{App, Background, Sidecar, Stop};
use flagstaff_source::{Files, Loaded, POLL, Reloader, StateFolder};
use flagstaff_webhook::Hook;

use super::banner::Banner;
use super::health::{Health, Log};
use super::left_out::LeftOutLog;
use super::{file_rights, listen, meters};
use crate::cli::Run;
use crate::commands::Answer;
use crate::settings::{Override, Settings, checked, shown};
use crate::terminal::{GOOD, STRONG, out, styled};
use crate::workspace::{files, flag_options, no_flag_file, reading};
use crate::{logging, settings};

/// How long what waits for the ledger may take at the end.
const LEDGER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long webhooks may take at the end.
const WEBHOOKS_TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) fn run(args: &Run) -> anyhow::Result<Answer> {
    let config = args.flags.config.as_deref();
    let settings =
        Settings::load(config, options(args)).inspect_err(|_| logging::expect_json(settings::say_json(config)))?;
    logging::start(&settings.typed.log).context("the log cannot start")?;
    flagstaff_sidecar::pass_over_signals().context("signals cannot be caught")?;
    warn_of_misspelt();
    file_rights::warn(&settings.typed);
    if !args.dry_run {
        example(&settings)?;
    }
    let checked = Checked::new(&settings, args.upgrade, args.dry_run)?;
    if args.dry_run {
        out(&format!("{}: {} would run\n", styled(GOOD, "fine"), checked.summary()))?;
        return Ok(Answer::Yes);
    }
    checked.serve()
}

/// A variable that nobody reads, or that was not filled in, would otherwise be silent.
fn warn_of_misspelt() {
    for name in settings::empty() {
        tracing::warn!("{name} is empty, so it counts as not set");
    }
    for (name, near) in settings::misspelt() {
        match near {
            Some(near) => {
                tracing::warn!("{name} means nothing here; did you mean {near}?");
            }
            None => {
                tracing::warn!("{name} means nothing here; variables are named after keys of the settings");
            }
        }
    }
}

/// Writes the example flags for a newcomer who has nothing yet: no settings, no app, no flags. Never over a file that is there.
fn example(settings: &Settings) -> anyhow::Result<()> {
    const EXAMPLE: &str = include_str!("../../config/flags.toml");
    let path = Path::new(&settings.typed.flags);
    if settings.names_flags() || !settings.typed.upstream.is_empty() || path.exists() {
        return Ok(());
    }
    // Its first line leads editors to the schema, which is not beside it here.
    let text = EXAMPLE.split_once('\n').map_or(EXAMPLE, |(_, text)| text);
    std::fs::write(path, text).with_context(|| format!("cannot write an example to {}", path.display()))?;
    out(&format!("{} {}, an example to edit\n", styled(STRONG, "wrote    "), path.display()))
}

/// What the options say, as settings.
fn options(args: &Run) -> Vec<Override> {
    let mut options = flag_options(&args.flags);
    let mut say = |key: &str, text: Option<String>| {
        options.extend(text.map(|text| Override { key: key.into(), place: format!("--{key}"), text }));
    };
    say("listen", (!args.listen.is_empty()).then(|| args.listen.join(",")));
    say("upstream", (!args.upstream.is_empty()).then(|| args.upstream.join(",")));
    say("admin", args.admin.clone());
    say("ledger", args.ledger.clone());
    say("workers", args.workers.map(|n| n.to_string()));
    options
}

/// Everything that runs, checked; nothing is bound yet.
struct Checked {
    proxy: flagstaff_sidecar::Settings,
    tagger: Arc<Tagger>,
    admin: SocketAddr,
    ledger: Option<flagstaff_ledger::LedgerSettings>,
    hooks: Vec<Hook>,
    upstream: Vec<String>,
    environment: Option<String>,
    state: Option<StateFolder>,
    files: Files,
    reading: flagstaff_source::ParseOptions,
    loaded: Loaded,
    is_last_good: bool,
}

impl Checked {
    /// Reads and checks all there is.
    ///
    /// # Errors
    /// With everything that is wrong with settings, or else with flags.
    fn new(settings: &Settings, upgrade: bool, dry_run: bool) -> anyhow::Result<Self> {
        let mut problems = Vec::new();
        let mut note = |more: Vec<Problem>| problems.extend(more);
        let proxy = checked::proxy(&settings.typed, upgrade).map_err(&mut note).ok();
        if let Some(Err(wrong)) = proxy.as_ref().map(flagstaff_sidecar::Settings::check_files) {
            note(wrong);
        }
        let tagger = Tagger::new(&checked::tagger_settings(settings)?).map_err(&mut note).ok();
        let admin = settings.typed.admin.parse().map_err(|_| note(vec![no_address(&settings.typed.admin)])).ok();
        let ledger = checked::ledger(&settings.typed).map_err(&mut note).ok();
        let hooks = settings::webhooks::hooks(&settings.typed.webhooks).map_err(&mut note).ok();
        let (Some(proxy), Some(tagger), Some(admin), Some(ledger), Some(hooks), []) =
            (proxy, tagger, admin, ledger, hooks, problems.as_slice())
        else {
            return Err(settings.report(problems));
        };
        let (files, reading) = (files(&settings.typed)?, reading(&settings.typed));
        let state = checked::state(&settings.typed);
        let path = files.definitions();
        let read = if path.exists() {
            flagstaff_source::load(path, &reading).map_err(|report| shown(&report))
        } else {
            Err(no_flag_file(settings, path))
        };
        let (loaded, is_last_good) = match read {
            Ok(loaded) => (loaded, false),
            Err(error) if dry_run => return Err(error),
            Err(error) => (last_good(&files, &reading).ok_or(error)?, true),
        };
        let (upstream, environment) = (settings.typed.upstream.clone(), settings.typed.environment.clone());
        let tagger = Arc::new(tagger);
        Ok(Self {
            proxy,
            tagger,
            admin,
            ledger,
            hooks,
            upstream,
            environment,
            state,
            files,
            reading,
            loaded,
            is_last_good,
        })
    }

    /// The files and the ledger, for what operators ask and do.
    fn workspace(&self) -> Workspace {
        Workspace {
            files: self.files.clone(),
            reading: self.reading.clone(),
            ledger: Ok(self.ledger.as_ref().map(|ledger| ledger.location.clone())),
        }
    }

    fn summary(&self) -> String {
        let upstream = if self.proxy.has_upstream() { "the proxy" } else { "the demo shop" };
        format!(
            "{upstream} with {} flags of {}",
            self.loaded.snapshot.flags().len(),
            self.files.definitions().display()
        )
    }
}

/// What was served before, where the files cannot be used now. The watch says at once what is wrong with them.
fn last_good(files: &Files, reading: &flagstaff_source::ParseOptions) -> Option<Loaded> {
    let (loaded, at) = files.last_good(reading)?;
    let at = jiff::Timestamp::try_from(at).map(|at| format!("{at:.0}")).unwrap_or_default();
    tracing::error!(
        "{} cannot be used, so the last good flags are served, of {at}; mend the file: it is followed again as soon as it is good",
        files.definitions().display()
    );
    Some(loaded)
}

/// Names the flags that depend on a ledger which does not answer yet.
fn warn_of_unread(publisher: &Publisher) {
    if !publisher.recorded().unknown {
        return;
    }
    let current = publisher.current();
    let waiting = current.off_for_want_of_facts();
    for flag in current.flags().iter().filter(|flag| flag.enabled && flag.needs_facts()) {
        let flag_name = flag.name.as_str();
        if waiting.contains(&&flag.name) {
            tracing::warn!(
                flag = flag_name,
                "the ledger does not answer yet, so the flag {flag_name} is off: it may have been rolled back"
            );
        } else {
            tracing::warn!(
                flag = flag_name,
                "the ledger does not answer yet, so the flag {flag_name} is as it was last known; its guard begins when the ledger answers"
            );
        }
    }
}

fn no_address(text: &str) -> Problem {
    Problem::new(["admin"], format!("`{text}` is not an address")).help("write one such as \"127.0.0.1:8081\"")
}

impl Checked {
    /// Binds, says every address, and runs.
    fn serve(self) -> anyhow::Result<Answer> {
        let app = App::new(&self.proxy)?;
        let metrics = PrometheusBuilder::new().install_recorder().context("metrics cannot start")?;
        meters::begin();
        let revision = self.loaded.snapshot.revision().to_owned();
        let (publisher, reader) = publisher(self.loaded.snapshot.clone());
        let answers = Answers::default();
        let mut layer = FlagLayer::new(reader.clone(), Arc::clone(&self.tagger)).measuring(answers.clone());
        let source = self.files.definitions().display().to_string();
        let workspace = self.workspace();
        let publisher = Arc::new(publisher);
        let ledger_place = self.ledger.as_ref().map(|ledger| ledger.location.clone());
        let hosts = hosts(&self.hooks);
        let start =
            Start { ledger: ledger_place, hooks: self.hooks, state: self.state, is_last_good: self.is_last_good };
        let controller = RunningController::start(Arc::clone(&publisher), start)
            .context("the controller of rollouts cannot start")?;
        warn_of_unread(&publisher);
        layer = layer.watched_by(controller.monitor());
        let watch = Reloader::start(self.files, self.reading, POLL, publisher, Log::telling(controller.snapshots()))?;
        let watch = Arc::new(watch);
        let mut health = Health::new(&source, watch.status(), controller.monitor(), reader.clone());
        let place = self.ledger.as_ref().map(|ledger| ledger.location.to_string());
        let keeper = match self.ledger.and_then(recorder) {
            Some((recorder, keeper)) => {
                layer = layer.recording(recorder.clone());
                health = health.with_ledger(place.as_deref().unwrap_or_default(), recorder);
                Some(keeper)
            }
            None => None,
        };
        let context = AdminContext::new(workspace, reader, reloading(&watch));
        let now = health.clone();
        let admin = Admin::new(move || now.now(), metrics, move || answers.to_string());
        let admin = admin.steering(&context, AccessSettings { token: settings::variable(settings::ADMIN_TOKEN) });
        let operators = operators(self.admin, admin, health);
        let sidecar =
            Sidecar::new(self.proxy, &layer.with_endpoints(), app).background(operators).describe(described);
        let sidecar = sidecar.on_hangup(reloading(&watch));
        let bound = sidecar.bind().map_err(|error| listen::explained(error, self.admin))?;
        let banner = Banner {
            visitors: bound.urls(),
            operators: bound.background_addresses().map(|(_, address)| address).collect(),
            upstream: &self.upstream,
            environment: self.environment.as_deref(),
            source: &source,
            revision: &revision,
            ledger: place.as_deref(),
            hooks: &hosts,
        };
        banner.print();
        if self.tagger.keys_are_temporary() {
            tracing::warn!(
                "no signing key is set, so sticky assignments, override links and identified users are lost when this process ends; set FLAGSTAFF_KEYS"
            );
        }
        for warning in self.loaded.report.warnings() {
            tracing::warn!(file = &*warning.file, line = warning.line, "{}", warning.message);
        }
        let left_out = LeftOutLog::start(Arc::clone(&self.tagger))
            .context("the log of requests that are not counted cannot start")?;
        let ended = bound.run()?;
        drop(left_out);
        drop(watch);
        // facts first: webhooks tell what is left of them
        if !controller.stop(WEBHOOKS_TIMEOUT) {
            tracing::warn!("a webhook's receiver is slow; its messages wait in the ledger, where there is one");
        }
        if keeper.is_some_and(|keeper| !keeper.close(LEDGER_TIMEOUT)) {
            tracing::warn!("the ledger was too slow for what waited for it; that is lost");
        }
        tracing::info!(cut = ended.cut, "stopped");
        Ok(Answer::Yes)
    }
}

/// The thread that writes to the ledger. Visitors are served without one, too.
fn recorder(settings: flagstaff_ledger::LedgerSettings) -> Option<(Recorder, Keeper)> {
    let started = flagstaff_ledger::Recorder::start(settings);
    started.map_err(|error| tracing::error!(%error, "the ledger cannot be kept")).ok()
}

/// Has the files read again at once, as long as they are watched.
fn reloading(watch: &Arc<Reloader>) -> impl Fn() + Send + Sync + 'static {
    let watch = Arc::downgrade(watch);
    move || {
        if let Some(watch) = watch.upgrade() {
            watch.look();
        }
    }
}

/// The hosts of webhooks' receivers; the rest of an address may be a secret.
fn hosts(hooks: &[Hook]) -> String {
    hooks.iter().map(Hook::host).collect::<Vec<_>>().join(", ")
}

/// The operators' address as a service beside the proxy.
fn operators(address: SocketAddr, admin: Admin, health: Health) -> Background {
    let serve = move |listeners: Vec<_>, stop: Stop| {
        let (admin, health) = (admin.clone(), health.clone());
        async move {
            let Some(listener) = listeners.into_iter().next() else {
                return;
            };
            let (draining, finishing) = (stop.clone(), stop);
            let watch = async move {
                draining.draining().await;
                health.drains();
                finishing.finishing().await;
            };
            admin.serve(listener, watch).await;
        }
    };
    Background::new("operators", serve).listening(vec![address])
}

/// The visitor of an answer and the flags, for the access log. Without an id that is kept (without consent) no visitor is named.
fn described(extensions: &http::Extensions) -> Option<(Option<String>, String)> {
    let flags = extensions.get::<Flags>()?;
    let on = flags.decisions().iter().filter(|(_, _, decision)| decision.variant() != VariantId::OFF);
    let on = on.map(|(_, flag, decision)| format!("{}={}", flag.name, flag.variants.name(decision.variant())));
    Some((flags.lasting_visitor().map(ToOwned::to_owned), on.collect::<Vec<_>>().join(",")))
}
