-- Closing, reopening and verifying payroll months; what a closed month shows; that nobody changes it.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(115);

DO $$BEGIN
    PERFORM payroll.ensure_partition(m) FROM unnest(ARRAY['2026-03-01', '2026-04-01', '2026-05-01']::date[]) AS m;
END$$;

INSERT INTO payroll.company VALUES ('tap_1', '362521879', 'Acme', 14), ('tap_2', '552008443', 'Beta', 10),
    ('tap_3', '443121975', 'Empty', 3);
INSERT INTO payroll.contract (company_id, contract_id, product, reference, insurer_code, delegate_code, valid_from, status,
    proration) VALUES
    ('tap_1', 'con_h', 'health', 'SANTE0000000001', 'AALAN1', 'D1', '2024-01-01', 'active', 'none');
INSERT INTO payroll.invoice VALUES ('tap_1', 'inv_1', 'F-2026-04', 'invoice', '362521879', '2026-04-01', '2026-04-02',
    '2026-05-01', 'EUR', 23420, 2, 'issued', NULL);
INSERT INTO payroll.employee (company_id, employee_id, matricule, nir, ntt, first_name, last_name) VALUES
    ('tap_1', 'emp_1', 'M1', '295109912611193', NULL, 'Anne', 'Un'),
    ('tap_1', 'emp_2', 'M2', NULL, '1362521879ABC777', 'Bruno', 'Deux');
INSERT INTO payroll.employment (company_id, employment_id, employee_id, siret, starts_on, category) VALUES
    ('tap_1', 'job_1', 'emp_1', '36252187900034', '2024-01-01', 'executive'),
    ('tap_1', 'job_2', 'emp_2', '36252187900042', '2024-01-01', NULL);
INSERT INTO payroll.affiliation (company_id, affiliation_id, member_id, contract_id, status, partners, children, others,
    starts_on, ends_on) VALUES
    ('tap_1', 'aff_0', 'mem_1', 'con_h', 'ended', 0, 0, 0, '2024-01-01', '2026-03-31'),
    ('tap_1', 'aff_1', 'mem_1', 'con_h', 'active', 1, 2, 0, '2026-04-01', NULL);

CREATE FUNCTION pg_temp.contribution(line text, employment text, amount bigint, employer bigint, change jsonb)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO payroll.contribution
    SELECT (jsonb_populate_record(NULL::payroll.contribution, jsonb_build_object(
        'company_id', 'tap_1', 'payroll_month', '2026-04-01', 'invoice_id', 'inv_1', 'line_id', line,
        'employment_id', employment, 'contract_id', 'con_h', 'billing_month', '2026-04-01', 'product', 'health',
        'component', 'fixed', 'member_type', 'employee', 'cover_from', '2026-04-01', 'cover_to', '2026-04-30',
        'kind', 'regular', 'amount_cents', amount, 'employer_cents', employer, 'employee_cents', amount - employer,
        'status', 'ready') || change)).*
$$;
DO $$BEGIN
    PERFORM pg_temp.contribution('l1', 'job_1', 11710, 7026,
        '{"member_id": "mem_1", "option_code": "OPT1", "population_code": "POP1"}');
    PERFORM pg_temp.contribution('l2', 'job_2', 5855, 2928, '{"base_cents": 100}');
    PERFORM pg_temp.contribution('fee', NULL, 500, 500, '{}');
    PERFORM pg_temp.contribution('h1', NULL, 3000, 1500,
        '{"member_id": "mem_9", "status": "held", "hold_code": "member_not_in_payroll"}');
    PERFORM pg_temp.contribution('h2', 'job_2', 4000, 2000, '{"status": "held", "hold_code": "exempt_but_billed"}');
    -- what was held and what credits it again
    PERFORM pg_temp.contribution('h3', 'job_1', 700, 350, '{"status": "held", "hold_code": "billed_after_exit"}');
    PERFORM pg_temp.contribution('h4', 'job_1', -700, -350, '{"status": "held", "hold_code": "billed_after_exit"}');
    PERFORM pg_temp.contribution('m0', 'job_1', 11710, 7026, '{"payroll_month": "2026-03-01", "billing_month": "2026-03-01",
        "cover_from": "2026-03-01", "cover_to": "2026-03-31", "member_id": "mem_1"}');
    PERFORM pg_temp.contribution('b1', 'job_1', 100, 50, '{"company_id": "tap_2"}');
