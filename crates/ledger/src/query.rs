//! SQL that SQLite and PostgreSQL both understand.

use std::fmt::Write as _;

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe};

/// `($1, $2), ($3, $4)` for rows of so many columns, numbered on from `before`.
pub(crate) fn places(before: usize, rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            let comma = if column == 0 { "" } else { ", " };
            // writing into a String cannot fail
            let _ = write!(text, "{comma}${}", before + row * columns + column + 1);
        }
        text.push(')');
    }
    text
}

/// A query made of parts of this crate and numbers, never of anything from outside.
pub(crate) fn query<'q>(sql: String) -> Query<'q, Any, AnyArguments> {
    sqlx::query(AssertSqlSafe(sql))
}

#[cfg(test)]
mod tests {
    #[test]
    fn places_are_numbered_on() {
        assert_eq!(super::places(1, 2, 2), "($2, $3), ($4, $5)");
    }
}
