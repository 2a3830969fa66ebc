//! The tables, and how they came to be what they are.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

/// Every change of the tables, in order. What was released is never edited, and a change only adds: programs of the version before
/// go on beside it (docs/decisions/tables-only-grow.md; a test below holds it).
const CHANGES: [(i64, &str, &str); 12] = [
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
    (11, "rows packed", include_str!("../../migrations/11.sql")),
    (12, "who is drawn", include_str!("../../migrations/12.sql")),
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
    let mut migrator = Migrator::with_migrations(CHANGES.into_iter().map(change).collect());
    // a later version may have changed more
    migrator.set_ignore_missing(true);
    migrator
}

#[cfg(test)]
mod tests {
    use super::CHANGES;
    use crate::store::name::{hash, hex};

    /// Changes as they were released, by their SHA-256.
    const RELEASED: [&str; 9] = [
        "6dd730d1faed60bef8634bfae46ccf5d",
        "59a06db2a42fbe05641fd5d9b7722fe1",
        "fce813e58a0d7669b3929c6d43ff7345",
        "c64e83a8287cd8d877ca4fc011da8988",
        "508b9af590fba4c0cd7bff3d25f2c7a6",
        "beca38589ff48d8727a28c56ef28184c",
        "06bb5bf565e2fcb48ba0cc79345199be",
        "d78a35148f9a6ec80fded679c141df5a",
        "a95c1811d4edf13ef81fee9cabdaf19c",
    ];

    /// Tables with rows of every visitor: an index on one stops its writers for long. Signs are of guarded flags only, and few beside them.
    const LARGE: [&str; 3] = ["exposures", "conversions", "counts"];

    /// The statements of a change, without comments, each in one line.
    fn statements(sql: &str) -> Vec<String> {
        let lines: Vec<_> = sql.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
        let one = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        lines.join(" ").split(';').map(one).filter(|text| !text.is_empty()).collect()
    }

    /// Whether programs of the version before go on beside it, and it takes no longer where there are millions of rows.
    fn only_adds(statement: &str, made_here: &[String]) -> bool {
        let words: Vec<_> = statement.split([' ', '(']).collect();
        let table_of_index = || words.iter().skip_while(|word| **word != "ON").nth(1).copied().unwrap_or_default();
        match words.as_slice() {
            ["CREATE", "TABLE", "IF", "NOT", "EXISTS", ..] => {
                !["REFERENCES", "SERIAL", "AUTOINCREMENT", "UNIQUE"].iter().any(|word| statement.contains(word))
            }
            ["CREATE", "INDEX", "IF", "NOT", "EXISTS", ..] => {
                !LARGE.contains(&table_of_index()) || made_here.iter().any(|made| made == table_of_index())
            }
            ["ALTER", "TABLE", _, "ADD", "COLUMN", ..] => {
                !statement.contains("NOT NULL") || statement.contains("DEFAULT")
            }
            ["INSERT", "INTO", ..] => statement.ends_with("ON CONFLICT DO NOTHING"),
            _ => false,
        }
    }

    fn made(statement: &str) -> Option<String> {
        let name = statement.strip_prefix("CREATE TABLE IF NOT EXISTS ")?;
        name.split([' ', '(']).next().map(Into::into)
    }

    #[test]
    fn what_was_released_stays_as_it_was() {
        for ((version, _, sql), released) in CHANGES.iter().zip(RELEASED) {
            assert_eq!(hex(hash(sql)), released, "change {version}: make another one instead");
        }
    }

    #[test]
    fn changes_only_add() {
        for (version, _, sql) in CHANGES {
            let statements = statements(sql);
            let made_here: Vec<_> = statements.iter().filter_map(|statement| made(statement)).collect();
            for statement in &statements {
                assert!(only_adds(statement, &made_here), "change {version} does more than to add: {statement}");
            }
        }
        let none = [
            "ALTER TABLE facts DROP COLUMN why",
            "ALTER TABLE facts ADD COLUMN who TEXT NOT NULL",
            "CREATE INDEX IF NOT EXISTS exposures_place ON exposures (place)",
            "UPDATE facts SET why = ''",
            "CREATE TABLE IF NOT EXISTS more (id BIGSERIAL PRIMARY KEY)",
        ];
        none.iter().for_each(|statement| assert!(!only_adds(statement, &[]), "{statement}"));
    }

    #[test]
    fn tables_of_visitors_can_be_spread_by_visitor() {
        let mut tables = Vec::new();
        for statement in CHANGES.iter().flat_map(|(_, _, sql)| statements(sql)) {
            let Some(table) = made(&statement).filter(|_| statement.contains(" unit TEXT")) else { continue };
            let key =
                statement.split("PRIMARY KEY (").nth(1).and_then(|rest| rest.split(')').next()).unwrap_or_default();
            assert!(key.split(", ").any(|column| column == "unit"), "the key of {table} has no visitor: {key}");
            tables.push(table);
        }
        assert_eq!(tables, ["exposures", "conversions", "signs", "forgotten", "unpacked"]);
    }
}
