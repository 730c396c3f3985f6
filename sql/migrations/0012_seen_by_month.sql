-- A discrepancy that is seen again as it was is not written: its month tells when it was last seen.

ALTER TABLE pipeline.month_read
    ADD COLUMN seen_at timestamptz,
    ADD COLUMN seen_run text,
    ADD CONSTRAINT month_read_seen_check CHECK (num_nulls(seen_at, seen_run) IN (0, 2));
COMMENT ON TABLE pipeline.month_read IS
    'The last load of a company''s payroll month: when its extract began (what was closed later is not in it), and what '
    'saw every discrepancy of the month that is not resolved.';
COMMENT ON COLUMN pipeline.month_read.seen_at IS 'The instant that stood for now in it; null: not known.';
COMMENT ON COLUMN pipeline.month_read.seen_run IS 'Its run; null: not known.';

COMMENT ON COLUMN payroll.discrepancy.last_seen_at IS
    'When it was last seen by a run that wrote it. Until it is resolved: pipeline.month_read.seen_at of its month, where '
    'that is later.';
COMMENT ON COLUMN payroll.discrepancy.last_seen_run IS
    'The run that saw it then. Until it is resolved: pipeline.month_read.seen_run of its month, where that is later.';

-- Written every night: the new version of a row finds room beside the old one, which goes without a vacuum.
ALTER TABLE pipeline.month_read SET (fillfactor = 45);
ALTER TABLE payroll.source_sync SET (fillfactor = 45);
