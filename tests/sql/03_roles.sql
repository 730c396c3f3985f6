-- Who may do what, and that payroll_reader sees no social security number by any way.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(60);

-- What the query answers, or the error with all of its fields, when the role runs it.
CREATE FUNCTION pg_temp.as_role(role text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    detail text;
    hint text;
    context text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    BEGIN
        EXECUTE query INTO answer;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
        answer := concat_ws(' ', SQLSTATE, SQLERRM, detail, hint, context);
    END;
    RESET ROLE;
    RETURN answer;
END
$$;

INSERT INTO payroll.company VALUES ('tap_1', '362521879', 'Acme', 14);
INSERT INTO payroll.employee (company_id, employee_id, matricule, nir, ntt, first_name, last_name) VALUES
    ('tap_1', 'emp_1', 'M1', '2 95 10 99 126 111 93', '1362521879ABC777', 'Anne', 'Un'),
    ('tap_1', 'emp_2', 'M2', '1,85017E+12', NULL, 'Bruno', 'Deux'),
    ('tap_1', 'emp_3', 'M3', NULL, NULL, 'Chloé', 'Trois');
INSERT INTO payroll.member (company_id, member_id, nir, first_name, last_name, employee_id, matched_by) VALUES
    ('tap_1', 'mem_1', '295109912611193', 'Anne', 'Un', 'emp_1', 'nir'),
    ('tap_1', 'mem_9', '185017512345609', 'Zoé', 'Neuf', NULL, 'none');
INSERT INTO payroll.affiliation (company_id, affiliation_id, member_id, contract_id, status, nir, starts_on)
VALUES ('tap_1', 'aff_1', 'mem_1', 'con_1', 'active', '295109912611193', '2026-01-01');
INSERT INTO payroll.employment (company_id, employment_id, employee_id, siret, starts_on)
VALUES ('tap_1', 'job_1', 'emp_1', '36252187900034', '2026-01-01');
SELECT payroll.ensure_partition('1999-01-01');
INSERT INTO payroll.contribution VALUES ('tap_1', '1999-01-01', 'inv_1', 'line_1', 'job_1', 'mem_1', 'con_1',
    '1999-01-01',
    'health', 'fixed', 'employee', NULL, NULL, '1999-01-01', '1999-01-31', 'regular', NULL, 11710, 7026, 4684, 'ready');
INSERT INTO payroll.coverage VALUES ('tap_1', '1999-01-01', 'job_1', 'emp_1', 'not_affiliated');
INSERT INTO payroll.invoice_control VALUES ('tap_1', '1999-01-01', 'inv_1', '1999-01-01', 1, 11710, 11710, 11710, 0, 0,
    0);
INSERT INTO payroll.period_event (company_id, payroll_month, actor, event, note, digest)
VALUES ('tap_1', '1999-01-01', 'marie', 'closed', 'x', repeat('0', 64));
INSERT INTO payroll.source_sync VALUES ('tap_1', 'alan', 'ok', now(), now());
INSERT INTO payroll.discrepancy_code VALUES ('tap_code', 1, 'error', '{employee} {member}', '{actual}', '{candidates}',
    'x');
INSERT INTO payroll.discrepancy (company_id, payroll_month, code, severity, subject_type, subject_id, employee_id,
    member_id, expected_cents, actual, candidates, first_seen_at, last_seen_at, first_seen_run, last_seen_run)
VALUES ('tap_1', '1999-01-01', 'tap_code', 'error', 'employment', 'job_1', 'emp_1', 'mem_9', 100,
        '1 85 ** ** *** *** **', '[{"employee_id": "emp_1", "score": 90}]', now(), now(), 'tap_run', 'tap_run');
INSERT INTO pipeline.run (run_id, period, as_of, manifest_sha256, status, started_at)
VALUES ('tap_run', '1999-01-01', now(), repeat('0', 64), 'partial', now());
INSERT INTO pipeline.reject (run_id, stage, entity, company_id, reason, faults, source, line, raw)
VALUES ('tap_run', 'extract', 'employees', 'tap_1', 'missing_field', '{last_name: missing}', 'file.csv', 3,
        '{"nir": "295109912611193"}');

-- ---- the roles ----

SELECT has_role(name, 'role ' || name) FROM unnest(ARRAY['payroll_loader', 'payroll_manager',
    'payroll_reader']) AS name;
SELECT ok(NOT rolcanlogin AND NOT rolsuper AND NOT rolcreaterole AND NOT rolcreatedb AND NOT rolbypassrls,
          rolname || ' can neither log in nor administer')
FROM pg_roles WHERE rolname IN ('payroll_loader', 'payroll_manager', 'payroll_reader') ORDER BY rolname;

SELECT is_empty($$
    SELECT oid::regprocedure FROM pg_proc
    WHERE pronamespace::regnamespace::text IN ('payroll', 'pipeline', 'report')
        AND (proacl IS NULL OR has_function_privilege('public', oid, 'EXECUTE'))
    $$, 'no function is for everybody');
SELECT is_empty($$
    SELECT oid::regclass FROM pg_class
    WHERE relnamespace::regnamespace::text IN ('payroll', 'pipeline', 'report') AND relkind IN ('r', 'p', 'v')
        AND (has_table_privilege('public', oid, 'SELECT') OR has_table_privilege('public', oid, 'INSERT'))
    $$, 'no table is for everybody');
SELECT is_empty($$
    SELECT role, oid::regclass FROM pg_class, unnest(ARRAY['payroll_manager', 'payroll_reader']) AS role
    WHERE relnamespace::regnamespace::text IN ('payroll', 'pipeline', 'report') AND relkind IN ('r', 'p', 'v')
        AND has_table_privilege(role, oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
    $$, 'the manager and the reader write to no table');
SELECT is_empty($$
    SELECT oid::regclass FROM pg_class
    WHERE relnamespace::regnamespace::text IN ('payroll', 'pipeline', 'report') AND relkind IN ('r', 'p', 'v')
        AND NOT relispartition AND NOT has_table_privilege('payroll_manager', oid, 'SELECT')
    $$, 'the manager reads everything');
SELECT is_empty($$
    SELECT oid::regclass FROM pg_class
    WHERE relnamespace = 'report'::regnamespace AND relkind = 'v'
        AND NOT has_table_privilege('payroll_reader', oid, 'SELECT')
    $$, 'the reader reads every report');

-- ---- views and functions, whichever there are ----

SELECT is_empty($$
    SELECT oid::regclass FROM pg_class
    WHERE relnamespace::regnamespace::text IN ('payroll', 'pipeline', 'report') AND relkind = 'v'
        AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)
    $$, 'every view runs with the rights of who reads it');
SELECT is_empty($$
    SELECT oid::regprocedure FROM pg_proc
    WHERE pronamespace::regnamespace::text IN ('payroll', 'pipeline', 'report')
        AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)
    $$, 'every function has its search_path pinned');
