//! SQL that SQLite and PostgreSQL both understand.

use std::fmt::Write as _;

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe};

/// `($1, $2), ($3, $4)` for rows of so many columns; in SQLite `(?, ?), (?, ?)`. There a place with a number has a name, each name is
/// looked for among all, and thousands of them took four fifths of the time of a batch.
pub(crate) fn places(store: &AnyConnection, rows: usize, columns: usize) -> String {
    of_places(!is_file(store), rows, columns)
}

/// Whether it is SQLite; else it is PostgreSQL.
pub(crate) fn is_file(store: &AnyConnection) -> bool {
    store.backend_name() == "SQLite"
}

fn of_places(numbered: bool, rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 6);
    for place in 0..rows * columns {
        let row_begins = place % columns == 0;
        text.push_str(if place == 0 {
            "("
        } else if row_begins {
            "), ("
        } else {
            ", "
        });
        if numbered {
            // writing into a String cannot fail
            let _ = write!(text, "${}", place + 1);
        } else {
            text.push('?');
        }
    }
    text.push(')');
    text
}

/// The store's own time (µs since 1970), which is one for all who share it.
pub(crate) fn now(store: &AnyConnection) -> &'static str {
    if is_file(store) {
        "(SELECT CAST(unixepoch('subsec') * 1000000 AS BIGINT))"
    } else {
        "(SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT))"
    }
}

/// A query made of parts of this crate and numbers, never of anything from outside.
pub(crate) fn query<'q>(sql: String) -> Query<'q, Any, AnyArguments> {
    sqlx::query(AssertSqlSafe(sql))
}

/// The same, planned anew each time: tables of visitors grow fast, and PostgreSQL keeps a plan that it made for a small one.
pub(crate) fn planned_anew<'q>(sql: String) -> Query<'q, Any, AnyArguments> {
    query(sql).persistent(false)
}

#[cfg(test)]
mod tests {
    #[test]
    fn places_are_numbered_where_that_costs_nothing() {
        assert_eq!(super::of_places(true, 2, 2), "($1, $2), ($3, $4)");
        assert_eq!(super::of_places(false, 2, 2), "(?, ?), (?, ?)");
        assert_eq!(super::of_places(true, 1, 1), "($1)");
    }
}
