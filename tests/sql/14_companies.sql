-- A role that is restricted sees its companies only: in every table and view, and through every function. Tables are
-- taken from the catalog: a new one has to be filled here.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(49);

CREATE TEMP TABLE both_of (id text, n integer);
INSERT INTO both_of VALUES ('tap_1', 1), ('tap_2', 2);
DO $$BEGIN PERFORM payroll.ensure_partition('1999-01-01'); END$$;
INSERT INTO payroll.company SELECT id, '362521879', 'Name of ' || id, 14 FROM both_of;
INSERT INTO payroll.source_sync SELECT id, 'alan', 'ok', now(), now() FROM both_of;
INSERT INTO payroll.contract (company_id, contract_id, product, reference, insurer_code, valid_from, status, proration)
SELECT id, 'con', 'health', 'REF' || id, 'AALAN1', '1998-01-01', 'active', 'none' FROM both_of;
INSERT INTO payroll.invoice (company_id, invoice_id, number, type, siren, billing_month, issued_on, currency, total_cents,
    line_count, status) SELECT id, 'inv', 'F-' || id, 'invoice', '362521879', '1999-01-01', '1999-01-02', 'EUR', 2, 1, 'paid'
FROM both_of;
INSERT INTO payroll.employee (company_id, employee_id, nir, ntt, last_name)
SELECT id, 'emp', '295109912611193', '1362521879ABC', 'Employee of ' || id FROM both_of;
INSERT INTO payroll.employment (company_id, employment_id, employee_id, siret, starts_on, health_contract_ids)
SELECT id, 'job', 'emp', '36252187900034', '1998-01-01', '{pay}' FROM both_of;
INSERT INTO payroll.payroll_contract (company_id, payroll_contract_id, product, reference)
SELECT id, 'pay', 'health', 'REF' || id FROM both_of;
INSERT INTO payroll.pay_base SELECT id, 'job', '1999-01-01', 300000 FROM both_of;
INSERT INTO payroll.payroll_period SELECT id, '1999-01-01', 'open' FROM both_of;
INSERT INTO payroll.affiliation (company_id, affiliation_id, member_id, contract_id, status, starts_on)
SELECT id, 'aff', 'mem', 'con', 'active', '1998-01-01' FROM both_of;
INSERT INTO payroll.member (company_id, member_id, nir, last_name, matched_by)
SELECT id, 'mem', '185017512345609', 'Member of ' || id, 'none' FROM both_of;
INSERT INTO payroll.contribution SELECT id, '1999-01-01', 'inv', 'line', 'job', 'mem', 'con', '1999-01-01', 'health',
    'fixed', 'employee', NULL, NULL, '1999-01-01', '1999-01-31', 'regular', NULL, 2, 1, 1, 'ready' FROM both_of;
INSERT INTO payroll.coverage (company_id, payroll_month, employment_id, employee_id, reason)
SELECT id, '1999-01-01', 'job', 'emp', 'pending' FROM both_of;
INSERT INTO payroll.invoice_control SELECT id, '1999-01-01', 'inv', '1999-01-01', 1, 2, 2, 2, 0, 0, 0 FROM both_of;
INSERT INTO payroll.discrepancy (company_id, payroll_month, code, severity, subject_type, subject_id, employee_id,
    member_id, first_seen_at, last_seen_at, first_seen_run, last_seen_run)
