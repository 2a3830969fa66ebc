-- A text that flags were read from, packed, by its SHA-256. Revisions share it.
CREATE TABLE IF NOT EXISTS revision_texts (
    text TEXT NOT NULL PRIMARY KEY,
    bytes BIGINT NOT NULL,
    packed BLOB NOT NULL
);

-- Every set of flags that was accepted, numbered per environment. Times are microseconds since 1970.
CREATE TABLE IF NOT EXISTS revisions (
    environment TEXT NOT NULL,
    number BIGINT NOT NULL,
    revision TEXT NOT NULL,
    at BIGINT NOT NULL,
    source TEXT NOT NULL,
    author TEXT NOT NULL,
    git_commit TEXT,
    why TEXT NOT NULL,
    place TEXT NOT NULL,
    definitions TEXT NOT NULL,
    overlay TEXT,
    flags TEXT NOT NULL,
    changes TEXT NOT NULL,
    PRIMARY KEY (environment, number)
);
CREATE INDEX IF NOT EXISTS revisions_revision ON revisions (revision);
CREATE INDEX IF NOT EXISTS revisions_definitions ON revisions (definitions);

-- What happened last is found without reading all that ever did.
CREATE INDEX IF NOT EXISTS facts_at ON facts (at);
