-- What was run, and what could not be used.

CREATE OR REPLACE VIEW report.run_history WITH (security_invoker = true) AS
SELECT
    run_id,
    shard,
    shards,
    period,
    as_of,
    status,
    started_at,
    finished_at,
    finished_at - started_at AS elapsed,
    counts,
    cents,
    manifest_sha256,
    tool_version
FROM pipeline.run;

COMMENT ON VIEW report.run_history IS 'Runs that were published: one row per run and shard.';
COMMENT ON COLUMN report.run_history.run_id IS 'Names the run, as in the staging directory.';
COMMENT ON COLUMN report.run_history.shard IS 'Which part of the companies, from 0.';
COMMENT ON COLUMN report.run_history.shards IS 'In how many parts the companies were cut.';
COMMENT ON COLUMN report.run_history.period IS 'Payroll month, its first day.';
COMMENT ON COLUMN report.run_history.as_of IS 'The instant that stood for now.';
COMMENT ON COLUMN report.run_history.status IS 'ok, or partial when a company failed or a record was rejected.';
COMMENT ON COLUMN report.run_history.started_at IS 'When load began.';
COMMENT ON COLUMN report.run_history.finished_at IS 'When load was about to commit.';
COMMENT ON COLUMN report.run_history.elapsed IS 'How long load took.';
COMMENT ON COLUMN report.run_history.counts IS 'Records by entity, companies, and rows inserted, updated and deleted.';
COMMENT ON COLUMN report.run_history.cents IS 'Totals by entity, in cents.';
COMMENT ON COLUMN report.run_history.manifest_sha256 IS 'SHA-256 of the manifest that was loaded.';
COMMENT ON COLUMN report.run_history.tool_version IS 'Version of load.';

GRANT SELECT ON report.run_history TO payroll_manager, payroll_reader;

CREATE OR REPLACE VIEW report.reject WITH (security_invoker = true) AS
SELECT
    j.reject_id,
    j.run_id,
    payroll.run_period(j.run_id, j.shard, j.shards) AS period,
    j.company_id,
    j.stage,
    j.entity,
    j.reason,
    j.faults,
    j.source,
    j.line
FROM pipeline.reject AS j;

COMMENT ON VIEW report.reject IS
    'Records that a run could not use: one row each. The record itself is in pipeline.reject, for payroll_manager.';
COMMENT ON COLUMN report.reject.reject_id IS 'Number of the row.';
COMMENT ON COLUMN report.reject.run_id IS 'Run.';
COMMENT ON COLUMN report.reject.period IS 'Its payroll month, first day.';
COMMENT ON COLUMN report.reject.company_id IS 'Company, where it is known.';
COMMENT ON COLUMN report.reject.stage IS 'Stage that rejected it: extract, transform or load.';
COMMENT ON COLUMN report.reject.entity IS 'Entity it should have been.';
COMMENT ON COLUMN report.reject.reason IS 'Reason code of the first fault.';
COMMENT ON COLUMN report.reject.faults IS 'Every fault found.';
COMMENT ON COLUMN report.reject.source IS 'File or request it came from.';
COMMENT ON COLUMN report.reject.line IS 'Line or record number in the source, from 1.';

GRANT SELECT ON report.reject TO payroll_manager, payroll_reader;