SELECT id, '1999-01-01', 'amount_jump', 'warning', 'employee', 'emp', 'emp', 'mem', now(), now(), 'r', 'r' FROM both_of;
INSERT INTO payroll.discrepancy_event (company_id, discrepancy_id, actor, event, note)
SELECT company_id, id, 'load', 'opened', 'note on ' || company_id FROM payroll.discrepancy;
INSERT INTO payroll.period (company_id, payroll_month, status) SELECT id, '1999-01-01', 'open' FROM both_of;
INSERT INTO pipeline.run (run_id, period, as_of, manifest_sha256, status, started_at)
VALUES ('tap_run', '1999-01-01', now(), repeat('0', 64), 'partial', now());
INSERT INTO pipeline.reject (run_id, stage, entity, company_id, reason, source, raw)
SELECT 'tap_run', 'extract', 'employees', id, 'bad_date', 'file of ' || id, 'raw of ' || id FROM both_of
UNION ALL SELECT 'tap_run', 'extract', 'employees', NULL, 'unknown_company', 'file of tap_2', 'raw of tap_2';
INSERT INTO pipeline.company_load SELECT id, '1999-01-01', false, repeat('0', 32), 1, pg_current_xact_id() FROM both_of;
INSERT INTO pipeline.month_read SELECT id, '1999-01-01', now() FROM both_of;
INSERT INTO payroll.forgotten (company_id, kind, id, note, forgotten_by) SELECT id, 'member', 'x', 'x', 'x' FROM both_of;
CREATE TEMP TABLE decided AS SELECT
    payroll.link_member(id, 'mem', 'emp', 'note on ' || id),
    payroll.record_dispense(id, 'emp', 'c2s', '1999-01-01', NULL, 'proof of ' || id, 'note on ' || id),
    payroll.set_account(id, 'payable', '4372', 'Account of ' || id, 'note on ' || id),
    payroll.close_period(id, '1999-01-01', 'note on ' || id)
FROM both_of;

CREATE ROLE tap_one IN ROLE payroll_manager;
CREATE ROLE tap_reader IN ROLE payroll_reader;
CREATE ROLE tap_none IN ROLE payroll_manager;
CREATE ROLE tap_all IN ROLE payroll_manager;
CREATE ROLE tap_team IN ROLE tap_one;

