-- Somebody gone beyond the legal period: no name, birth date nor number is left anywhere; amounts, and everybody else, are
-- as they were; closed months verify.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(43);

DO $$BEGIN PERFORM payroll.ensure_partition('2009-01-01'); PERFORM payroll.ensure_partition('2009-02-01'); END$$;
INSERT INTO payroll.company VALUES ('tap_1', '362521879', 'Acme', 14), ('tap_2', '552008443', 'Other', 3);
INSERT INTO payroll.employee (company_id, employee_id, matricule, nir, ntt, first_name, last_name, birth_name, birth_date)
SELECT c, 'old', 'MATOLD', '2 50 10 99 126 111 93', '1362521879OLD', 'Odette', 'Ancienne', 'Jadis', '1950-10-10'
FROM unnest(ARRAY['tap_1', 'tap_2']) AS c;
INSERT INTO payroll.employee (company_id, employee_id, matricule, nir, first_name, last_name, birth_date)
SELECT 'tap_1', e, 'MAT' || e, '185017512345609', 'Anne', 'Un ' || e, '1985-01-01'
FROM unnest(ARRAY['now', 'left', 'again']) AS e;
INSERT INTO payroll.employment (company_id, employment_id, employee_id, siret, starts_on, ends_on) VALUES
    ('tap_1', 'job_old', 'old', '36252187900034', '2000-01-01', '2009-02-10'),
    ('tap_1', 'job_now', 'now', '36252187900034', '2000-01-01', NULL),
    ('tap_1', 'job_left', 'left', '36252187900034', '2000-01-01', current_date - interval '5 years'),
    ('tap_1', 'job_again', 'again', '36252187900034', '2000-01-01', '2005-01-01');
INSERT INTO payroll.member (company_id, member_id, nir, first_name, last_name, birth_date, employee_id, matched_by) VALUES
    ('tap_1', 'm_old', '250109912611193', 'Odette', 'Ancienne', '1950-10-10', 'old', 'nir'),
    ('tap_1', 'm_again', '185017512345609', 'Anne', 'Un again', '1985-01-01', 'again', 'nir'),
    ('tap_1', 'm_other', '185017512345610', 'Zoé', 'Autre', '1985-01-01', 'now', 'nir'),
    ('tap_1', 'm_lost', '1700175123456', 'Perdu', 'Devue', '1970-01-01', NULL, 'none');
INSERT INTO payroll.affiliation (company_id, affiliation_id, member_id, contract_id, status, nir, first_name, last_name,
    birth_name, birth_date, starts_on, ends_on, exemption_proof) VALUES
    ('tap_1', 'a_old', 'm_old', 'con', 'ended', '250109912611193', 'Odette', 'Ancienne', 'Jadis', '1950-10-10',
     '2000-01-01', '2009-02-28', 'carte-ancienne.pdf'),
    ('tap_1', 'a_lost', 'm_lost', 'con', 'ended', '1700175123456', 'Perdu', 'Devue', NULL, '1970-01-01', '2000-01-01',
     '2008-01-01', NULL);
INSERT INTO payroll.contribution (company_id, payroll_month, invoice_id, line_id, employment_id, member_id, contract_id,
    billing_month, product, component, member_type, cover_from, cover_to, kind, amount_cents, employer_cents,
    employee_cents, status)
SELECT 'tap_1', m, 'inv', 'line_' || who || m, 'job_' || who, member, 'con', m, 'health', 'fixed', 'employee', m, m + 27,
    'regular', 1001, 601, 400, 'ready'
FROM unnest(ARRAY['2009-01-01', '2009-02-01']::date[]) AS m,
    (VALUES ('old', 'm_old'), ('now', 'm_now')) AS w (who, member);
-- the member of somebody else was taken for her
INSERT INTO payroll.contribution SELECT 'tap_1', '2009-01-01', 'inv', 'line_wrong', 'job_old', 'm_other', 'con', '2009-01-01',
    'health', 'fixed', 'employee', NULL, NULL, '2009-01-01', '2009-01-31', 'regular', NULL, 2, 1, 1, 'ready';
