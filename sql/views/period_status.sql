-- Payroll months, open and closed, with their totals. Three sources add up by month rather than being joined, so that a
-- condition on the company reaches each of them.

CREATE OR REPLACE VIEW report.period_status WITH (security_invoker = true) AS
SELECT
    company_id,
    payroll_month,
    coalesce(max(status), 'open') AS status,
    max(closed_at) AS closed_at,
    max(closed_by) AS closed_by,
    max(note) AS note,
    max(digest) AS digest,
    max(payroll_status) AS payroll_status,
    max(payroll_closed_at) AS payroll_closed_at,
    coalesce(sum(amount_cents), 0)::bigint AS amount_cents,
    coalesce(sum(employer_cents), 0)::bigint AS employer_cents,
    coalesce(sum(employee_cents), 0)::bigint AS employee_cents,
    coalesce(sum(held_cents), 0)::bigint AS held_cents
FROM (
    SELECT
        company_id, payroll_month,
        NULL::text AS status, NULL::timestamptz AS closed_at, NULL::text AS closed_by, NULL::text AS note,
        NULL::text AS digest, NULL::text AS payroll_status, NULL::timestamptz AS payroll_closed_at,
        sum(amount_cents) FILTER (WHERE status = 'ready') AS amount_cents,
        sum(employer_cents) FILTER (WHERE status = 'ready') AS employer_cents,
        sum(employee_cents) FILTER (WHERE status = 'ready') AS employee_cents,
        sum(amount_cents) FILTER (WHERE status = 'held') AS held_cents
    FROM payroll.contribution
    GROUP BY company_id, payroll_month
    UNION ALL
    SELECT company_id, payroll_month, status, closed_at, closed_by, note, digest, NULL, NULL, NULL, NULL, NULL, NULL
    FROM payroll.period
    UNION ALL
    SELECT company_id, month, NULL, NULL, NULL, NULL, NULL, status, closed_at, NULL, NULL, NULL, NULL
    FROM payroll.payroll_period
) AS parts
GROUP BY company_id, payroll_month;

COMMENT ON VIEW report.period_status IS 'Payroll months, open and closed: one row per company and payroll month.';
COMMENT ON COLUMN report.period_status.company_id IS 'Company.';
COMMENT ON COLUMN report.period_status.payroll_month IS 'Payroll month, its first day.';
COMMENT ON COLUMN report.period_status.status IS 'open or closed, here.';
COMMENT ON COLUMN report.period_status.closed_at IS 'When it was closed here.';
COMMENT ON COLUMN report.period_status.closed_by IS 'Who closed it here.';
COMMENT ON COLUMN report.period_status.note IS 'Why it was closed, or reopened.';
COMMENT ON COLUMN report.period_status.digest IS
    'SHA-256 of the rows frozen at the close; payroll.verify_period reckons it anew.';
COMMENT ON COLUMN report.period_status.payroll_status IS
    'open or closed in the payroll system; null: it does not tell.';
COMMENT ON COLUMN report.period_status.payroll_closed_at IS 'When the payroll system closed it.';
COMMENT ON COLUMN report.period_status.amount_cents IS 'Ready: both shares, fees included.';
COMMENT ON COLUMN report.period_status.employer_cents IS 'Ready: the employer''s share, fees included.';
COMMENT ON COLUMN report.period_status.employee_cents IS 'Ready: the employees'' share.';
COMMENT ON COLUMN report.period_status.held_cents IS 'Held back.';

GRANT SELECT ON report.period_status TO payroll_manager, payroll_reader;

CREATE OR REPLACE VIEW report.period_history WITH (security_invoker = true) AS
SELECT company_id, payroll_month, event_id, happened_at, event, actor, note, digest
FROM payroll.period_event;

COMMENT ON VIEW report.period_history IS 'Who closed and reopened payroll months, when and why: one row per event.';
COMMENT ON COLUMN report.period_history.company_id IS 'Company.';
COMMENT ON COLUMN report.period_history.payroll_month IS 'Payroll month, its first day.';
COMMENT ON COLUMN report.period_history.event_id IS 'Number of the event; later ones are greater.';
COMMENT ON COLUMN report.period_history.happened_at IS 'When.';
COMMENT ON COLUMN report.period_history.event IS 'closed, reopened, or forgotten: somebody was taken out of the frozen rows.';
COMMENT ON COLUMN report.period_history.actor IS
    'Who: a database user, or payroll, where the payroll system closed it.';
COMMENT ON COLUMN report.period_history.note IS 'Why.';
COMMENT ON COLUMN report.period_history.digest IS
    'SHA-256 of the frozen rows: those made by a close, those given up by a reopening.';

GRANT SELECT ON report.period_history TO payroll_manager, payroll_reader;
