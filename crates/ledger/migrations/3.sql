-- Who is told of facts. One program at a time does it, for as long as its claim lasts. Times are microseconds since 1970.
CREATE TABLE IF NOT EXISTS hooks (
    hook TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    held BIGINT NOT NULL,
    quiet BIGINT NOT NULL
);

-- Up to which fact of a flag a hook was told, or is being told.
CREATE TABLE IF NOT EXISTS told (
    hook TEXT NOT NULL,
    flag TEXT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (hook, flag)
) /*rowless*/;

-- Facts up to there that a hook did not take yet, and when it is tried again.
CREATE TABLE IF NOT EXISTS untold (
    hook TEXT NOT NULL,
    flag TEXT NOT NULL,
    number BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    next BIGINT NOT NULL,
    PRIMARY KEY (hook, flag, number)
) /*rowless*/;