END$$;
INSERT INTO payroll.coverage VALUES ('tap_1', '2026-04-01', 'job_2', 'emp_2', 'not_affiliated');
INSERT INTO payroll.invoice_control VALUES
    ('tap_1', '2026-04-01', 'inv_1', '2026-04-01', 7, 25065, 25065, 18065, 0, 7000, 0);
INSERT INTO payroll.period (company_id, payroll_month, status) VALUES ('tap_1', '2026-03-01', 'open'),
    ('tap_1', '2026-04-01', 'open'), ('tap_2', '2026-04-01', 'open'), ('tap_3', '2026-04-01', 'open'),
    ('tap_1', '2032-01-01', 'open');
INSERT INTO payroll.discrepancy (company_id, payroll_month, code, severity, subject_type, subject_id, member_id,
    held_cents, first_seen_at, last_seen_at, first_seen_run, last_seen_run)
VALUES ('tap_1', '2026-04-01', 'member_not_in_payroll', 'error', 'member', 'mem_9', 'mem_9', 3000, now(), now(), 'r', 'r');
-- what was credited: May does not read the credit while April is open
INSERT INTO payroll.discrepancy (company_id, payroll_month, code, severity, subject_type, subject_id, employment_id,
    contract_id, cover_month, held_cents, first_seen_at, last_seen_at, first_seen_run, last_seen_run)
VALUES ('tap_1', '2026-05-01', 'billed_after_exit', 'error', 'employment', 'job_1', 'job_1', 'con_h', '2026-04-01', 700,
    now(), now(), 'r', 'r');

CREATE FUNCTION pg_temp.me() RETURNS text LANGUAGE sql AS 'SELECT session_user::text COLLATE "default"';
CREATE FUNCTION pg_temp.id() RETURNS bigint LANGUAGE sql AS
    $$SELECT max(id) FROM payroll.discrepancy WHERE company_id = 'tap_1' AND code = 'member_not_in_payroll'$$;

-- ---- what cannot be closed ----

SELECT throws_ok($$SELECT payroll.close_period('nobody', '2026-04-01', 'x')$$, 'P0002', 'unknown company ''nobody''',
                 'an unknown company');
SELECT throws_ok($$SELECT payroll.close_period('tap_1', '2026-04-02', 'x')$$, '22023',
                 'a payroll month is given by its first day, not ''2026-04-02''', 'a day inside a month');
SELECT throws_ok($$SELECT payroll.close_period('tap_1', NULL, 'x')$$, '22023', NULL, 'no month');
SELECT throws_ok($$SELECT payroll.close_period('tap_1', '2026-04-01', ' ')$$, '22023', 'the note is empty', 'no reason');
SELECT throws_ok($$SELECT payroll.close_period('tap_1', '2026-02-01', 'x')$$, 'P0002',
                 'payroll month 2026-02 of company ''tap_1'' is unknown: it was never loaded', 'a month never loaded');
SELECT throws_matching($$SELECT payroll.close_period('tap_1', '2032-01-01', 'x')$$,
                 '^payroll month 2032-01 of company ''tap_1'' lies in the future: the current month is 20', 'a future month');
SELECT throws_ok($$SELECT payroll.close_period_at('tap_1', '2026-04-01', 'x', '2026-03-31 12:00Z')$$, '55000',
                 'payroll month 2026-04 of company ''tap_1'' lies in the future: the current month is 2026-03',
                 'future by the instant given');
SELECT throws_ok($$SELECT payroll.close_period('tap_1', '2026-04-01', 'x')$$, '55000',
                 'payroll month 2026-04 of company ''tap_1'' cannot be closed while 2026-03 is open: months are closed in '
                 'their order', 'an earlier month is open');