CREATE FUNCTION pg_temp.as_role(role text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    hint text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    BEGIN
        EXECUTE query INTO answer;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
        answer := concat_ws(' ', SQLSTATE, SQLERRM, hint);
    END;
    RESET ROLE;
    RETURN answer;
END
$$;
-- What a role reads of every table and view that it may read, partitions too.
CREATE FUNCTION pg_temp.readable(role text) RETURNS TABLE (name text, rows text) LANGUAGE sql AS $$
    SELECT c.oid::regclass::text, pg_temp.as_role(role, format('SELECT string_agg(t::text, '' '') FROM %s AS t', c.oid::regclass))
    FROM pg_class AS c
    WHERE c.relnamespace IN ('payroll'::regnamespace, 'pipeline'::regnamespace, 'report'::regnamespace)
        AND c.relkind IN ('r', 'p', 'v') AND has_table_privilege(role, c.oid, 'SELECT')
        AND has_schema_privilege(role, c.relnamespace, 'USAGE')
$$;

-- ---- nobody restricted ----

SELECT is_empty($$SELECT oid::regclass FROM pg_class WHERE relnamespace::regnamespace::text IN ('payroll', 'pipeline')
                  AND relrowsecurity$$, 'without a restriction there is no row-level security');
SELECT is_empty($$
    SELECT c.oid::regclass FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'company_id'
    WHERE c.relnamespace::regnamespace::text IN ('payroll', 'pipeline', 'report') AND c.relkind IN ('r', 'p', 'v')
        AND NOT c.relispartition AND c.oid <> 'report.uncovered_employee'::regclass
        AND coalesce((SELECT r.rows FROM pg_temp.readable('tap_one') AS r WHERE r.name = c.oid::regclass::text)
                     ~ 'tap_2', false) IS FALSE
    $$, 'every table and view has rows of both companies');

-- ---- restricted ----

SELECT is(payroll.restrict_role('tap_one', ARRAY['tap_1'], 'her client'), 'role tap_one sees 1 companies', 'restricted');
SELECT is(payroll.restrict_role('tap_reader', ARRAY['tap_1'], 'x'), 'role tap_reader sees 1 companies', 'a reader too');
SELECT is(payroll.restrict_role('tap_none', '{}', 'x'), 'role tap_none sees 0 companies', 'to nothing at all');
SELECT is(pg_temp.as_role(role, 'SELECT payroll.visible_companies(current_user)'), wanted, role || ' sees')
FROM (VALUES ('tap_one', '{tap_1}'), ('tap_team', '{tap_1}'), ('tap_none', '{}'), ('tap_all', NULL),
             ('payroll_manager', NULL)) AS r (role, wanted);
SELECT is_empty(format($$
    SELECT name, rows FROM pg_temp.readable(%L) WHERE coalesce(rows, '') ~ %L
    $$, role, pattern), role || ' sees nothing else, in any table or view')
FROM (VALUES ('tap_one', 'tap_2|tap_run.*,14,'), ('tap_team', 'tap_2'), ('tap_reader', 'tap_2|^42501'),
             ('tap_none', 'tap_1|tap_2')) AS r (role, pattern);
SELECT is_empty(format($$
    SELECT name FROM pg_temp.readable('tap_all') AS before JOIN pg_temp.readable(%L) AS here USING (name)
    WHERE before.rows ~ 'tap_1' AND here.rows ~ 'tap_1' IS NOT TRUE
        AND NOT name IN ('payroll.role_restriction', 'pipeline.run', 'report.run_history')
    $$, role), role || ' sees all of its own')
FROM unnest(ARRAY['tap_one', 'tap_team', 'tap_reader']) AS role;
SELECT isnt_empty($$SELECT FROM pg_temp.readable('tap_all') WHERE name = 'report.payroll_ready' AND rows ~ 'tap_2'$$,
    'who is not restricted sees both');
SELECT is(pg_temp.as_role('payroll_loader', 'SELECT count(*) FROM payroll.contribution WHERE company_id LIKE ''tap%'''), '2',
    'and load too');
SELECT is_empty($$
    SELECT c.oid::regclass FROM pg_class AS c
    WHERE c.relnamespace::regnamespace::text IN ('payroll', 'pipeline') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND NOT c.relrowsecurity
        AND c.relname NOT IN ('discrepancy_code', 'dispense_ground', 'social_rate', 'social_ceiling', 'exemption_limit',
                              'variance_reason', 'retention', 'migration', 'suspended')
    $$, 'every table that is not the same for all is guarded');
SELECT is_empty($$
    SELECT p.oid::regclass FROM pg_class AS p WHERE p.relispartition AND p.relnamespace = 'payroll'::regnamespace
        AND (has_table_privilege('payroll_manager', p.oid, 'SELECT') OR has_table_privilege('payroll_reader', p.oid, 'SELECT'))
    $$, 'no partition can be read behind its table');
SELECT is(pg_temp.as_role('tap_one', $$SELECT count(*) FROM pg_stats WHERE schemaname = 'payroll'$$), '0',
    'nor the statistics of what is guarded');

-- ---- functions ----

SELECT matches(pg_temp.as_role('tap_one', call), 'unknown company ''tap_2''|there is no discrepancy', 'no call: ' || call)
FROM (VALUES
    ($$SELECT payroll.link_member('tap_2', 'mem', 'emp', 'x')$$),
    ($$SELECT payroll.unlink_member('tap_2', 'mem', 'x')$$),
    ($$SELECT payroll.record_dispense('tap_2', 'emp', 'c2s', '2020-01-01', NULL, NULL, 'x')$$),
    ($$SELECT payroll.end_dispense('tap_2', 'emp', '2020-01-01', 'x')$$),
    ($$SELECT payroll.close_period('tap_2', '1999-01-01', 'x')$$),
    ($$SELECT payroll.reopen_period('tap_2', '1999-01-01', 'x')$$),
    ($$SELECT payroll.verify_period('tap_2', '1999-01-01')$$),
    ($$SELECT payroll.forget_person('tap_2', 'emp', 'x')$$),
    ($$SELECT payroll.set_account('tap_2', 'fee', '6452', 'x', 'x')$$)) AS c (call);
SELECT matches(pg_temp.as_role('tap_one', format('SELECT payroll.%s(%s, ''x'')', name, d.id)), 'there is no discrepancy',
               'no ' || name)
FROM payroll.discrepancy AS d, unnest(ARRAY['accept_discrepancy', 'progress_discrepancy', 'reopen_discrepancy']) AS name
WHERE d.company_id = 'tap_2';
SELECT matches(pg_temp.as_role('tap_one', $$SELECT payroll.set_account(NULL, 'fee', '6452', 'x', 'x')$$), '^42501 .*all of',
               'no account of all companies');
SELECT is(pg_temp.as_role('tap_one', format('SELECT payroll.masked_identity(%L, ''1999-01-01'', ''emp'')', id)), wanted,
          'identities of ' || id)
FROM (VALUES ('tap_1', '{"2 95 ** ** *** ***","1 **********"}'), ('tap_2', NULL)) AS i (id, wanted);
SELECT matches(pg_temp.as_role('tap_one', 'SELECT payroll.' || call), '^42501', 'a manager does not lift it: ' || call)
FROM unnest(ARRAY['restrict_role(''tap_one'', NULL, ''x'')', 'guard_companies()', 'may_see(''tap_2'')']) AS call;
SELECT matches(pg_temp.as_role('tap_one', $$SELECT payroll.verify_period('tap_1', '1999-01-01')$$), 'ok',
               'its own company as before');
SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc AS p
    WHERE p.pronamespace = 'payroll'::regnamespace AND p.prosecdef
        AND has_function_privilege('payroll_manager', p.oid, 'EXECUTE')
        AND p.proname NOT IN ('link_member', 'unlink_member', 'record_dispense', 'end_dispense', 'close_period',
            'reopen_period', 'verify_period', 'set_account', 'accept_discrepancy', 'progress_discrepancy',
            'reopen_discrepancy', 'masked_identity', 'forget_person', 'visible_companies', 'last_run', 'run_period')
    $$, 'no function with its owner''s rights has been forgotten here');

