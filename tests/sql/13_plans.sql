-- Every report of one company finds its rows by index: no table of any size is read from end to end. Three hundred
-- companies of ten people and twelve months, eleven of them closed, are enough for the planner to mind.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;

CREATE TEMP TABLE month AS
SELECT m::date AS month FROM generate_series(timestamp '2026-01-01', '2026-12-01', interval '1 month') AS m;
CREATE TEMP TABLE person AS
SELECT 'tap_' || c AS company_id, format('%s_%s', c, p) AS id FROM generate_series(1, 300) AS c, generate_series(1,
    10) AS p;
CREATE TEMP TABLE line AS
SELECT * FROM (VALUES
    ('con_h', 'health', 'fixed', NULL::bigint, 11710::bigint, 7026::bigint),
    ('con_p', 'provident', 't1', 300000, 4500, 4500)) AS l (contract_id, product, component, base, amount, employer);
DO $$BEGIN PERFORM payroll.ensure_partition(month) FROM month; END$$;

INSERT INTO payroll.company (company_id, siren, headcount) SELECT DISTINCT company_id, '362521879', 10 FROM person;
INSERT INTO payroll.source_sync SELECT company_id, s, 'ok', now(), now() FROM payroll.company, unnest(ARRAY['alan',
    'payroll']) AS s;
INSERT INTO payroll.contract (company_id, contract_id, product, reference, insurer_code, valid_from, status, proration)
SELECT company_id, contract_id, product, 'R-' || contract_id, 'AALAN1', '2024-01-01', 'active', 'none'
FROM payroll.company, line;
INSERT INTO payroll.employee (company_id, employee_id, last_name) SELECT company_id, 'emp_' || id, 'Nom' FROM person;
INSERT INTO payroll.employment (company_id, employment_id, employee_id, siret, starts_on)
SELECT company_id, 'job_' || id, 'emp_' || id, '36252187900034', '2024-01-01' FROM person;
INSERT INTO payroll.payroll_contract (company_id, payroll_contract_id, product, reference)
SELECT company_id, 'pay_' || contract_id, product, 'R-' || contract_id FROM payroll.company, line;
INSERT INTO payroll.pay_base (company_id, employment_id, month, gross_cents)
SELECT company_id, 'job_' || id, month, 300000 FROM person, month;
INSERT INTO payroll.payroll_period (company_id, month, status) SELECT company_id, month, 'open' FROM payroll.company,
    month;
INSERT INTO payroll.member (company_id, member_id, employee_id, matched_by)
SELECT company_id, 'mem_' || id, 'emp_' || id, 'nir' FROM person;
INSERT INTO payroll.affiliation (company_id, affiliation_id, member_id, contract_id, status, starts_on)
SELECT company_id, contract_id || id, 'mem_' || id, contract_id, 'active', '2024-01-01' FROM person, line;
INSERT INTO payroll.coverage (company_id, payroll_month, employment_id, employee_id, reason)
SELECT company_id, month, 'job_' || id, 'emp_' || id, 'pending' FROM person, month;
INSERT INTO payroll.invoice (company_id, invoice_id, number, type, siren, billing_month, issued_on, currency,
    total_cents,
    line_count, status)
SELECT company_id, 'inv_' || month, 'F-' || month, 'invoice', '362521879', month, month, 'EUR', 0, 0, 'issued'
FROM payroll.company, month;
INSERT INTO payroll.invoice_control
SELECT company_id, month, 'inv_' || month, month, 0, 0, 0, 0, 0, 0, 0 FROM payroll.company, month;
INSERT INTO payroll.discrepancy_code VALUES ('tap_code', 0, 'info', 'x', 'x', 'x', 'x');
INSERT INTO payroll.discrepancy (company_id, payroll_month, code, severity, subject_type, subject_id, employee_id,
    employment_id, member_id, status, first_seen_at, last_seen_at, first_seen_run, last_seen_run)
SELECT company_id, '2026-12-01', 'tap_code', 'info', 'employee', 'emp_' || id, 'emp_' || id, 'job_' || id, 'mem_' || id,
    'open', now(), now(), 'run', 'run' FROM person;