SELECT throws_ok($$SELECT payroll.reopen_period('tap_1', '2026-03-01', 'x')$$, '55000',
                 'payroll month 2026-03 of company ''tap_1'' is not closed', 'an open month is not reopened');
SELECT throws_ok($$SELECT payroll.verify_period('tap_1', '2026-03-01')$$, '55000',
                 'payroll month 2026-03 of company ''tap_1'' is not closed: there is nothing to verify', 'nor verified');

SELECT matches(payroll.close_period('tap_1', '2026-03-01', 'March is out'),
    '^payroll month 2026-03 of company tap_1 is closed: 1 rows, employer €70.26, employees €46.84, held back €0.00, '
    'digest [0-9a-f]{64}$',
    'March');
SELECT matches(payroll.close_period('tap_1', '2026-03-01', 'March is out'), 'is closed: 1 rows, employer €70.26',
    'asked again in the same words: answered as before');
SELECT throws_matching($$SELECT payroll.close_period('tap_1', '2026-03-01', 'again')$$,
    '^payroll month 2026-03 of company ''tap_1'' is closed already, by ' || session_user || ' on 20.* UTC$',
    'a second manager is told who was first');

-- ---- held money ----

SELECT throws_ok($$SELECT payroll.close_period('tap_1', '2026-04-01', 'x')$$, '55000', format(
    'payroll month 2026-04 of company ''tap_1'' cannot be closed: discrepancy %s (member_not_in_payroll, member mem_9) holds '
    '€30.00, invoice line h2 (exempt_but_billed) holds €40.00 and no discrepancy tells of it any more', pg_temp.id()),
    'held money: which discrepancy holds how much, and what none tells of');
INSERT INTO payroll.discrepancy (company_id, payroll_month, code, severity, subject_type, subject_id, employment_id,
    contract_id, cover_month, held_cents, first_seen_at, last_seen_at, first_seen_run, last_seen_run)
VALUES ('tap_1', '2026-05-01', 'exempt_but_billed', 'error', 'employment', 'job_2', 'job_2', 'con_h', '2026-04-01', 4000,
    now(), now(), 'r', 'r');
UPDATE payroll.discrepancy SET status = 'accepted' WHERE company_id = 'tap_1' AND code = 'exempt_but_billed';
SELECT throws_ok($$SELECT payroll.close_period('tap_1', '2026-04-01', 'x')$$, '55000', format(
    'payroll month 2026-04 of company ''tap_1'' cannot be closed: discrepancy %s (member_not_in_payroll, member mem_9) holds '
    '€30.00', pg_temp.id()), 'one that is accepted no longer does, though a later month has seen it');
DO $$BEGIN PERFORM payroll.progress_discrepancy(pg_temp.id(), 'Alan looks into it'); END$$;
SELECT throws_like($$SELECT payroll.close_period('tap_1', '2026-04-01', 'x')$$, '%cannot be closed%',
    'one that somebody works on does');
SELECT is_empty($$SELECT FROM payroll.closed_row WHERE payroll_month = '2026-04-01'$$, 'nothing was frozen');
DO $$BEGIN PERFORM payroll.accept_discrepancy(pg_temp.id(), 'carried into May'); END$$;

-- ---- closing ----

CREATE TEMP TABLE before AS SELECT * FROM report.payroll_ready WHERE company_id = 'tap_1';
CREATE TEMP TABLE line_before AS SELECT * FROM payroll.contribution_line WHERE company_id = 'tap_1';
CREATE TEMP TABLE overview_before AS SELECT * FROM report.contribution_overview
    WHERE company_id = 'tap_1' AND payroll_month <= '2026-04-01';
SELECT lives_ok($$SELECT payroll.close_period('tap_1', '2026-04-01', 'April is out')$$, 'April');
SELECT results_eq($$SELECT status, closed_by, note, digest ~ '^[0-9a-f]{64}$' FROM report.period_status
                    WHERE company_id = 'tap_1' AND payroll_month = '2026-04-01'$$,
                  $$SELECT 'closed'::text, pg_temp.me(), 'April is out'::text, true$$, 'who, why and the digest');
