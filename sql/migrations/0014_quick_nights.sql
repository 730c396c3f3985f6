-- A company's digest tells whether anything differs, and is reckoned at the speed of memory. What SHA-256 remembered says
-- nothing about that: the next load compares every company whole, once.

DELETE FROM pipeline.company_load;

ALTER TABLE pipeline.company_load
    DROP CONSTRAINT company_load_digest_check,
    ADD CONSTRAINT company_load_digest_check CHECK (digest ~ '^[0-9a-f]{32}$');
COMMENT ON COLUMN pipeline.company_load.digest IS 'XXH3 (128 bits) of the company''s staged facts.';

-- Written anew every night: the new version of a row finds room beside the old one, and no index is written to.
ALTER TABLE payroll.source_sync SET (fillfactor = 50);
ALTER TABLE pipeline.month_read SET (fillfactor = 50);
ALTER TABLE pipeline.company_load SET (fillfactor = 50);
