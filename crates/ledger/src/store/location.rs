//! Where a ledger is.

use std::fmt;
use std::path::{Path, PathBuf};

/// A SQLite file or a PostgreSQL database.
#[derive(Clone, PartialEq, Eq)]
pub struct Place(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    File(PathBuf),
    Postgres(String),
}

impl Place {
    /// Reads `postgres://user:password@host/database`, or the path of a file.
    ///
    /// # Errors
    /// When the text is empty, names another kind of database, or is no path that can be written as UTF-8.
    pub fn new(text: &str) -> Result<Self, PlaceError> {
        let is_postgres = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
        match text.split_once("://") {
            Some(_) if is_postgres && text.parse::<sqlx::postgres::PgConnectOptions>().is_ok() => {
                Ok(Self(Kind::Postgres(text.into())))
            }
            Some(_) if is_postgres => Err(PlaceError::Address),
            Some(_) => Err(PlaceError::Unknown),
            None if text.trim().is_empty() || text.contains('\0') => Err(PlaceError::Empty),
            None => Ok(Self(Kind::File(text.into()))),
        }
    }

    /// A file.
    ///
    /// # Errors
    /// As [`Place::new`].
    pub fn file(path: &Path) -> Result<Self, PlaceError> {
        match path.to_str() {
            Some(text) if !text.trim().is_empty() && !text.contains('\0') => Ok(Self(Kind::File(path.into()))),
            _ => Err(PlaceError::Empty),
        }
    }

    /// The file, when it is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::File(path) => Some(path),
            Kind::Postgres(_) => None,
        }
    }

    /// As sqlx reads it.
    pub(crate) fn url(&self, create: bool) -> String {
        match &self.0 {
            Kind::Postgres(url) => url.clone(),
            Kind::File(path) => {
                let mode = if create { "rwc" } else { "rw" };
                format!("sqlite://{}?mode={mode}", escaped(&path.to_string_lossy()))
            }
        }
    }
}

/// Percent-encoded, so that no character of a path is taken for a part of the address.
fn escaped(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b);
    let byte = |b: u8| {
        if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }
    };
    path.bytes().map(byte).collect()
}

/// Without the password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::File(path) => write!(f, "{}", path.display()),
            Kind::Postgres(url) => {
                let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                let authority = rest.split(['/', '?']).next().unwrap_or_default();
                let place = match authority.rfind('@') {
                    Some(at) => rest.get(at + 1..).unwrap_or_default(),
                    None => rest,
                };
                write!(f, "postgres://{}", place.split('?').next().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

/// Why a text names no ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceError {
    /// Nothing.
    Empty,
    /// Another kind of database.
    Unknown,
    /// Not an address of PostgreSQL.
    Address,
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => {
                "a ledger is a file, such as \"flagstaff.db\", or \"postgres://user:password@host/database\""
            }
            Self::Unknown => "a ledger is a file or a database of PostgreSQL (\"postgres://…\"), nothing else",
            Self::Address => {
                "this is no address of PostgreSQL; write \"postgres://user:password@host:5432/database\""
            }
        })
    }
}

impl std::error::Error for PlaceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_databases_are_told_apart() {
        assert!(Place::new("flagstaff.db").unwrap().path().is_some());
        assert!(Place::new("postgres://u:p@h/d").unwrap().path().is_none());
        assert_eq!(Place::new(" "), Err(PlaceError::Empty));
        assert_eq!(Place::new("mysql://h/d"), Err(PlaceError::Unknown));
        assert_eq!(Place::new("postgres://h:notaport/d"), Err(PlaceError::Address));
    }

    #[test]
    fn a_password_is_never_shown() {
        let place = Place::new("postgres://me:s3cret@db.example:5432/flags?sslpassword=s3cret").unwrap();
        assert_eq!(place.to_string(), "postgres://db.example:5432/flags");
        assert!(!format!("{place:?}").contains("s3cret"));
    }

    #[test]
    fn any_character_may_be_in_a_path() {
        let place = Place::new("/tmp/a b?c#d%/é.db").unwrap();
        assert_eq!(place.url(true), "sqlite:///tmp/a%20b%3Fc%23d%25/%C3%A9.db?mode=rwc");
    }
}
