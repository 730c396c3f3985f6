BEGIN;

SELECT set_config('work_mem', '128MB', true)
WHERE pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('128MB');

-- The companies of this run, as its index has them. Those that failed keep their facts: loads is false. invoices: how
-- many the run has. payroll_closed: months that the payroll system reports closed.
CREATE TEMP TABLE this_company (
    company_id      text PRIMARY KEY,
    siren           text,
    name            text,
    headcount       bigint,
    previous_sirens jsonb,
    establishments  jsonb,
    status          text,
    invoices        bigint,
    payroll_closed  date[],
    loads           boolean GENERATED ALWAYS AS (status = 'ok') STORED,
    closed          boolean NOT NULL DEFAULT false
) ON COMMIT DROP;

-- How reading their sources went.
CREATE TEMP TABLE this_source ON COMMIT DROP AS
SELECT company_id, source, outcome, attempted_at, synced_at, error FROM payroll.source_sync WITH NO DATA;

-- Those among them that do not bring what their last load brought: digest of what they bring, rows that are theirs
-- then in the scope of this run, kept: how many of them are gone from the source but still in use.
-- based: only what differs from the last load was sent.
CREATE TEMP TABLE brought (
    company_id text PRIMARY KEY,
    digest     text,
    rows       bigint,
    kept       bigint NOT NULL DEFAULT 0,
    closed     boolean,
    based      boolean
) ON COMMIT DROP;

CREATE TEMP TABLE new_reject ON COMMIT DROP AS
SELECT stage, entity, company_id, reason, faults, source, line, raw FROM pipeline.reject WITH NO DATA;

CREATE TEMP TABLE new_discrepancy ON COMMIT DROP AS
SELECT company_id, payroll_month, code, severity, step, subject_type, subject_id, contract_id, cover_month, employee_id,
       employment_id, member_id, invoice_id, line_id, side, expected_cents, actual_cents, delta_cents, expected, actual,
       line_count, held_cents, candidates
FROM payroll.discrepancy WITH NO DATA;
