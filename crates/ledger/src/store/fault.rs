//! What a store's error means: by SQLSTATE classes and SQLite's result codes, never by texts.

use sqlx::error::DatabaseError;

/// What an error means for what was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The store is there, and says that these rows can never be.
    Refused,
    /// No answer in time: the store is away, or this is too much for it.
    Late,
    /// Another connection holds it just now.
    Locked,
    /// Others were at the same rows in another order: this transaction gave way, and the next try comes through.
    GaveWay,
    /// There is no room.
    Full,
    /// It holds something else than a ledger, or is damaged.
    NoLedger,
    /// The tables are not there, or not those of this version.
    NoTables,
    /// It may not be read or written.
    Forbidden,
    /// It takes no more connections just now.
    Crowded,
    /// Anything else: it is tried again.
    Away,
}

impl Fault {
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(io) if io.kind() == std::io::ErrorKind::TimedOut => Self::Late,
            // what cannot even be sent
            sqlx::Error::Encode(_) => Self::Refused,
            sqlx::Error::Database(found) => Self::of_code(&**found),
            _ => Self::Away,
        }
    }

    fn of_code(error: &dyn DatabaseError) -> Self {
        let code = error.code().unwrap_or_default();
        match code.parse::<u32>() {
            // a SQLSTATE has five characters; SQLite's codes have fewer
            Ok(code_of_sqlite) if code.len() < 5 => Self::of_sqlite(code_of_sqlite & 0xff),
            _ => Self::of_postgres(&code),
        }
    }

    /// SQLite's primary result codes.
    fn of_sqlite(code: u32) -> Self {
        match code {
            // TOOBIG, CONSTRAINT, MISMATCH, RANGE
            18..=20 | 25 => Self::Refused,
            // BUSY, LOCKED
            5 | 6 => Self::Locked,
            // FULL
            13 => Self::Full,
            // CORRUPT, NOTADB
            11 | 26 => Self::NoLedger,
            // ERROR: of our own statements, only when a table is missing
            1 => Self::NoTables,
            // PERM, READONLY, CANTOPEN, AUTH
            3 | 8 | 14 | 23 => Self::Forbidden,
            _ => Self::Away,
        }
    }

    fn of_postgres(code: &str) -> Self {
        match (code.get(..2).unwrap_or_default(), code) {
            // data, constraints, the check of a view, limits of the program, a trigger's own word, one row twice
            ("22" | "23" | "44" | "54", _) | (_, "P0001" | "21000") => Self::Refused,
            (_, "57014") => Self::Late,
            (_, "55P03") => Self::Locked,
            (_, "40P01" | "40001") => Self::GaveWay,
            (_, "53100") => Self::Full,
            (_, "53300") => Self::Crowded,
            (_, "42P01" | "42703") => Self::NoTables,
            ("28", _) | (_, "42501" | "25006") => Self::Forbidden,
            _ => Self::Away,
        }
    }

    /// What to do about it, where that can be told.
    pub(crate) const fn mend(self) -> Option<&'static str> {
        match self {
            Self::Full => Some("make room"),
            Self::Locked => Some("another program holds it; it is tried again"),
            Self::NoLedger => Some("move the file away, and a new one is begun"),
            Self::NoTables => Some("it is no ledger, or an old one that `flagstaff run` brings up to date"),
            Self::Forbidden => Some("look at its rights, and those of its folder"),
            Self::Crowded => {
                Some("it is tried again; raise `max_connections` or the limit of the role, or put a pooler before it")
            }
            Self::GaveWay | Self::Refused | Self::Late | Self::Away => None,
        }
    }
}

/// What is wrong, and what to do about it where that can be told.
pub(crate) fn in_words(error: &sqlx::Error) -> String {
    match Fault::of(error).mend() {
        Some(mend) => format!("{error}; {mend}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide() {
        let sqlite = [1811, 19, 5, 517, 13, 26, 1, 8, 14, 10].map(|code| Fault::of_sqlite(code & 0xff));
        let (refused, locked, away) = (Fault::Refused, Fault::Locked, Fault::Away);
        let rights = Fault::Forbidden;
        let wanted =
            [refused, refused, locked, locked, Fault::Full, Fault::NoLedger, Fault::NoTables, rights, rights, away];
        assert_eq!(sqlite, wanted);
        let postgres =
            ["22021", "23505", "54000", "P0001", "57014", "53100", "42P01", "28P01", "40P01", "53300", "08006"];
        let (late, full, crowded, tables) = (Fault::Late, Fault::Full, Fault::Crowded, Fault::NoTables);
        let gave_way = Fault::GaveWay;
        let wanted = [refused, refused, refused, refused, late, full, tables, rights, gave_way, crowded, away];
        assert_eq!(postgres.map(Fault::of_postgres), wanted);
    }
}