INSERT INTO payroll.discrepancy (company_id, payroll_month, code, severity, subject_type, subject_id, employee_id,
    member_id, expected, actual, candidates, status, first_seen_at, last_seen_at, first_seen_run, last_seen_run, resolved_at,
    resolved_by_run) VALUES
    ('tap_1', '2009-01-01', 'nir_mismatch', 'error', 'employee', 'old', 'old', 'm_old', '2 50 ** ** *** *** **', '2 51',
     '[{"employee_id": "old", "first_name": "Odette", "last_name": "Ancienne", "birth_date": "1950-10-10"}]', 'resolved',
     '2009-01-01', '2009-01-02', 'r', 'r', '2009-01-03', 'r'),
    ('tap_1', '2009-01-01', 'member_not_in_payroll', 'error', 'member', 'm_x', NULL, 'm_x', NULL, NULL,
     '[{"employee_id": "old", "last_name": "Ancienne"}, {"employee_id": "now", "last_name": "Un now"}]', 'open',
     '2009-01-01', '2009-01-02', 'r', 'r', NULL, NULL);
INSERT INTO payroll.discrepancy_event (company_id, discrepancy_id, actor, event, note)
SELECT company_id, id, 'marie', 'accepted', 'Ancienne a deux numéros' FROM payroll.discrepancy WHERE employee_id = 'old';
INSERT INTO pipeline.run (run_id, period, as_of, manifest_sha256, status, started_at)
VALUES ('tap_run', '2009-01-01', now(), repeat('0', 64), 'partial', now());
INSERT INTO pipeline.reject (run_id, stage, entity, company_id, reason, source, raw) VALUES
    ('tap_run', 'extract', 'employees', 'tap_1', 'bad_date', 'f', '{"nir": "2.50.10.99.126.111"}'),
    ('tap_run', 'extract', 'employees', NULL, 'bad_date', 'f', '{"name": "Odette Ancienne"}'),
    ('tap_run', 'extract', 'affiliations', 'tap_1', 'bad_date', 'f', '{"member_id": "m_old"}'),
    ('tap_run', 'extract', 'employees', 'tap_1', 'bad_date', 'f', '{"name": "somebody else"}'),
    ('tap_run', 'extract', 'employees', 'tap_2', 'bad_date', 'f', '{"name": "Odette Ancienne of tap_2"}');
INSERT INTO payroll.period (company_id, payroll_month, status)
VALUES ('tap_1', '2009-01-01', 'open'), ('tap_1', '2009-02-01', 'open');
INSERT INTO payroll.dispense (company_id, employee_id, ground, valid_from, valid_to, proof, note, recorded_by)
VALUES ('tap_1', 'old', 'c2s', '2005-01-01', '2005-12-31', 'carte-ancienne.pdf', 'Ancienne, C2S', 'marie');
INSERT INTO payroll.link (company_id, member_id, employee_id, note, recorded_by)
VALUES ('tap_1', 'm_old', 'old', 'Ancienne est bien Odette', 'marie');

-- ---- refused ----

