-- The large tables of a ledger in sixteen parts each, spread by visitor. Run it once, after the first program has begun the ledger. Rows that
-- are there are copied, and all programs wait meanwhile: do it while there are few.
--
--     psql "$FLAGSTAFF_LEDGER" --single-transaction --file partitions.sql
DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['exposures', 'conversions', 'signs'] LOOP
        EXECUTE format('ALTER TABLE %I RENAME TO whole', name);
        EXECUTE format('CREATE TABLE %I (LIKE whole INCLUDING ALL) PARTITION BY HASH (unit)', name);
        FOR part IN 0..15 LOOP
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS 16, REMAINDER %s)',
                           name || '_' || part, name, part);
        END LOOP;
        EXECUTE format('INSERT INTO %I SELECT * FROM whole', name);
        DROP TABLE whole;
    END LOOP;
END
$$;
