-- Programs that run with this ledger, or ran lately. Times are microseconds since 1970, by the clock of the ledger.
CREATE TABLE IF NOT EXISTS programs (
    id TEXT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    process BIGINT NOT NULL,
    version TEXT NOT NULL,
    environment TEXT NOT NULL,
    source TEXT NOT NULL,
    revision TEXT NOT NULL,
    problem TEXT NOT NULL,
    identity TEXT NOT NULL,
    started BIGINT NOT NULL,
    seen BIGINT NOT NULL
) /*rowless*/;
CREATE INDEX IF NOT EXISTS programs_seen ON programs (seen);
