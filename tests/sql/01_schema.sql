-- The shape of the schema: tables, keys, and the checks that no row may pass.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(68);

-- ---- what there is ----

SELECT has_schema(name, 'schema ' || name) FROM unnest(ARRAY['payroll', 'pipeline', 'report']) AS name;
SELECT is(array_agg(relname::text ORDER BY relname), ARRAY[
    'account', 'affiliation', 'closed_row', 'company', 'contract', 'contribution', 'coverage', 'discrepancy',
    'discrepancy_code', 'discrepancy_event', 'dispense', 'dispense_ground', 'employee', 'employment',
    'exemption_limit', 'forgotten', 'invoice', 'invoice_control', 'link', 'member', 'pay_base', 'payroll_contract',
    'payroll_period', 'period', 'period_event', 'retention', 'role_restriction', 'social_ceiling', 'social_rate', 'source_sync',
    'variance_reason'],
    'tables of payroll')
FROM pg_class WHERE relnamespace = 'payroll'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition;
SELECT tables_are('pipeline', ARRAY['company_load', 'migration', 'month_read', 'reject', 'run', 'suspended'],
    'tables of pipeline');
SELECT views_are('report', ARRAY[
    'contribution_overview', 'discrepancy_inbox', 'dsn_affiliation', 'dsn_base', 'dsn_contract', 'dsn_payment',
    'dsn_rubric', 'employee_ledger', 'identity_check', 'invoice_control', 'journal_entry', 'month_variance',
    'payroll_ready', 'period_history', 'period_status', 'reject', 'run_history', 'social_treatment', 'sync_status',
    'uncovered_employee'], 'views of report');

SELECT col_is_pk('payroll', t.name, t.key, 'primary key of ' || t.name)
FROM (VALUES
    ('company', ARRAY['company_id']),
    ('source_sync', ARRAY['company_id', 'source']),
    ('contract', ARRAY['company_id', 'contract_id']),
    ('invoice', ARRAY['company_id', 'invoice_id']),
    ('employee', ARRAY['company_id', 'employee_id']),
    ('employment', ARRAY['company_id', 'employment_id']),
    ('payroll_contract', ARRAY['company_id', 'payroll_contract_id']),
    ('pay_base', ARRAY['company_id', 'employment_id', 'month']),
    ('payroll_period', ARRAY['company_id', 'month']),
    ('affiliation', ARRAY['company_id', 'affiliation_id']),
    ('member', ARRAY['company_id', 'member_id']),
    ('coverage', ARRAY['company_id', 'payroll_month', 'employment_id']),
    ('invoice_control', ARRAY['company_id', 'payroll_month', 'invoice_id']),
    ('discrepancy', ARRAY['company_id', 'id']),
    ('discrepancy_event', ARRAY['company_id', 'discrepancy_id', 'event_id']),
    ('link', ARRAY['company_id', 'link_id']),
    ('dispense', ARRAY['company_id', 'dispense_id']),
    ('period', ARRAY['company_id', 'payroll_month']),
    ('period_event', ARRAY['company_id', 'payroll_month', 'event_id'])) AS t (name, key);

SELECT is_empty($$
    SELECT attrelid::regclass, attname, format_type(atttypid, atttypmod)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace IN ('payroll'::regnamespace, 'pipeline'::regnamespace) AND relkind IN ('r', 'p') AND attnum > 0
        AND (attname LIKE '%\_cents' AND atttypid <> 'bigint'::regtype
             OR attname LIKE '%month' AND atttypid <> 'date'::regtype
             OR atttypid IN ('real'::regtype, 'double precision'::regtype))
    $$, 'cents are bigint, months are dates, nothing is floating');
SELECT is_empty($$
    SELECT attrelid::regclass, attname, format_type(atttypid, atttypmod)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'report'::regnamespace AND attnum > 0
        AND (attname LIKE '%\_cents' AND atttypid <> 'bigint'::regtype
             OR atttypid IN ('real'::regtype, 'double precision'::regtype))
    $$, 'in the views too');
SELECT is_empty($$
    SELECT oid::regprocedure FROM pg_proc
    WHERE pronamespace IN ('payroll'::regnamespace, 'pipeline'::regnamespace, 'report'::regnamespace)
        AND NOT coalesce(proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false)
    $$, 'every function has its search path pinned');
