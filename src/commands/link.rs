//! `flagstaff link`: a signed link that gives its visitor a variant.

use anyhow::{anyhow, bail};
use flagstaff_tag::Tagger;
use jiff::Timestamp;

use crate::cli::Link;
use crate::commands::Answer;
use crate::settings::checked;
use crate::{flags, print};

pub(crate) fn run(args: &Link) -> anyhow::Result<Answer> {
    let settings = flags::settings(&args.flags)?;
    let snapshot = flags::snapshot(&args.flags)?;
    if args.values.len() > flagstaff_tag::MOST_OVERRIDES {
        bail!("a link gives at most {} variants", flagstaff_tag::MOST_OVERRIDES);
    }
    if args.lasts.is_zero() {
        bail!("--for 0s is a link that nobody can use");
    }
    for (i, (name, variant)) in args.values.iter().enumerate() {
        if args.values.iter().take(i).any(|(other, _)| other == name) {
            bail!("the flag `{name}` is there twice");
        }
        let id = flags::find(&snapshot, name)?;
        if let Some(flag) = snapshot.flag(id) {
            flags::variant(flag, variant)?;
        }
    }
    let tagger = Tagger::new(&checked::tagger_settings(&settings)?).map_err(|problems| settings.report(problems))?;
    if tagger.keys_are_temporary() {
        bail!("a link needs the key that the proxy verifies with: set FLAGSTAFF_KEYS or keys_file as there");
    }
    let lasts = jiff::SignedDuration::try_from(args.lasts)?;
    let until = Timestamp::now().checked_add(lasts).map_err(|_| anyhow!("--for is too long"))?;
    let wanted: Vec<_> = args.values.iter().map(|(name, variant)| (name.as_str(), variant.as_str())).collect();
    print::out(&format!("{}\n", tagger.sign_link(&args.url, &wanted, until)))?;
    Ok(Answer::Yes)
}