SELECT is_empty($$
    SELECT oid::regclass FROM pg_class
    WHERE relnamespace::regnamespace::text IN ('payroll', 'pipeline', 'report') AND relkind = 'm'
    $$, 'no materialized view, which would run with its owner''s rights');

-- ---- the loader ----

SELECT is_empty($$
    SELECT name FROM unnest(ARRAY['company', 'source_sync', 'contract', 'invoice', 'employee', 'employment',
        'payroll_contract', 'pay_base', 'payroll_period', 'affiliation', 'member', 'contribution', 'coverage',
        'invoice_control', 'discrepancy']) AS name,
        unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
    WHERE NOT has_table_privilege('payroll_loader', 'payroll.' || name, privilege)
    $$, 'the loader writes facts');
SELECT is_empty($$
    SELECT name FROM unnest(ARRAY['link', 'dispense', 'dispense_ground', 'social_rate', 'discrepancy_code',
        'period']) AS name
    WHERE NOT has_table_privilege('payroll_loader', 'payroll.' || name, 'SELECT')
        OR has_table_privilege('payroll_loader', 'payroll.' || name, 'INSERT, UPDATE, DELETE, TRUNCATE')
    $$, 'the loader reads what people decided and leaves it alone');
SELECT is(pg_temp.as_role('payroll_loader', $$SELECT payroll.ensure_partition('1999-02-01')$$), '',
          'the loader makes partitions');
SELECT is(pg_temp.as_role('payroll_loader', $$
    INSERT INTO payroll.contribution VALUES ('tap_1', '1999-02-01', 'inv_2', 'line_1', 'job_1', 'mem_1', 'con_1',
        '1999-02-01',
    'health', 'fixed', 'employee', NULL, NULL, '1999-02-01', '1999-02-28', 'regular', NULL, 1, 1, 0, 'ready')
    RETURNING amount_cents$$), '1', 'and writes into them');
SELECT is(pg_temp.as_role('payroll_loader', $$
    INSERT INTO payroll.employee (company_id, employee_id, nir, last_name)
        VALUES ('tap_1', 'emp_4', '1 84 12', 'Quatre')
    RETURNING nir_masked$$), '1 84 ** ** *** *** **', 'masks are made as rows are written');
SELECT matches(pg_temp.as_role('payroll_loader', call), '^42501 permission denied for function ' || name,
               'the loader does not decide: ' || name)
