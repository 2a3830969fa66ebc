-- How often something happened that every program must notice which has this ledger open.
CREATE TABLE IF NOT EXISTS marks (
    mark TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL
) /*rowless*/;
INSERT INTO marks (mark, number) VALUES ('forgotten', 0) ON CONFLICT DO NOTHING;
