//! Rows of django-waffle: a dump, or the app's own database, by its address or its file.

use std::fs::File;
use std::io::Read;

use anyhow::{Context, bail};
use flagstaff_flags::printable;
use flagstaff_import::LARGEST_EXPORT;
use flagstaff_ledger::{Location, LocationError, waffle_dump};

use crate::workspace::block_on;

/// What a file of SQLite begins with.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// The dump that is named: a file, `-` for standard input, the address of a database, or a file of SQLite.
pub(crate) fn read(from: &str) -> anyhow::Result<Vec<u8>> {
    if from.contains("://") {
        return database(&location(from)?);
    }
    if from == "-" {
        return whole(std::io::stdin().lock()).context("cannot read standard input");
    }
    let of = || format!("cannot read {}", printable(from));
    let bytes = File::open(from).and_then(whole).with_context(of)?;
    if bytes.starts_with(SQLITE) { database(&location(from)?) } else { Ok(bytes) }
}

/// What is named, without a password.
pub(crate) fn named(from: &str) -> String {
    match from.split_once("://") {
        None => printable(from).into_owned(),
        Some((scheme, _)) => {
            Location::of_app(from).map_or_else(|_| format!("{scheme}://…"), |location| location.to_string())
        }
    }
}

fn location(from: &str) -> anyhow::Result<Location> {
    match Location::of_app(from) {
        Ok(location) => Ok(location),
        Err(LocationError::Unknown) => bail!(
            "{}: databases of PostgreSQL and files of SQLite are read; of others write `python manage.py dumpdata waffle auth.group > waffle.json`, and name that file",
            named(from)
        ),
        Err(_) => bail!("{}: write postgres://user:password@host/database, or sqlite:///db.sqlite3", named(from)),
    }
}

fn database(location: &Location) -> anyhow::Result<Vec<u8>> {
    Ok(block_on(waffle_dump(location))??.into_bytes())
}

/// All bytes, up to one more than is taken.
fn whole(from: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(LARGEST_EXPORT).unwrap_or(u64::MAX).saturating_add(1);
    from.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