FROM (VALUES
    ('link_member', $$SELECT payroll.link_member('tap_1', 'mem_9', 'emp_3', 'x')$$),
    ('unlink_member', $$SELECT payroll.unlink_member('tap_1', 'mem_9', 'x')$$),
    ('record_dispense', $$SELECT payroll.record_dispense('tap_1', 'emp_3', 'c2s', '2026-01-01', NULL, NULL, 'x')$$),
    ('end_dispense', $$SELECT payroll.end_dispense('tap_1', 'emp_3', '2026-01-01', 'x')$$),
    ('accept_discrepancy', $$SELECT payroll.accept_discrepancy(1, 'x')$$),
    ('progress_discrepancy', $$SELECT payroll.progress_discrepancy(1, 'x')$$),
    ('reopen_discrepancy', $$SELECT payroll.reopen_discrepancy(1, 'x')$$)) AS f (name, call);

-- ---- the manager ----

SELECT is(pg_temp.as_role('payroll_manager', $$SELECT nir FROM payroll.employee WHERE company_id = 'tap_1'
    AND employee_id = 'emp_1'$$),
          '2 95 10 99 126 111 93', 'the manager reads numbers');
SELECT is(pg_temp.as_role('payroll_manager', $$SELECT alan_nir || ', ' || payroll_nir || ', ' || payroll_ntt
    FROM report.identity_check
                                               WHERE company_id = 'tap_1' AND employee_id = 'emp_1'$$),
          '295109912611193, 2 95 10 99 126 111 93, 1362521879ABC777', 'and whole in the identity check');
SELECT matches(pg_temp.as_role('payroll_manager', $$SELECT payroll.link_member('tap_1', 'mem_9', 'emp_3',
    'same person')$$),
               'is employee emp_3', 'the manager links');
SELECT matches(pg_temp.as_role('payroll_manager', $$INSERT INTO payroll.link (company_id, member_id, employee_id, note,
    recorded_by)
                                                    VALUES ('tap_1', 'mem_9', 'emp_2', 'x', 'x') RETURNING 1$$),
               '^42501 permission denied for table link', 'but only through the functions');
SELECT matches(pg_temp.as_role('payroll_manager', call), '^42501 permission denied for function ' || name,
               'the manager does not call ' || name)
FROM (VALUES
    ('ensure_partition', $$SELECT payroll.ensure_partition('1999-03-01')$$),
    ('move_discrepancy', $$SELECT payroll.move_discrepancy(1, ARRAY['resolved'], 'open', 'opened', 'x')$$),
    ('checked_note', $$SELECT payroll.checked_note('x')$$)) AS f (name, call);

-- ---- the reader ----

SELECT is_empty($$
    SELECT attrelid::regclass, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace::regnamespace::text IN ('payroll', 'pipeline') AND relkind IN ('r', 'p')
        AND attname IN ('nir', 'ntt', 'raw')
        AND has_column_privilege('payroll_reader', attrelid, attnum, 'SELECT')
    $$, 'the reader has no right on a column with numbers');
SELECT is(count(*), 7::bigint, 'those columns are seven')
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace::regnamespace::text IN ('payroll', 'pipeline') AND relkind IN ('r', 'p') AND NOT relispartition
    AND attname IN ('nir', 'ntt', 'raw');
SELECT matches(pg_temp.as_role('payroll_reader', 'SELECT count(*) FROM ' || name),
    '^42501 permission denied for schema',
               'the reader does not see ' || name)
FROM unnest(ARRAY['payroll.employee', 'payroll.member', 'payroll.affiliation', 'payroll.contribution', 'payroll.link',
                  'payroll.dispense', 'payroll.discrepancy_event', 'pipeline.reject']) AS name;
SELECT matches(pg_temp.as_role('payroll_reader', $$SELECT payroll.link_member('tap_1', 'mem_9', 'emp_3', 'x')$$),
    '^42501',
               'nor call the manager''s functions');

-- Every row of every report, and what planning and failing tell, searched for any run of digits of a number.
CREATE FUNCTION pg_temp.leaks(answer text) RETURNS boolean LANGUAGE sql AS $$
    SELECT translate(answer, ' .-', '') ~ '2951099|9912611|126111|1850175|512345|85017E|ABC777'
$$;
SELECT ok(pg_temp.leaks('x 2 95 10 99 126 111 93') AND pg_temp.leaks('1,85017E+12') AND NOT pg_temp.leaks('2 95 ** **'),
          'the search finds what it should');
SELECT is_empty($$
    SELECT relname, answer
    FROM pg_class, pg_temp.as_role('payroll_reader', format('SELECT string_agg(t::text, '' '') FROM report.%I AS t',
        relname)) AS answer
    WHERE relnamespace = 'report'::regnamespace AND relkind = 'v'
        AND (answer LIKE '(%' AND NOT pg_temp.leaks(answer)) IS NOT TRUE
    $$, 'rows and no number in every report');