SELECT set_eq('SELECT * FROM report.payroll_ready WHERE company_id = ''tap_1''', 'TABLE before', 'the rows are the same');
SELECT set_eq('SELECT * FROM payroll.contribution_line WHERE company_id = ''tap_1''', 'TABLE line_before',
              'line by line');
SELECT results_eq($$SELECT line_id, siret, employee_id, matricule, nir, ntt, last_name, category, invoice_number,
        contract_reference, insurer_code, delegate_code, affiliation_id, partners, children, headcount, forfait_social_ppm
    FROM payroll.closed_row WHERE company_id = 'tap_1' AND payroll_month = '2026-04-01' AND status = 'ready'
    ORDER BY line_id$$, $$VALUES
    ('fee', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'F-2026-04', 'SANTE0000000001', 'AALAN1', 'D1', NULL, NULL::bigint,
        NULL::bigint, 14::bigint, 80000::bigint),
    ('l1', '36252187900034', 'emp_1', 'M1', '295109912611193', NULL, 'Un', 'executive', 'F-2026-04', 'SANTE0000000001',
        'AALAN1', 'D1', 'aff_1', 1, 2, 14, 80000),
    ('l2', '36252187900042', 'emp_2', 'M2', NULL, '1362521879ABC777', 'Deux', NULL, 'F-2026-04', 'SANTE0000000001',
        'AALAN1', 'D1', NULL, NULL, NULL, 14, 80000)$$, 'names, references and numbers are frozen');
SELECT is((SELECT count(*) FROM payroll.closed_row WHERE company_id = 'tap_1' AND payroll_month = '2026-04-01'), 7::bigint,
          'held money too');
SELECT is(payroll.verify_period('tap_1', '2026-04-01'), 'ok', 'verified');
SELECT is(payroll.close_reported(ARRAY['tap_3'], ARRAY[date '2026-04-01'], 'x'), 1::bigint, 'a month without any row');
SELECT is(payroll.verify_period('tap_3', '2026-04-01'), 'ok', 'is verified too');
SELECT is(digest, encode(sha256(''), 'hex'), 'its digest is that of nothing') FROM payroll.period
WHERE company_id = 'tap_3' AND payroll_month = '2026-04-01';

-- The digest as its definition says, reckoned by other means.
SELECT is(p.digest, encode(sha256(string_agg(sha256(convert_to(replace(f.text, E'\n', ''), 'UTF8')), ''::bytea
                                             ORDER BY f.line_id COLLATE "C")), 'hex'), 'the digest by its definition')
FROM payroll.period AS p
JOIN (SELECT r.company_id, r.payroll_month, r.line_id,
             '[' || (SELECT string_agg(coalesce(c.value::text, 'null'), ', ' ORDER BY array_position(ARRAY[
                 'company_id', 'payroll_month', 'line_id', 'employment_id', 'cover_from', 'cover_to', 'cover_month',
                 'status', 'hold_code', 'kind', 'invoice_id', 'invoice_number', 'billing_month', 'siren', 'siret',
                 'employee_id', 'matricule', 'nir', 'ntt', 'last_name', 'first_name', 'category', 'member_id',
                 'contract_id', 'product', 'contract_reference', 'insurer_code', 'delegate_code', 'component',
                 'member_type', 'option_code', 'population_code', 'affiliation_id', 'partners', 'children', 'others',
                 'headcount', 'forfait_social_ppm', 'base_cents', 'amount_cents', 'employer_cents', 'employee_cents'],
                 c.key)) FROM json_each(row_to_json(r)) AS c) || ']' AS text
      FROM payroll.closed_row AS r) AS f USING (company_id, payroll_month)
WHERE p.company_id = 'tap_1' AND p.payroll_month = '2026-04-01'
GROUP BY p.digest;

-- ---- what changes later does not show ----