SELECT is_empty($$
    SELECT oid::regclass FROM pg_class
    WHERE relnamespace = 'report'::regnamespace AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false)
    $$, 'every view runs with the rights of who reads it');

-- ---- partitions ----

SELECT is(pg_get_partkeydef('payroll.contribution'::regclass), 'RANGE (payroll_month)', 'contribution is partitioned');
SELECT throws_ok($$SELECT payroll.ensure_partition('1999-01-02')$$, '22023',
                 'a payroll month is given by its first day, not ''1999-01-02''',
                     'a partition is asked for by its first day');
SELECT throws_ok($$SELECT payroll.ensure_partition(NULL)$$, '22023',
                 'a payroll month is given by its first day, not NULL', 'and not by null');
SELECT lives_ok($$SELECT payroll.ensure_partition('1999-01-01'), payroll.ensure_partition('1999-12-01')$$,
    'partitions');
SELECT lives_ok($$SELECT payroll.ensure_partition('1999-01-01')$$, 'a partition that is there already is left alone');
SELECT is((SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = 'payroll.contribution_1999_12'::regclass),
          'FOR VALUES FROM (''1999-12-01'') TO (''2000-01-01'')', 'December ends with the year');
SELECT is(pg_get_constraintdef(oid),
          'UNIQUE NULLS NOT DISTINCT (company_id, payroll_month, line_id, employment_id, cover_from, status)',
          'a partition has the unique key')
FROM pg_constraint WHERE conrelid = 'payroll.contribution_1999_01'::regclass AND contype = 'u';

-- ---- contributions ----