SELECT matches(pg_temp.as_role('payroll_reader', $$SELECT string_agg(concat_ws(' ', alan_nir, payroll_nir,
    payroll_ntt), ', '
                                                   ORDER BY employee_id, member_id)
                                                   FROM report.identity_check WHERE company_id = 'tap_1'$$),
               '^2 95 \*\* \*\* \*\*\* \*\*\* \*\* 2 95 \*\* \*\* \*\*\* \*\*\* \*\* 1 \*+, \* \*\* .*, 1 85 ',
               'the identity check shows masks');
SELECT matches(pg_temp.as_role('payroll_reader', $$SELECT alan_nir::integer FROM report.identity_check
                                                   WHERE company_id = 'tap_1' AND employee_id = 'emp_1'$$),
               '^22P02 .*"2 95 \*\* \*\*', 'an error quotes the mask');
-- What a predicate gets to see, what plans print, what statistics hold.
CREATE FUNCTION pg_temp.spy(seen text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
    IF pg_temp.leaks(seen) THEN
        RAISE EXCEPTION 'a predicate sees %', seen;
    END IF;
    RETURN true;
END
$$;
ANALYZE payroll.employee, payroll.member, payroll.affiliation, payroll.closed_row, payroll.discrepancy, pipeline.reject;
SELECT is_empty($$
    SELECT relname, answer
    FROM pg_class, pg_temp.as_role('payroll_reader',
        format('SELECT count(*) FROM report.%I AS t WHERE pg_temp.spy(t::text)', relname)) AS answer
    WHERE relnamespace = 'report'::regnamespace AND relkind = 'v' AND answer !~ '^[1-9]'
    $$, 'a predicate sees no number');
SELECT is_empty($$
    SELECT relname, answer
    FROM pg_class, pg_temp.as_role('payroll_reader', format('EXPLAIN (ANALYZE, VERBOSE, FORMAT JSON) SELECT * FROM report.%I',
        relname)) AS answer
    WHERE relnamespace = 'report'::regnamespace AND relkind = 'v'
        AND (answer LIKE '[%' AND NOT pg_temp.leaks(answer)) IS NOT TRUE
    $$, 'a plan prints none');
SELECT ok(pg_temp.leaks((SELECT string_agg(s::text, ' ') FROM pg_stats AS s WHERE schemaname = 'payroll')),
          'the statistics hold numbers');
SELECT ok(NOT pg_temp.leaks(coalesce(pg_temp.as_role('payroll_reader', $$SELECT string_agg(s::text, ' ') FROM pg_stats AS s$$),
                                     '')), 'which the reader is not shown');
SELECT matches(pg_temp.as_role('payroll_reader', 'SELECT count(*) FROM ' || name), '^42501', 'nor from ' || name)
FROM unnest(ARRAY['pg_statistic', 'pg_statistic_ext_data']) AS name;
GRANT USAGE ON SCHEMA payroll TO payroll_reader;
-- Every function that the reader may call, with whatever texts and dates may find a number.
SELECT is_empty($$
    SELECT p.oid::regprocedure, id, answer
    FROM pg_proc AS p, unnest(ARRAY['emp_1', 'emp_2', 'mem_1', 'mem_9']) AS id,
        LATERAL (SELECT string_agg(CASE t WHEN 'text'::regtype THEN quote_literal(CASE n WHEN 1 THEN 'tap_1' ELSE id END)
                                     WHEN 'date'::regtype THEN quote_literal('1999-01-01') ELSE 'NULL' END, ', ' ORDER BY n)
                 FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (t, n)) AS c (arguments),
        LATERAL pg_temp.as_role('payroll_reader', format('SELECT payroll.%I(%s)::text', p.proname, c.arguments)) AS answer
    WHERE p.pronamespace = 'payroll'::regnamespace AND has_function_privilege('payroll_reader', p.oid, 'EXECUTE')
        AND pg_temp.leaks(answer)
    $$, 'no function tells the reader a number');
SELECT matches(pg_temp.as_role('payroll_reader', query), '^42501 permission denied for table ' || name,
               'even with the schema open: ' || name)
FROM (VALUES
    ('employee', 'SELECT nir FROM payroll.employee'),
    ('employee', $$SELECT payroll.employee_nir('tap_1', 'emp_1')$$),
    ('employee', $$SELECT payroll.employee_ntt('tap_1', 'emp_1')$$),
    ('member', $$SELECT payroll.member_nir('tap_1', 'mem_1')$$),
    ('affiliation', 'SELECT nir FROM payroll.affiliation')) AS q (name, query);

SELECT * FROM finish();
ROLLBACK;