INSERT INTO payroll.link (company_id, member_id, employee_id, note, recorded_by)
SELECT company_id, 'mem_' || id, 'emp_' || id, 'x', 'x' FROM person;
INSERT INTO payroll.dispense (company_id, employee_id, ground, valid_from, note, recorded_by)
SELECT company_id, 'emp_' || id, 'c2s', '2024-01-01', 'x', 'x' FROM person;
INSERT INTO pipeline.run (run_id, period, as_of, manifest_sha256, status, started_at)
VALUES ('run', '2026-12-01', now(), repeat('0', 64), 'partial', now());
INSERT INTO pipeline.reject (run_id, shards, stage, entity, company_id, reason, source)
SELECT 'run', 1, 'extract', 'employees', company_id, 'bad_date', 'a file' FROM person;
INSERT INTO payroll.contribution (company_id, payroll_month, invoice_id, line_id, employment_id, member_id, contract_id,
    billing_month, product, component, member_type, cover_from, cover_to, kind, base_cents, amount_cents,
        employer_cents,
    employee_cents, status)
SELECT company_id, month, 'inv_' || month, format('%s %s %s', month, id, contract_id), 'job_' || id, 'mem_' || id,
    contract_id, month, product, component, 'employee', month, (month + interval '1 month - 1 day')::date, 'regular',
    base, amount, employer, amount - employer, 'ready'
FROM person, month, line;
INSERT INTO payroll.closed_row (company_id, payroll_month, line_id, employment_id, employee_id, last_name, cover_from,
    cover_to, cover_month, status, kind, invoice_id, billing_month, contract_id, product, contract_reference, component,
    member_type, headcount, forfait_social_ppm, base_cents, amount_cents, employer_cents, employee_cents)
SELECT company_id, month, format('%s %s %s', month, id, contract_id), 'job_' || id, 'emp_' || id, 'Nom', month,
    (month + interval '1 month - 1 day')::date, month, 'ready', 'regular', 'inv_' || month, month, contract_id, product,
    'R-' || contract_id, component, 'employee', 10, 0, base, amount, employer, amount - employer
FROM person, month, line WHERE month < '2026-12-01';
INSERT INTO payroll.period (company_id, payroll_month, status, closed_at, closed_by)
SELECT company_id, month, 'closed', now(), 'marie' FROM payroll.company, month WHERE month < '2026-12-01';
ANALYZE;

-- Tables of more than 20 pages that a query reads whole: without an index, or an index without a condition.
CREATE FUNCTION pg_temp.read_whole(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    plan jsonb;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
    RETURN (
        SELECT string_agg(DISTINCT c.relname || ': ' || (node ->> 'Node Type'), ', ')
        FROM jsonb_path_query(plan, 'strict $.**') AS node
        JOIN pg_class AS c ON c.relname = node ->> 'Relation Name' AND c.relpages > 20
        WHERE jsonb_typeof(node) = 'object' AND node ->> 'Node Type' ~ 'Seq Scan|Index Scan|Index Only Scan'
            AND node ->> 'Node Type' !~ 'Bitmap' AND node ->> 'Index Cond' IS NULL);
END
$$;

CREATE TEMP TABLE report AS
SELECT c.relname, bool_or(a.attname = 'payroll_month') AS monthly
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'report'::regnamespace AND c.relkind = 'v'
GROUP BY c.relname HAVING bool_or(a.attname = 'company_id');
SELECT plan(2 + count(*)::integer + count(*) FILTER (WHERE monthly)::integer) FROM report;

SELECT matches(pg_temp.read_whole('SELECT sum(amount_cents) FROM payroll.contribution'),
    'contribution_2026_12: Seq Scan',
               'what is read whole is seen');
SELECT cmp_ok(count(*), '>=', 24::bigint, 'the tables are large enough') FROM pg_class
WHERE relpages > 20 AND relname ~ '^(contribution|closed_row)_2026|^(employee|employment|pay_base|member)$';
SELECT is(pg_temp.read_whole(format('SELECT * FROM report.%I WHERE company_id = ''tap_7''', relname)), NULL,
          relname || ' of a company')
FROM report ORDER BY relname;
SELECT is(pg_temp.read_whole(format('SELECT * FROM report.%I WHERE company_id = %L AND payroll_month = %L',
                                    relname, 'tap_7', '2026-12-01')), NULL, relname || ' of a company and month')
FROM report WHERE monthly ORDER BY relname;

SELECT * FROM finish();
ROLLBACK;
