//! The tables, and how they came to be what they are.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

/// Every change of the tables, in order. What was released is never edited.
const CHANGES: [(i64, &str, &str); 10] = [
    (1, "what happened", include_str!("../../migrations/1.sql")),
    (2, "facts and signs", include_str!("../../migrations/2.sql")),
    (3, "who is told", include_str!("../../migrations/3.sql")),
    (4, "who must notice", include_str!("../../migrations/4.sql")),
    (5, "since when who is told", include_str!("../../migrations/5.sql")),
    (6, "who was forgotten", include_str!("../../migrations/6.sql")),
    (7, "when who was forgotten", include_str!("../../migrations/7.sql")),
    (8, "revisions of the flags", include_str!("../../migrations/8.sql")),
    (9, "programs that run", include_str!("../../migrations/9.sql")),
    (10, "signs in their order", include_str!("../../migrations/10.sql")),
];

/// The changes, for one kind of store.
pub(crate) fn migrator(is_file: bool) -> Migrator {
    // a table that is found by its key alone needs no second tree, and PostgreSQL has no word for it
    let rowless = if is_file { "WITHOUT ROWID" } else { "" };
    let bytes = if is_file { " BLOB " } else { " BYTEA " };
    let change = |(version, name, sql): (i64, &'static str, &str)| {
        let sql = AssertSqlSafe(sql.replace("/*rowless*/", rowless).replace(" BLOB ", bytes)).into_sql_str();
        Migration::new(version, name.into(), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(CHANGES.into_iter().map(change).collect())
}
