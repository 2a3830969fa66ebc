//! Where a ledger is.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::store::turns::Turns;

/// A SQLite file or a PostgreSQL database.
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    backend: Backend,
    turns: Option<Turns>,
}

#[derive(Clone, PartialEq, Eq)]
enum Backend {
    File(PathBuf),
    Postgres(String),
}

impl From<Backend> for Location {
    fn from(backend: Backend) -> Self {
        Self { backend, turns: None }
    }
}

impl Location {
    /// Reads `postgres://user:password@host/database`, or the path of a file.
    ///
    /// # Errors
    /// When the text is empty, names another kind of database, or is no path that can be written as UTF-8.
    pub fn new(text: &str) -> Result<Self, LocationError> {
        let is_postgres = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
        match text.split_once("://") {
            Some(_) if is_postgres && text.parse::<sqlx::postgres::PgConnectOptions>().is_ok() => {
                Ok(Backend::Postgres(text.into()).into())
            }
            Some(_) if is_postgres => Err(LocationError::Address),
            Some(_) => Err(LocationError::Unknown),
            None if text.trim().is_empty() || text.contains('\0') => Err(LocationError::Empty),
            None => Ok(Backend::File(text.into()).into()),
        }
    }

    /// A file.
    ///
    /// # Errors
    /// As [`Location::new`].
    pub fn file(path: &Path) -> Result<Self, LocationError> {
        match path.to_str() {
            Some(text) if !text.trim().is_empty() && !text.contains('\0') => Ok(Backend::File(path.into()).into()),
            _ => Err(LocationError::Empty),
        }
    }

    /// The file, when it is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.backend {
            Backend::File(path) => Some(path),
            Backend::Postgres(_) => None,
        }
    }

    /// The address of a server, with all that is needed to connect.
    pub(crate) fn server(&self) -> Option<&str> {
        match &self.backend {
            Backend::File(_) => None,
            Backend::Postgres(url) => Some(url),
        }
    }

    /// The same place, for questions and edits that come as people send them: all that are opened by this and by its clones have so
    /// many connections to PostgreSQL at once, and more wait for their turn. A file has no limit.
    #[must_use]
    pub fn with_connections(self, most: usize) -> Self {
        let turns = self.path().is_none().then(|| Turns::new(most));
        Self { turns, ..self }
    }

    pub(crate) fn turns(&self) -> Option<&Turns> {
        self.turns.as_ref()
    }

    /// As sqlx reads it.
    pub(crate) fn url(&self, create: bool) -> String {
        match &self.backend {
            Backend::Postgres(url) => url.clone(),
            Backend::File(path) => {
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
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.backend {
            Backend::File(path) => write!(f, "{}", path.display()),
            Backend::Postgres(url) => {
                let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                let authority = rest.split(['/', '?']).next().unwrap_or_default();
                let database = match authority.rfind('@') {
                    Some(at) => rest.get(at + 1..).unwrap_or_default(),
                    None => rest,
                };
                write!(f, "postgres://{}", database.split('?').next().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

/// Why a text names no ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocationError {
    /// Nothing.
    Empty,
    /// Another kind of database.
    Unknown,
    /// Not an address of PostgreSQL.
    Address,
}

impl fmt::Display for LocationError {
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

impl std::error::Error for LocationError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_databases_are_told_apart() {
        assert!(Location::new("flagstaff.db").unwrap().path().is_some());
        assert!(Location::new("postgres://u:p@h/d").unwrap().path().is_none());
        assert_eq!(Location::new(" "), Err(LocationError::Empty));
        assert_eq!(Location::new("mysql://h/d"), Err(LocationError::Unknown));
        assert_eq!(Location::new("postgres://h:notaport/d"), Err(LocationError::Address));
    }

    #[test]
    fn a_password_is_never_shown() {
        let location = Location::new("postgres://me:s3cret@db.example:5432/flags?sslpassword=s3cret").unwrap();
        assert_eq!(location.to_string(), "postgres://db.example:5432/flags");
        assert!(!format!("{location:?}").contains("s3cret"));
    }

    #[test]
    fn any_character_may_be_in_a_path() {
        let location = Location::new("/tmp/a b?c#d%/é.db").unwrap();
        assert_eq!(location.url(true), "sqlite:///tmp/a%20b%3Fc%23d%25/%C3%A9.db?mode=rwc");
    }
}