UPDATE payroll.employee SET last_name = 'Mariée', matricule = 'X', nir = 'other'
WHERE company_id = 'tap_1' AND employee_id = 'emp_1';
UPDATE payroll.contract SET reference = 'OTHER', insurer_code = 'OTHER' WHERE company_id = 'tap_1';
UPDATE payroll.company SET headcount = 5 WHERE company_id = 'tap_1';
UPDATE payroll.employment SET siret = '55200844300011' WHERE company_id = 'tap_1';
UPDATE payroll.affiliation SET children = 9 WHERE company_id = 'tap_1';
UPDATE payroll.social_rate SET rate_ppm = 1 WHERE name = 'forfait_social';
SELECT set_eq('SELECT * FROM report.payroll_ready WHERE company_id = ''tap_1''', 'TABLE before',
              'a closed month shows names, references and rates as they were');
SELECT set_eq('SELECT * FROM payroll.contribution_line WHERE company_id = ''tap_1''', 'TABLE line_before', 'in every line');
SELECT is((SELECT last_name FROM payroll.live_line WHERE company_id = 'tap_1' AND line_id = 'l1'), 'Mariée',
          'while the line as it is now has the new ones');
SELECT is(payroll.verify_period('tap_1', '2026-04-01'), 'ok', 'still verified');

-- ---- nobody changes it ----

SELECT throws_ok(statement, '55000', 'payroll month 2026-04 of company ''tap_1'' is closed: no ' || what, what)
FROM (VALUES
    ('insert of contribution', $$SELECT pg_temp.contribution('new', 'job_1', 1, 1, '{}')$$),
    ('update of contribution', $$UPDATE payroll.contribution SET employer_cents = employer_cents
        WHERE line_id IN ('b1', 'l1')$$),
    ('update of contribution', $$UPDATE payroll.contribution SET payroll_month = '2026-05-01' WHERE line_id = 'l1'$$),
    ('update of contribution', $$UPDATE payroll.contribution SET company_id = 'tap_1' WHERE line_id = 'b1'$$),
    ('delete of contribution', $$DELETE FROM payroll.contribution WHERE line_id = 'h1'$$),
    ('insert of contribution_2026_04', $$INSERT INTO payroll.contribution_2026_04
        SELECT company_id, payroll_month, invoice_id, 'new', employment_id, member_id, contract_id, billing_month, product,
            component, member_type, option_code, population_code, cover_from, cover_to, kind, base_cents, amount_cents,
            employer_cents, employee_cents, status, hold_code FROM payroll.contribution WHERE line_id = 'l1'$$),
    ('update of contribution_2026_04', $$UPDATE payroll.contribution_2026_04 SET kind = 'reversal'$$),
    ('delete of contribution_2026_04', $$DELETE FROM payroll.contribution_2026_04 WHERE company_id = 'tap_1'$$),
    ('insert of coverage', $$INSERT INTO payroll.coverage VALUES ('tap_1', '2026-04-01', 'job_1', 'emp_1', 'pending')$$),
    ('update of coverage', $$UPDATE payroll.coverage SET reason = 'pending'$$),
    ('delete of coverage', $$DELETE FROM payroll.coverage$$),
    ('update of invoice_control', $$UPDATE payroll.invoice_control SET line_count = 8$$),
    ('delete of invoice_control', $$DELETE FROM payroll.invoice_control$$),
    ('update of closed_row', $$UPDATE payroll.closed_row SET last_name = 'x' WHERE payroll_month = '2026-04-01'$$),
    ('delete of closed_row', $$DELETE FROM payroll.closed_row WHERE line_id = 'l1'$$),
    ('update of closed_row_2026_04', $$UPDATE payroll.closed_row_2026_04 SET matricule = 'x'$$),
    ('insert of closed_row', $$INSERT INTO payroll.closed_row SELECT (jsonb_populate_record(r, '{"line_id": "new"}')).*
        FROM payroll.closed_row AS r WHERE line_id = 'l1'$$)) AS v (what, statement);
SELECT throws_like('TRUNCATE ' || name, 'payroll month 2026-0_ of company ''tap_1'' is closed: no truncate of %',
                   'no truncate of ' || name)
