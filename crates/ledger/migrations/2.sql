-- What happened to a flag. Rows are only ever added; of several who saw the same state, one gets the next number.
CREATE TABLE IF NOT EXISTS facts (
    flag TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    definition BIGINT NOT NULL,
    kind TEXT NOT NULL,
    step BIGINT NOT NULL,
    author TEXT NOT NULL,
    why TEXT NOT NULL,
    evidence TEXT,
    PRIMARY KEY (flag, number)
);

-- The first time a unit showed a sign that a guard watches for, in the order of their times. From these rows the evidence of
-- a guard can be recomputed.
CREATE TABLE IF NOT EXISTS signs (
    flag TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    sign TEXT NOT NULL,
    unit TEXT NOT NULL,
    variant BIGINT NOT NULL,
    step BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (flag, epoch, sign, unit)
) /*rowless*/;
CREATE INDEX IF NOT EXISTS signs_unit ON signs (unit);
