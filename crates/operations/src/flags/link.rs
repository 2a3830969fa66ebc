//! A signed link that gives its visitor variants.

use std::time::Duration;

use flagstaff_flags::Snapshot;
use flagstaff_tag::{MAX_OVERRIDES, Tagger};
use jiff::{SignedDuration, Timestamp};

use crate::Error;
use crate::workspace::{find, variant};

/// A link to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// The address the link leads to.
    pub url: &'a str,
    /// What it gives: flag and variant.
    pub variants: &'a [(String, String)],
    /// How long it can be used.
    pub lasts: Duration,
}

/// Signs a link.
///
/// # Errors
/// When a flag or a variant is not there or there twice, the link gives too many or lasts for no time, or the tagger has no key of its
/// settings: the proxy could not verify the link.
pub fn link(snapshot: &Snapshot, tagger: &Tagger, link: &Link<'_>) -> Result<String, Error> {
    if link.variants.len() > MAX_OVERRIDES {
        return Err(Error::Input(format!("a link gives at most {MAX_OVERRIDES} variants")));
    }
    if link.lasts.is_zero() {
        return Err(Error::Input("--for 0s makes a link that nobody can use".into()));
    }
    for (i, (name, named)) in link.variants.iter().enumerate() {
        if link.variants.iter().take(i).any(|(other, _)| other == name) {
            return Err(Error::Input(format!("the flag `{name}` is there twice")));
        }
        let (_, flag) = find(snapshot, name)?;
        variant(flag, named)?;
    }
    if tagger.keys_are_temporary() {
        let why = "a link needs the key that the proxy verifies with: set FLAGSTAFF_KEYS or keys_file as there";
        return Err(Error::Input(why.into()));
    }
    let until = SignedDuration::try_from(link.lasts).ok().and_then(|lasts| Timestamp::now().checked_add(lasts).ok());
    let until = until.ok_or_else(|| Error::Input("--for is too long".into()))?;
    let variants: Vec<_> = link.variants.iter().map(|(name, variant)| (name.as_str(), variant.as_str())).collect();
    Ok(tagger.sign_link(link.url, &variants, until))
}