FROM unnest(ARRAY['payroll.contribution', 'payroll.contribution_2026_04', 'payroll.coverage', 'payroll.invoice_control',
                  'payroll.closed_row', 'payroll.closed_row_2026_04']) AS name;
SELECT throws_ok(statement, '55000', NULL, statement)
FROM unnest(ARRAY[
    $$UPDATE payroll.period_event SET note = 'x'$$, $$DELETE FROM payroll.period_event$$,
    $$TRUNCATE payroll.period_event$$, $$TRUNCATE payroll.period$$]) AS statement;
SELECT throws_ok($$UPDATE payroll.period SET note = 'x' WHERE company_id = 'tap_2'$$, '55000',
    'payroll month 2026-04 of company ''tap_2'' is closed and reopened by functions only', 'no period without its history');
SELECT lives_ok($$DELETE FROM payroll.contribution WHERE line_id = 'b1'$$, 'another company''s open month can be changed');
SELECT lives_ok($$UPDATE payroll.contribution SET kind = 'reversal' WHERE payroll_month = '2026-05-01'$$,
    'and a later month');

-- ---- a damage is found ----

SET LOCAL session_replication_role = replica; -- no triggers
UPDATE payroll.closed_row SET employer_cents = employer_cents + 1, employee_cents = employee_cents - 1
WHERE company_id = 'tap_1' AND line_id = 'l1';
SELECT matches(payroll.verify_period('tap_1', '2026-04-01'),
    '^the frozen rows are not those of the close: their digest is [0-9a-f]{64}, that of the close [0-9a-f]{64}; '
    'contributions and frozen rows differ in 1 lines: l1$', 'one cent moved');
UPDATE payroll.closed_row SET employer_cents = employer_cents - 1, employee_cents = employee_cents + 1
WHERE company_id = 'tap_1' AND line_id = 'l1';
SELECT is(payroll.verify_period('tap_1', '2026-04-01'), 'ok', 'and put back');
UPDATE payroll.closed_row SET last_name = 'Une' WHERE company_id = 'tap_1' AND line_id = 'l1';
SELECT matches(payroll.verify_period('tap_1', '2026-04-01'), '^the frozen rows are not those of the close: [^;]*$',
               'one letter');
UPDATE payroll.closed_row SET last_name = 'Un' WHERE company_id = 'tap_1' AND line_id = 'l1';
DELETE FROM payroll.contribution WHERE line_id IN ('l2', 'fee');
SELECT is(payroll.verify_period('tap_1', '2026-04-01'), 'contributions and frozen rows differ in 2 lines: fee, l2',
          'contributions that are gone');
INSERT INTO payroll.contribution SELECT company_id, payroll_month, invoice_id, line_id, employment_id, member_id, contract_id,
    billing_month, product, component, member_type, option_code, population_code, cover_from, cover_to, kind, base_cents,
    amount_cents, employer_cents, employee_cents, status, hold_code
FROM payroll.closed_row WHERE line_id IN ('l2', 'fee');
SET LOCAL session_replication_role = DEFAULT;
SELECT is(payroll.verify_period('tap_1', '2026-04-01'), 'ok', 'and back');

-- ---- reopening ----

SELECT throws_ok($$SELECT payroll.reopen_period('tap_1', '2026-03-01', 'x')$$, '55000',
    'payroll month 2026-03 of company ''tap_1'' cannot be reopened: only the last closed month can, which is 2026-04',
    'only the last closed month');
SELECT throws_ok($$SELECT payroll.reopen_period('tap_1', '2026-04-01', '')$$, '22023', 'the note is empty', 'with a reason');
INSERT INTO payroll.payroll_period VALUES ('tap_1', '2026-04-01', 'closed', '2026-05-03 09:00Z');
SELECT throws_ok($$SELECT payroll.reopen_period('tap_1', '2026-04-01', 'x')$$, '55000',
    'payroll month 2026-04 of company ''tap_1'' cannot be reopened: the payroll system reports it closed since 2026-05-03',
    'not while payroll has it closed');