-- ---- changed, lifted ----

SELECT throws_ok($$SELECT payroll.restrict_role('nobody_at_all', '{}', 'x')$$, '42704', NULL, 'an unknown role');
SELECT throws_ok($$SELECT payroll.restrict_role('payroll_loader', '{}', 'x')$$, '22023', NULL, 'load needs all');
SELECT throws_ok($$SELECT payroll.restrict_role('tap_one', '{nowhere}', 'x')$$, 'P0002', NULL, 'an unknown company');
DO $$BEGIN PERFORM payroll.restrict_role('tap_one', '{tap_1,tap_2}', 'both now'); END$$;
SELECT is(pg_temp.as_role('tap_team', $$SELECT count(*) FROM payroll.company WHERE company_id LIKE 'tap%'$$), '2',
    'the list is stated as a whole');
ALTER ROLE tap_one RENAME TO tap_renamed;
SELECT is(pg_temp.as_role('tap_renamed', 'SELECT payroll.visible_companies(current_user)'), '{tap_1,tap_2}',
    'a role renamed stays restricted');
DO $$BEGIN PERFORM payroll.restrict_role(r, NULL, 'left')
     FROM unnest(ARRAY['tap_renamed', 'tap_reader', 'tap_none']) AS r; END$$;
SELECT is_empty($$SELECT oid::regclass FROM pg_class WHERE relnamespace::regnamespace::text IN ('payroll', 'pipeline')
                  AND relrowsecurity$$, 'with the last restriction row-level security is gone');
SELECT results_eq($$SELECT note, ended_at IS NULL FROM payroll.role_restriction ORDER BY restriction_id$$,
    $$VALUES ('her client', false), ('x', false), ('x', false), ('both now', false)$$, 'what was set stays on record');

SELECT * FROM finish();
ROLLBACK;
