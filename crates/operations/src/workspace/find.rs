//! A flag or a variant by its name.

use std::sync::Arc;

use flagstaff_flags::{Flag, FlagId, Snapshot, VariantId, nearest};

use crate::Error;

/// A flag that must be there.
///
/// # Errors
/// [`Error::NoFlag`] when it is not, with the name that was probably meant.
pub fn find<'s>(snapshot: &'s Snapshot, name: &str) -> Result<(FlagId, &'s Arc<Flag>), Error> {
    let found = snapshot.find(name).and_then(|id| Some((id, snapshot.flag(id)?)));
    found.ok_or_else(|| {
        let known = snapshot.flags().iter().map(|flag| flag.name.as_str());
        Error::NoFlag { flag: name.into(), near: nearest(name, known).map(Into::into) }
    })
}

/// The variant of a flag that must be there.
///
/// # Errors
/// [`Error::NoVariant`] when it is not, with the name that was probably meant.
pub fn variant(flag: &Flag, name: &str) -> Result<VariantId, Error> {
    flag.variants.find(name).ok_or_else(|| {
        let names = || flag.variants.names().iter().map(AsRef::as_ref);
        let help = match nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it can be: {}", names().collect::<Vec<_>>().join(", ")),
        };
        Error::NoVariant { flag: flag.name.to_string(), variant: name.into(), help }
    })
}