CREATE FUNCTION pg_temp.contribution(change jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO payroll.contribution
    SELECT (jsonb_populate_record(NULL::payroll.contribution, jsonb '{
        "company_id": "tap_1", "payroll_month": "1999-01-01", "invoice_id": "inv_1", "line_id": "line_1",
        "employment_id": "job_1", "member_id": "mem_1", "contract_id": "con_1", "billing_month": "1999-01-01",
        "product": "health", "component": "fixed", "member_type": "employee", "cover_from": "1999-01-01",
        "cover_to": "1999-01-31", "kind": "regular", "amount_cents": 11710, "employer_cents": 7026,
        "employee_cents": 4684, "status": "ready"}' || change)).*
$$;
CREATE FUNCTION pg_temp.refused(what text, change jsonb, sqlstate_wanted text, constraint_wanted text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    PERFORM pg_temp.contribution(change);
    RETURN fail(what || ': it was accepted');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
    RETURN is(SQLSTATE || ' ' || name, sqlstate_wanted || ' ' || constraint_wanted, what);
END
$$;

SELECT lives_ok($$SELECT pg_temp.contribution('{}')$$, 'a ready contribution');
SELECT throws_ok($$SELECT pg_temp.contribution('{}')$$, '23505', NULL, 'not twice');
SELECT lives_ok($$SELECT pg_temp.contribution('{"line_id": "line_2", "employment_id": null, "status": "held",
                  "hold_code": "member_not_in_payroll"}')$$, 'one held for somebody unknown');
SELECT throws_ok($$SELECT pg_temp.contribution('{"line_id": "line_2", "employment_id": null, "status": "held",
                  "hold_code": "member_not_in_payroll"}')$$, '23505', NULL, 'not twice either: nulls are equal');
SELECT lives_ok($$SELECT pg_temp.contribution('{"line_id": "line_3", "employment_id": null, "member_id": null,
                  "product": null, "employer_cents": 11710, "employee_cents": 0}')$$, 'a fee, which the company bears');
SELECT lives_ok($$SELECT pg_temp.contribution('{"line_id": "line_4", "amount_cents": -1, "employer_cents": -1,
                  "employee_cents": 0, "kind": "reversal"}')$$, 'a negative one');
SELECT throws_ok($$SELECT pg_temp.contribution('{"payroll_month": "1998-06-01"}')$$, '23514', NULL,
                 'none in a month without a partition');

SELECT pg_temp.refused(c.what, c.change, '23514', 'contribution_' || c.name)
FROM (VALUES
    ('a cent is lost', '{"employee_cents": 4683}'::jsonb, 'sum_check'),
    ('held without a code', '{"status": "held"}', 'hold_check'),
    ('ready with a code', '{"hold_code": "nir_mismatch"}', 'hold_check'),
    ('a fee for an employee', '{"employment_id": null}', 'fee_check'),
    ('ready without a product', '{"product": null}', 'ready_check'),
    ('cover over two months', '{"cover_to": "1999-02-01"}', 'cover_check'),
    ('cover over a year', '{"cover_to": "2000-01-01"}', 'cover_check'),
    ('cover that ends before it begins', '{"cover_from": "1999-01-31", "cover_to": "1999-01-30"}', 'cover_check'),
    ('a billing month that is a day', '{"billing_month": "1999-01-15"}', 'billing_month_check'),
    ('a payroll month that is a day', '{"payroll_month": "1999-01-15"}', 'payroll_month_check'),
    ('an unknown product', '{"product": "dental"}', 'product_check'),
    ('an unknown component', '{"component": "t3"}', 'component_check'),
    ('an unknown member type', '{"member_type": "dog"}', 'member_type_check'),
    ('an unknown kind', '{"kind": "odd"}', 'kind_check'),
    ('an unknown status', '{"status": "perhaps"}', 'status_check')) AS c (what, change, name);

-- ---- the rest ----

SELECT throws_ok($$INSERT INTO payroll.invoice_control
    VALUES ('tap_1', '1999-01-01', 'inv_1', '1999-01-01', 1, 100, 100,
                  98, 0, 1, 0)$$, '23514', NULL, 'lines are allocated + posted + held');
SELECT throws_ok($$INSERT INTO payroll.member (company_id, member_id, employee_id, matched_by)
                  VALUES ('tap_1', 'mem_1', 'emp_1', 'none')$$, '23514', NULL, 'matched by nothing means not matched');
SELECT throws_ok($$INSERT INTO payroll.period VALUES ('tap_1', '1999-01-01', 'closed')$$, '23514', NULL,
                 'a closed month was closed by somebody');
SELECT throws_ok($$INSERT INTO payroll.social_rate VALUES ('forfait_social', '2026-06-01', '2027-12-31', 90000, 11,
    'x')$$,
                 '23P01', NULL, 'two rates for one day');

INSERT INTO payroll.discrepancy_code VALUES ('tap_code', 0, 'info', 'x', 'x', 'x', 'x');
PREPARE discrepancy AS INSERT INTO payroll.discrepancy (company_id, payroll_month, code, severity, subject_type,
    subject_id, first_seen_at, last_seen_at, first_seen_run, last_seen_run)
    VALUES ('tap_1', '1999-01-01', 'tap_code', 'info', 'company', 'tap_1', now(), now(), 'run', 'run');
SELECT lives_ok('EXECUTE discrepancy', 'a discrepancy');
SELECT throws_ok('EXECUTE discrepancy', '23505', NULL, 'its identity is unique, nulls being equal');
SELECT throws_ok($$UPDATE payroll.discrepancy SET status = 'resolved' WHERE company_id = 'tap_1'$$, '23514', NULL,
                 'a resolved one says when');
SELECT throws_ok($$INSERT INTO payroll.discrepancy (company_id, payroll_month, code, severity, subject_type,
    subject_id, first_seen_at, last_seen_at, first_seen_run, last_seen_run)
    VALUES ('tap_1', '1999-01-01', 'no_such_code', 'info', 'company', 'tap_1', now(), now(), 'run', 'run')$$,
    '23503', NULL, 'its code is in the catalogue');

SELECT is_empty($$
    SELECT code, placeholder[1]
    FROM payroll.discrepancy_code, regexp_matches(title_fr || title_en || remedy_fr || remedy_en, '\{[^}]*\}?',
        'g') AS placeholder
    WHERE placeholder[1] NOT IN ('{id}', '{subject}', '{employee}', '{member}', '{contract}', '{invoice}', '{company}',
        '{source}', '{side}', '{expected}', '{actual}', '{delta}', '{held}', '{lines}', '{cover_month}', '{candidates}',
        '{others}')
    $$, 'the catalogue uses no unknown placeholder');
SELECT is_empty($$SELECT code FROM payroll.discrepancy_code WHERE '' IN (title_fr, title_en, remedy_fr, remedy_en)$$,
                'the catalogue has no empty text');

SELECT * FROM finish();
ROLLBACK;
