//! `flagstaff link`: a signed link that gives its visitor variants.

use anyhow::Context;
use flagstaff_operations::api::LinkRequest;
use flagstaff_operations::{Error, flags};
use flagstaff_tag::Tagger;

use crate::cli::Link;
use crate::commands::Outcome;
use crate::remote::Remote;
use crate::settings::checked;
use crate::terminal::out;
use crate::workspace::Opened;

pub(crate) fn run(args: &Link) -> anyhow::Result<Outcome> {
    let signed = match Remote::flags(&args.remote, &args.flags)? {
        Some(remote) => far(args, &remote)?,
        None => here(args)?,
    };
    out(&format!("{signed}\n"))?;
    Ok(Outcome::Yes)
}

fn far(args: &Link, remote: &Remote) -> anyhow::Result<String> {
    let seconds = u32::try_from(args.lasts.as_secs()).context("--for is too long")?;
    let request = LinkRequest { url: args.url.clone(), variants: args.values.clone(), seconds: Some(seconds) };
    Ok(remote.answer(remote.client.link(&request))?.link)
}

fn here(args: &Link) -> anyhow::Result<String> {
    let opened = Opened::flags(&args.flags)?;
    let snapshot = opened.answer(opened.workspace.snapshot())?;
    let tagger = Tagger::new(&checked::tagger_settings(&opened.settings)?).map_err(Error::Settings);
    let tagger = opened.answer(tagger)?;
    let link = flags::Link { url: &args.url, variants: &args.values, lasts: args.lasts };
    opened.answer(flags::link(&snapshot, &tagger, &link))
}
