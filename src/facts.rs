//! The ledger as commands read it.

use anyhow::{Context, bail};
use flagstaff_flags::Standing;
use flagstaff_ledger::{Ledger, Place, Register};

use crate::cli::{Certainty, Facts};
use crate::flags;
use crate::print::{ODD, err, styled};
use crate::settings::{Override, Settings, checked};

/// Settings as a command about facts sees them.
///
/// # Errors
/// When they cannot be read or are wrong.
pub(crate) fn settings(args: &Facts) -> anyhow::Result<Settings> {
    Settings::load(args.flags.config.as_deref(), options(args))
}

/// Settings as a switch sees them: a slip that does not concern it stops nobody who must switch something off.
///
/// # Errors
/// When they are wrong, and it is not clear where flags and ledger are.
pub(crate) fn settings_of_switch(args: &Facts) -> anyhow::Result<Settings> {
    let error = match settings(args) {
        Ok(settings) => return Ok(settings),
        Err(error) => error,
    };
    let Some(settings) = Settings::of_places(args.flags.config.as_deref(), options(args)) else {
        return Err(error);
    };
    err(&format!(
        "{}: the settings are wrong, so flags, environment and ledger alone are read from them\n{error:#}\n",
        styled(ODD, "warning")
    ));
    Ok(settings)
}

fn options(args: &Facts) -> Vec<Override> {
    let mut options = flags::options(&args.flags);
    options.extend(args.ledger.clone().map(|text| Override { key: "ledger".into(), place: "--ledger".into(), text }));
    options
}

/// Opens the ledger, asks, and closes it. All that is asked is answered from one moment, whatever is written meanwhile.
///
/// # Errors
/// When there is none, it cannot be read, or the question fails.
pub(crate) fn ask<T>(
    settings: &Settings,
    question: impl AsyncFnOnce(&mut Ledger) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    change(settings, async |ledger| {
        ledger.hold().await?;
        question(ledger).await
    })
}

/// Opens the ledger, does something with it, and closes it.
///
/// # Errors
/// When there is none, it cannot be opened, or that fails.
pub(crate) fn change<T>(
    settings: &Settings,
    question: impl AsyncFnOnce(&mut Ledger) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let ledger = checked::ledger(&settings.typed).map_err(|problems| settings.report(problems))?;
    let Some(ledger) = ledger else {
        bail!("nothing is kept: the settings say ledger = \"none\"; --ledger names another");
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot ask the ledger")?;
    runtime.block_on(async {
        let mut ledger = Ledger::open(&ledger.place).await?;
        let answer = question(&mut ledger).await;
        ledger.close().await;
        answer
    })
}

/// Steps of rollouts and trips of guards, as the ledger tells. One that is away changes no file: what it would say is left out,
/// and that is said.
pub(crate) fn recorded(settings: &Settings) -> flagstaff_flags::Facts {
    read(settings).unwrap_or_else(|error| {
        err(&format!("{}: steps and trips are not known: {error:#}\n", styled(ODD, "warning")));
        flagstaff_flags::Facts::default()
    })
}

/// Nothing, where there is no ledger yet.
fn read(settings: &Settings) -> anyhow::Result<flagstaff_flags::Facts> {
    let ledger = checked::ledger(&settings.typed).map_err(|problems| settings.report(problems))?;
    let place = ledger.map(|ledger| ledger.place);
    let Some(place) = place.filter(|place| place.path().is_none_or(std::path::Path::exists)) else {
        return Ok(flagstaff_flags::Facts::default());
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot ask the ledger")?;
    runtime.block_on(async {
        let mut register = Register::open_to_read(&place).await?;
        let mut known = flagstaff_flags::Facts::default();
        for (flag, _) in register.newest().await? {
            let standing = Standing::of(&register.facts(&flag, 1).await?);
            standing.into_iter().for_each(|standing| known.add(&flag, &standing));
        }
        register.close().await;
        Ok(known)
    })
}

/// What a ledger that may not be there answers.
pub(crate) enum Kept<T> {
    /// Its answer.
    Answer(T),
    /// The settings say that nothing is kept.
    Nothing,
    /// It should be there, and is not.
    Missing(Place),
}

/// Opens the ledger where there is one, asks, and closes it.
///
/// # Errors
/// When it is there and cannot be read, or the question fails.
pub(crate) fn ask_if_there<T>(
    settings: &Settings,
    question: impl AsyncFnOnce(&mut Ledger) -> anyhow::Result<T>,
) -> anyhow::Result<Kept<T>> {
    let kept = checked::ledger(&settings.typed).map_err(|problems| settings.report(problems))?;
    match kept {
        None => Ok(Kept::Nothing),
        Some(kept) if kept.place.path().is_some_and(|path| !path.exists()) => Ok(Kept::Missing(kept.place)),
        Some(_) => ask(settings, question).map(Kept::Answer),
    }
}

/// How sure is sure.
///
/// # Errors
/// When a value makes no sense.
pub(crate) fn certainty(args: Certainty) -> anyhow::Result<flagstaff_experiment::Settings> {
    let planned = args.planned.map(f64::from);
    Ok(flagstaff_experiment::Settings::new(args.alpha, planned, None)?)
}