UPDATE payroll.payroll_period SET status = 'open', closed_at = NULL WHERE company_id = 'tap_1';
SELECT is(payroll.reopen_period('tap_1', '2026-04-01', 'a bonus was forgotten'),
    'payroll month 2026-04 of company tap_1 is open again; the next run of it may change it', 'reopened');
SELECT is_empty($$SELECT FROM payroll.closed_row WHERE company_id = 'tap_1' AND payroll_month = '2026-04-01'$$,
    'its frozen rows are given up');
SELECT is((SELECT DISTINCT last_name FROM report.payroll_ready WHERE company_id = 'tap_1' AND payroll_month = '2026-04-01'
           AND employee_id = 'emp_1'), 'Mariée', 'it shows what is true now');
SELECT lives_ok($$UPDATE payroll.contribution SET kind = 'regularisation' WHERE line_id = 'l1'$$, 'and can be changed');
SELECT lives_ok($$SELECT payroll.close_period('tap_1', '2026-04-01', 'again')$$, 'and closed again');
SELECT results_eq($$SELECT event, actor, note FROM report.period_history
                    WHERE company_id = 'tap_1' AND payroll_month = '2026-04-01' ORDER BY event_id$$,
    $$VALUES ('closed', pg_temp.me(), 'April is out'), ('reopened', pg_temp.me(), 'a bonus was forgotten'),
             ('closed', pg_temp.me(), 'again')$$, 'the history of who, when and why is kept');

-- ---- what extract reads ----

SELECT results_eq($$SELECT line_id, employment_id, sum(amount_cents)::bigint FROM payroll.contribution AS t
    JOIN payroll.period AS p USING (company_id, payroll_month)
    WHERE p.status = 'closed' AND t.status = 'ready' AND company_id = 'tap_1' GROUP BY 1, 2 ORDER BY 1$$,
    $$SELECT line_id, employment_id, sum(amount_cents)::bigint FROM payroll.closed_row
      WHERE status = 'ready' AND company_id = 'tap_1' GROUP BY 1, 2 ORDER BY 1$$,
    'what closed months gave, in their facts and in their frozen rows');

-- ---- roles ----

SELECT ok(has_function_privilege('payroll_manager', f, 'EXECUTE'), 'the manager calls ' || f)
FROM unnest(ARRAY['payroll.close_period(text,date,text)', 'payroll.reopen_period(text,date,text)',
                  'payroll.verify_period(text,date)']) AS f;
SELECT ok(has_function_privilege('payroll_loader', f, 'EXECUTE'), 'the loader calls ' || f)
FROM unnest(ARRAY['payroll.close_period_at(text,date,text,timestamptz)', 'payroll.reopen_period(text,date,text)',
                  'payroll.close_reported(text[],date[],text)']) AS f;
SELECT ok(NOT has_function_privilege('payroll_reader', p.oid, 'EXECUTE'), 'the reader does not call ' || p.oid::regprocedure)
FROM pg_proc AS p WHERE pronamespace = 'payroll'::regnamespace
    AND proname ~ '^(close|reopen|verify|freeze|check|holding|refuse|guard|lock)';
SELECT ok(NOT has_table_privilege(r, t, 'INSERT, UPDATE, DELETE, TRUNCATE'), r || ' does not write to ' || t)
FROM unnest(ARRAY['payroll_loader', 'payroll_manager', 'payroll_reader']) AS r,
     unnest(ARRAY['payroll.closed_row', 'payroll.period_event']) AS t;
SELECT throws_ok($$INSERT INTO payroll.period (company_id, payroll_month, status) VALUES ('tap_1', '2026-06-01', 'closed')$$,
    '23514', NULL, 'a period cannot be inserted closed without saying who closed it');
SELECT ok(NOT has_column_privilege('payroll_reader', 'payroll.closed_row', c, 'SELECT'), 'the reader does not see ' || c)
FROM unnest(ARRAY['nir', 'ntt']) AS c;
SET LOCAL ROLE payroll_reader;
SELECT isnt_empty($$SELECT * FROM report.payroll_ready WHERE company_id = 'tap_1' AND payroll_month = '2026-04-01'$$,
    'the reader reads a closed month');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
