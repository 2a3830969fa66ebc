//! django-waffle: what `manage.py dumpdata waffle auth.group` writes, or its tables read from the app's database in the same form.
//!
//! `tables` reads the rows, `flags` says what each becomes, `check` what waffle goes on deciding where both run.

mod check;
mod flags;
mod tables;

pub use check::{WaffleCheck, WaffleFinding, WaffleFindingKind, check};
pub use tables::{FlagRow, Named, SampleRow, SwitchRow, WaffleTables};

use crate::error::ImportError;
use crate::model::Imported;
use crate::options::Options;

/// Reads flags, switches and samples.
pub(crate) fn read(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let tables = WaffleTables::read(bytes)?;
    Ok(flags::imported(&tables, options))
}
