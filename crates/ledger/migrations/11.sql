-- Rows of exposures and conversions, packed: those of one experiment or goal whose units' hashes begin with the same byte (shard). Results
-- read a million of them in a moment. All can be made again from the rows.
CREATE TABLE IF NOT EXISTS packs (
    shard BIGINT NOT NULL,
    rows_of TEXT NOT NULL,
    units BIGINT NOT NULL,
    packed BLOB NOT NULL,
    PRIMARY KEY (shard, rows_of)
);

-- Units whose rows changed since they were packed. One without a name was forgotten: it goes from the packs as well.
CREATE TABLE IF NOT EXISTS unpacked (
    hash BIGINT NOT NULL,
    unit TEXT NOT NULL,
    changes BIGINT NOT NULL,
    PRIMARY KEY (hash, unit)
) /*rowless*/;

-- How far the rows that were there before are noted as unpacked: up to this exposure, or all. One row.
CREATE TABLE IF NOT EXISTS packing (
    id BIGINT NOT NULL PRIMARY KEY,
    began BIGINT NOT NULL,
    trial BIGINT NOT NULL,
    reached TEXT NOT NULL,
    is_whole BIGINT NOT NULL
) /*rowless*/;
INSERT INTO packing (id, began, trial, reached, is_whole) VALUES (1, 0, 0, '', 0) ON CONFLICT DO NOTHING;

-- Programs of the version before note no changes. While one of them writes, nothing is read from packs.
ALTER TABLE boots ADD COLUMN notes_changes BIGINT NOT NULL DEFAULT 0;
