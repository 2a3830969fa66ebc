//! `flagstaff link`: a signed link that gives its visitor variants.

use flagstaff_operations::{Error, flags};
use flagstaff_tag::Tagger;

use crate::cli::Link;
use crate::commands::Outcome;
use crate::settings::checked;
use crate::terminal::out;
use crate::workspace::Opened;

pub(crate) fn run(args: &Link) -> anyhow::Result<Outcome> {
    let opened = Opened::flags(&args.flags)?;
    let snapshot = opened.answer(opened.workspace.snapshot())?;
    let tagger = Tagger::new(&checked::tagger_settings(&opened.settings)?).map_err(Error::Settings);
    let tagger = opened.answer(tagger)?;
    let link = flags::Link { url: &args.url, variants: &args.values, lasts: args.lasts };
    let signed = opened.answer(flags::link(&snapshot, &tagger, &link))?;
    out(&format!("{signed}\n"))?;
    Ok(Outcome::Yes)
}
