//! The flag file as commands read it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use flagstaff_flags::{Flag, FlagId, Problem, Snapshot, VariantId, nearest};
use flagstaff_source::{Files, Loaded, Options, Report};
use jiff::Zoned;
use jiff::civil::Date;

use crate::cli::Flags;
use crate::print::{ODD, err, styled};
use crate::settings::{Override, Settings, checked, shown, typed};

/// Settings as a command about flags sees them.
///
/// # Errors
/// When they cannot be read or are wrong.
pub(crate) fn settings(args: &Flags) -> anyhow::Result<Settings> {
    Settings::load(args.config.as_deref(), options(args))
}

/// What `--flags` and `--environment` say.
pub(crate) fn options(args: &Flags) -> Vec<Override> {
    let said = [("flags", "--flags", &args.flags), ("environment", "--environment", &args.environment)];
    let of = |(key, place, text): (&str, &str, &Option<String>)| {
        text.clone().map(|text| Override { key: key.into(), place: place.into(), text })
    };
    said.into_iter().filter_map(of).collect()
}

/// The path of the flag file.
///
/// # Errors
/// When the flags are not in a file.
pub(crate) fn path(settings: &typed::Settings) -> anyhow::Result<PathBuf> {
    if let Some((scheme, _)) = settings.flags.split_once("://") {
        bail!("flags cannot be read from {scheme}:// yet; name a file with --flags");
    }
    Ok(PathBuf::from(&settings.flags))
}

/// The path of the flag file, which must be there.
///
/// # Errors
/// When it is not: with the line, variable or option that names it. Or when the flags are not in a file.
pub(crate) fn existing(settings: &Settings) -> anyhow::Result<PathBuf> {
    let path = path(&settings.typed)?;
    if path.exists() {
        return Ok(path);
    }
    let message = format!("there is no file {}", path.display());
    let help = "name the flag file here; a path in the settings leads from the folder of the settings file";
    Err(settings.report(vec![Problem::new(["flags"], message).help(help)]))
}

/// How the flag file is read here, now.
pub(crate) fn reading(settings: &typed::Settings) -> Options {
    let pins = std::env::vars_os().filter_map(|(name, value)| {
        // A value that is not Unicode is no variant, and is told so.
        Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
    });
    Options {
        environment: settings.environment.clone(),
        pins: pins.filter(|(name, _)| name.starts_with(flagstaff_source::PIN_PREFIX)).collect(),
        today: Some(today()),
        one_header: settings.headers.send == typed::Send::Compact,
    }
}

/// Today, here.
pub(crate) fn today() -> Date {
    Zoned::now().date()
}

/// Reads the flags.
///
/// # Errors
/// With every problem, when there is an error among them.
pub(crate) fn load(path: &Path, settings: &typed::Settings) -> Result<Loaded, Report> {
    flagstaff_source::load(path, &reading(settings))
}

/// The flags that a command is about.
///
/// # Errors
/// When they cannot be read or are wrong: what is wrong is shown.
pub(crate) fn snapshot(args: &Flags) -> anyhow::Result<Arc<Snapshot>> {
    snapshot_of(&settings(args)?)
}

/// The flags that these settings name.
///
/// # Errors
/// As [`snapshot`].
pub(crate) fn snapshot_of(settings: &Settings) -> anyhow::Result<Arc<Snapshot>> {
    let path = existing(settings)?;
    let loaded = load(&path, &settings.typed).map_err(|report| shown(&report))?;
    Ok(Arc::new(loaded.snapshot))
}

/// The flags that these settings name, to be looked at. Where their file cannot be used, those that were good last, as running
/// programs have them, with a warning.
///
/// # Errors
/// As [`snapshot`], where none are kept.
pub(crate) fn seen_by_programs(settings: &Settings) -> anyhow::Result<Arc<Snapshot>> {
    let error = match snapshot_of(settings) {
        Ok(snapshot) => return Ok(snapshot),
        Err(error) => error,
    };
    let files = path(&settings.typed).map(|path| Files::new(&path, settings.typed.environment.as_deref()))?;
    let kept = checked::state(&settings.typed).map(|folder| files.keeping(folder));
    let Some((loaded, _)) = kept.and_then(|files| files.last_good(&reading(&settings.typed))) else {
        return Err(error);
    };
    let warning = styled(ODD, "warning");
    err(&format!("{error:#}\n{warning}: the flag file cannot be used, so this is about the last good one\n"));
    Ok(Arc::new(loaded.snapshot))
}

/// The place of a flag that must be there.
///
/// # Errors
/// When it is not, with the name that was probably meant.
pub(crate) fn find(snapshot: &Snapshot, name: &str) -> anyhow::Result<FlagId> {
    if let Some(id) = snapshot.find(name) {
        return Ok(id);
    }
    let known = snapshot.flags().iter().map(|flag| flag.name.as_str());
    match nearest(name, known) {
        Some(near) => bail!("there is no flag `{name}`; did you mean `{near}`?"),
        None => bail!("there is no flag `{name}`; `flagstaff list` shows those there are"),
    }
}

/// The variant of a flag that must be there.
///
/// # Errors
/// When it is not, with the name that was probably meant.
pub(crate) fn variant(flag: &Flag, name: &str) -> anyhow::Result<VariantId> {
    if let Some(variant) = flag.variants.find(name) {
        return Ok(variant);
    }
    let names = || flag.variants.names().iter().map(AsRef::as_ref);
    let help = match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it can be: {}", names().collect::<Vec<_>>().join(", ")),
    };
    bail!("the flag `{}` has no variant `{name}`; {help}", flag.name)
}
