-- Units that were forgotten in the last hour, as hashes: programs that remember them as recorded drop what they remember.
CREATE TABLE IF NOT EXISTS forgotten (
    number BIGINT NOT NULL,
    unit TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (number, unit)
) /*rowless*/;
