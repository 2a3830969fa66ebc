-- One experiment: all definitions of a flag that draw alike.
CREATE TABLE IF NOT EXISTS trials (
    trial BIGINT NOT NULL PRIMARY KEY,
    flag TEXT NOT NULL,
    bucket_by TEXT NOT NULL,
    variants TEXT NOT NULL,
    began BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS trials_flag ON trials (flag);

-- A stretch of time in which its shares stayed the same.
CREATE TABLE IF NOT EXISTS periods (
    trial BIGINT NOT NULL,
    period BIGINT NOT NULL,
    arms TEXT NOT NULL,
    began BIGINT NOT NULL,
    PRIMARY KEY (trial, period)
);

-- The first time a unit met a variant. Times are microseconds since 1970.
CREATE TABLE IF NOT EXISTS exposures (
    trial BIGINT NOT NULL,
    unit TEXT NOT NULL,
    variant BIGINT NOT NULL,
    period BIGINT NOT NULL,
    place BIGINT NOT NULL,
    held BIGINT NOT NULL,
    confirmed BIGINT NOT NULL,
    at BIGINT NOT NULL,
    crossed BIGINT,
    page1 BIGINT,
    page2 BIGINT,
    PRIMARY KEY (trial, unit)
) /*rowless*/;

-- A unit reached a goal.
CREATE TABLE IF NOT EXISTS conversions (
    goal TEXT NOT NULL,
    unit TEXT NOT NULL,
    key TEXT NOT NULL,
    at BIGINT NOT NULL,
    value DOUBLE PRECISION,
    PRIMARY KEY (goal, unit, key)
) /*rowless*/;
CREATE INDEX IF NOT EXISTS conversions_unit ON conversions (unit);

-- What one start of one instance counted in one minute.
CREATE TABLE IF NOT EXISTS counts (
    flag TEXT NOT NULL,
    definition BIGINT NOT NULL,
    variant TEXT NOT NULL,
    minute BIGINT NOT NULL,
    boot BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    informational BIGINT NOT NULL,
    successes BIGINT NOT NULL,
    redirects BIGINT NOT NULL,
    client_errors BIGINT NOT NULL,
    server_errors BIGINT NOT NULL,
    slow BIGINT NOT NULL,
    latency TEXT NOT NULL,
    PRIMARY KEY (flag, definition, variant, minute, boot)
);

-- A start of an instance, and the latest time it wrote: time goes on from there, also when a clock is set back.
CREATE TABLE IF NOT EXISTS boots (
    boot BIGINT NOT NULL PRIMARY KEY,
    latest BIGINT NOT NULL
);
