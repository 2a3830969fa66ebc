//! Where the app's database is, as apps write it.

use crate::store::location::{Location, LocationError};

impl Location {
    /// Reads the address of an app's database as `DATABASE_URL` has it: `sqlite:///db.sqlite3`, `postgres://…`, `postgresql://…`, or the path of
    /// a file of SQLite.
    ///
    /// # Errors
    /// When it is another kind of database, or nothing.
    pub fn of_app(url: &str) -> Result<Self, LocationError> {
        let (scheme, rest) = url.split_once("://").map_or((None, url), |(scheme, rest)| (Some(scheme), rest));
        match scheme {
            // three strokes for a path from here, four for one from the root
            Some("sqlite" | "sqlite3") => Self::new(rest.strip_prefix('/').unwrap_or(rest)),
            Some("postgis" | "pgsql" | "postgresql+psycopg" | "postgresql+psycopg2") => {
                Self::new(&format!("postgres://{rest}"))
            }
            _ => Self::new(url),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn addresses_are_read_as_django_projects_write_them() {
        let path = |url: &str| Location::of_app(url).unwrap().path().map(Path::to_owned);
        assert_eq!(path("sqlite:///db.sqlite3").as_deref(), Some(Path::new("db.sqlite3")));
        assert_eq!(path("sqlite:////srv/db.sqlite3").as_deref(), Some(Path::new("/srv/db.sqlite3")));
        assert_eq!(path("db.sqlite3").as_deref(), Some(Path::new("db.sqlite3")));
        assert_eq!(Location::of_app("postgis://u:p@h/d").unwrap().to_string(), "postgres://h/d");
        assert_eq!(Location::of_app("mysql://h/d"), Err(LocationError::Unknown));
        assert_eq!(Location::of_app("sqlite://"), Err(LocationError::Empty));
    }
}
