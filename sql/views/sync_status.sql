-- When each source was last read, as the latest run saw it.

CREATE OR REPLACE VIEW report.sync_status WITH (security_invoker = true) AS
SELECT
    s.company_id,
    c.name,
    s.source,
    s.outcome,
    s.synced_at,
    s.attempted_at,
    s.error,
    r.as_of,
    CASE WHEN s.synced_at > r.as_of THEN interval '0' ELSE r.as_of - s.synced_at END AS age,
    -- an optional source that was never there is not late
    CASE WHEN s.synced_at IS NULL THEN s.outcome <> 'absent' ELSE r.as_of - s.synced_at > r.stale_after END AS stale
FROM payroll.source_sync AS s
LEFT JOIN payroll.company AS c ON c.company_id = s.company_id
LEFT JOIN payroll.last_run() AS r ON true;

COMMENT ON VIEW report.sync_status IS 'When each source was last read: one row per company and source.';
COMMENT ON COLUMN report.sync_status.company_id IS 'Company.';
COMMENT ON COLUMN report.sync_status.name IS 'Its name.';
COMMENT ON COLUMN report.sync_status.source IS 'Source, as named in the configuration: alan, payroll, bases.';
COMMENT ON COLUMN report.sync_status.outcome IS
    'Of the last attempt: ok, failed, or absent (an optional file that was not there).';
COMMENT ON COLUMN report.sync_status.synced_at IS 'Last success; null before the first one.';
COMMENT ON COLUMN report.sync_status.attempted_at IS 'Last attempt.';
COMMENT ON COLUMN report.sync_status.error IS 'Why the last attempt failed.';
COMMENT ON COLUMN report.sync_status.as_of IS 'The instant that stood for now in the latest run.';
COMMENT ON COLUMN report.sync_status.age IS 'How old the last success was at as_of; 0 when it came later.';
COMMENT ON COLUMN report.sync_status.stale IS 'Older than the run allows (rules.stale_after), or never read.';

GRANT SELECT ON report.sync_status TO payroll_manager, payroll_reader;
