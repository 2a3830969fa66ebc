-- Signs of one flag and epoch have numbers in the order in which they were written: who reads what is above a number misses none. Marks
-- of who came have 0, since nobody needs their order. What an earlier version wrote has none until a program numbers it.
ALTER TABLE signs ADD COLUMN number BIGINT;
CREATE INDEX IF NOT EXISTS signs_number ON signs (flag, epoch, number);

-- The newest number of each. Who writes signs takes this row first, and others wait for it: so numbers are seen in their order.
CREATE TABLE IF NOT EXISTS sign_counters (
    flag TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    newest BIGINT NOT NULL,
    PRIMARY KEY (flag, epoch)
) /*rowless*/;