CREATE FUNCTION pg_temp.refusal(who text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN payroll.forget_person('tap_1', who, 'legal period over');
EXCEPTION WHEN OTHERS THEN RETURN SQLERRM;
END
$$;
SELECT matches(pg_temp.refusal(who), wanted, 'refused: ' || who)
FROM (VALUES ('now', 'employment job_now has no end'),
             ('left', 'is kept until .*: 5 years after'),
             ('nobody', 'nothing tells when ''nobody'''),
             ('m_again', 'member ''m_again'' is employee ''again'''),
             ('old', 'payroll month 2009-01 is open')) AS r (who, wanted);
SELECT is_empty('SELECT FROM payroll.forgotten', 'nothing is forgotten by a refusal');
SELECT throws_ok($$SELECT payroll.forget_person('tap_1', 'old', ' ')$$, '22023', 'the note is empty', 'it wants a reason');
CREATE TEMP TABLE closed AS
SELECT payroll.close_period('tap_1', '2009-01-01', 'x') AS first, payroll.close_period('tap_1', '2009-02-01', 'x') AS next;
CREATE TEMP TABLE cents AS SELECT * FROM report.employee_ledger WHERE company_id = 'tap_1';
CREATE TEMP TABLE frozen AS SELECT to_jsonb(r) - payroll.identity_columns() AS told FROM payroll.closed_row AS r;
CREATE TEMP TABLE digest AS SELECT * FROM payroll.period;

-- ---- a closed month is guarded as before ----

SELECT throws_ok($$UPDATE payroll.closed_row SET $$ || change, '55000', NULL, 'refused: ' || change)
FROM unnest(ARRAY['last_name = ''Autre''', 'nir = NULL', 'last_name = ''***''', 'employer_cents = employee_cents, employee_cents = employer_cents',
    'last_name = ''***'', first_name = NULL, nir = NULL, ntt = NULL, matricule = NULL, siret = NULL']) AS change;

-- ---- done ----

SELECT matches(payroll.forget_person('tap_1', 'old', 'legal period over'), '^old of company tap_1 is forgotten: .* from 3 frozen',
               'forgotten');
CREATE FUNCTION pg_temp.traces(pattern text) RETURNS TABLE (name text, told text) LANGUAGE plpgsql AS $$
BEGIN
    FOR name IN SELECT c.oid::regclass FROM pg_class AS c
                WHERE c.relnamespace IN ('payroll'::regnamespace, 'pipeline'::regnamespace, 'report'::regnamespace)
                    AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition LOOP
        RETURN QUERY EXECUTE format('SELECT %L::text, t::text FROM %s AS t WHERE t::text ~ %L AND t::text !~ ''tap_2''',
                                    name, name, pattern);
    END LOOP;
END
$$;
SELECT is_empty($$SELECT * FROM pg_temp.traces('Odette|Ancienne|ancienne|Jadis|1950|MATOLD|250109|2 50|2\.50|879OLD')$$,
    'no table and no view tells of the person');
SELECT isnt_empty($$SELECT * FROM pg_temp.traces('Un now')$$, 'the search finds others');
SELECT results_eq($$SELECT company_id, nir, last_name FROM payroll.employee WHERE employee_id = 'old' ORDER BY 1$$,
    $$VALUES ('tap_1', NULL, '***'), ('tap_2', '2 50 10 99 126 111 93', 'Ancienne')$$, 'nor of another company''s');
SELECT results_eq($$SELECT member_id, last_name FROM payroll.member WHERE company_id = 'tap_1' ORDER BY 1$$,
    $$VALUES ('m_again', 'Un again'), ('m_lost', 'Devue'), ('m_old', '***'), ('m_other', 'Autre')$$,
    'a member that was only taken for her is left alone');
SELECT results_eq($$SELECT to_jsonb(r) - payroll.identity_columns() FROM payroll.closed_row AS r ORDER BY 1$$,
    'SELECT told FROM frozen ORDER BY 1', 'amounts, contracts and dates of frozen rows are as they were');
SELECT results_eq($$SELECT amount_cents, balance_cents FROM report.employee_ledger WHERE company_id = 'tap_1'
                    ORDER BY line_id, cover_from$$,
    'SELECT amount_cents, balance_cents FROM cents ORDER BY line_id, cover_from', 'and so is the ledger');
SELECT is(payroll.verify_period('tap_1', month), 'ok', 'verifies: ' || month)
FROM unnest(ARRAY['2009-01-01', '2009-02-01']::date[]) AS month;
SELECT results_eq($$SELECT event, note, digest IS DISTINCT FROM lag(digest) OVER (ORDER BY event_id)
                    FROM report.period_history WHERE company_id = 'tap_1' AND payroll_month = '2009-01-01' ORDER BY event_id$$,
    $$VALUES ('closed', 'x', true), ('forgotten', 'legal period over', true)$$, 'the history tells why the digest is another');
SELECT results_eq('SELECT payroll_month, status, closed_at, closed_by, note FROM payroll.period ORDER BY 1',
    'SELECT payroll_month, status, closed_at, closed_by, note FROM digest ORDER BY 1', 'closed when and by whom as before');
SELECT results_eq($$SELECT candidates -> 0 ->> 'employee_id', jsonb_array_length(candidates) FROM payroll.discrepancy
                    WHERE subject_id = 'm_x'$$, $$VALUES ('now', 1)$$, 'other candidates stay');
SELECT results_eq($$SELECT raw FROM pipeline.reject WHERE raw IS NOT NULL ORDER BY reject_id$$,
    $$VALUES ('{"name": "somebody else"}'), ('{"name": "Odette Ancienne of tap_2"}')$$, 'rejected records of others stay');
SELECT matches(pg_temp.refusal('m_lost'), 'm_lost of company tap_1 is forgotten: .* from 0 frozen', 'a member who was nobody''s');
SELECT is_empty($$SELECT * FROM pg_temp.traces('Devue|17001751')$$, 'and left no trace either');
SELECT matches(pg_temp.refusal('old'), 'is forgotten', 'twice is once');

-- ---- the next nights ----

UPDATE payroll.employee SET (nir, last_name, first_name, birth_date) = ('250109912611193', 'Ancienne', 'Odette', '1950-10-10')
WHERE company_id = 'tap_1' AND employee_id = 'old';
DELETE FROM payroll.member WHERE company_id = 'tap_1';
INSERT INTO payroll.member (company_id, member_id, nir, first_name, last_name, birth_date, employee_id, matched_by) VALUES
    ('tap_1', 'm_old', '250109912611193', 'Odette', 'Ancienne', '1950-10-10', 'old', 'nir'),
    ('tap_1', 'm_new', '185017512345611', 'Léa', 'Nouvelle', '1999-01-01', NULL, 'none');
INSERT INTO payroll.discrepancy (company_id, payroll_month, code, severity, subject_type, subject_id, candidates,
    first_seen_at, last_seen_at, first_seen_run, last_seen_run) VALUES ('tap_1', '2026-01-01', 'member_not_in_payroll',
    'error', 'member', 'm_new', '[{"employee_id": "old", "last_name": "Ancienne"}]', now(), now(), 'r', 'r');
SELECT is_empty($$SELECT * FROM pg_temp.traces('Odette|Ancienne|1950|250109')$$, 'a source does not bring the person back');
SELECT is(last_name, 'Nouvelle', 'others come as they are') FROM payroll.member WHERE member_id = 'm_new';

SELECT is(payroll.tells_of(raw, id), told, format('%s in %s', id, raw))
FROM (VALUES ('{"member_id":"m_old"}', 'm_old', true), ('{"id": 4711, "x": 1}', '4711', true), ('a;4711;b', '4711', true),
             ('4711', '4711', true), ('"e 1";x', 'e 1', true), ('{"id":"a.b"}', 'a.b', true), ('{"id":"a\b("}', 'a\b(', true),
             ('{"member_id":"m_older"}', 'm_old', false), ('{"id":47110}', '4711', false), ('{"id":"axb"}', 'a.b', false),
             (NULL, 'm_old', NULL)) AS t (raw, id, told);

-- ---- periods are data ----

DELETE FROM payroll.retention;
SELECT matches(pg_temp.refusal('again'), 'payroll.retention does not tell', 'an unknown period is not guessed');
INSERT INTO payroll.retention VALUES ('payslip', '2000-01-01', 5, 'a'), ('payslip', '2001-01-01', 100, 'b'),
    ('payslip', '2999-01-01', 1, 'c');
SELECT matches(pg_temp.refusal('again'), 'is kept until 2105-01-01: 100 years', 'the latest that has begun counts');

SELECT * FROM finish();
ROLLBACK;
