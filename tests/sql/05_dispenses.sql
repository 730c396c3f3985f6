-- payroll.record_dispense and payroll.end_dispense.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(31);

INSERT INTO payroll.company VALUES ('tap_1', '362521879', 'Acme', 14);
INSERT INTO payroll.employee (company_id, employee_id, last_name)
    VALUES ('tap_1', 'emp_1', 'Un'), ('tap_1', 'emp_2', 'Deux');
CREATE VIEW pg_temp.in_force AS
SELECT employee_id, ground, valid_from, valid_to, proof, note FROM payroll.dispense
WHERE company_id = 'tap_1' AND ended_at IS NULL ORDER BY employee_id, valid_from;

-- ---- what is refused ----

SELECT throws_ok($$SELECT payroll.record_dispense('tap_0', 'emp_1', 'c2s', '2026-01-01', NULL, NULL, 'x')$$, 'P0002',
                 'unknown company ''tap_0''', 'an unknown company');
SELECT throws_ok($$SELECT payroll.record_dispense('tap_1', 'emp_0', 'c2s', '2026-01-01', NULL, NULL, 'x')$$, 'P0002',
                 'company ''tap_1'' has no employee ''emp_0''', 'an unknown employee');
SELECT throws_ok($$SELECT payroll.record_dispense('tap_1', 'emp_1', 'fancy', '2026-01-01', NULL, NULL, 'x')$$, '22023',
                 '''fancy'' is no ground for a dispense', 'an unknown ground');
SELECT throws_ok($$SELECT payroll.record_dispense('tap_1', 'emp_1', NULL, '2026-01-01', NULL, NULL, 'x')$$, '22023',
                 'NULL is no ground for a dispense', 'no ground');
SELECT throws_ok($$SELECT payroll.record_dispense('tap_1', 'emp_1', 'c2s', NULL, NULL, NULL, 'x')$$, '22023',
                 'a dispense cannot run from NULL to NULL', 'no first day');
SELECT throws_ok($$SELECT payroll.record_dispense('tap_1', 'emp_1', 'c2s', '2026-02-01', '2026-01-31', NULL, 'x')$$,
    '22023',
                 'a dispense cannot run from ''2026-02-01'' to ''2026-01-31''', 'an end before the beginning');
SELECT throws_ok($$SELECT payroll.record_dispense('tap_1', 'emp_1', 'c2s', '2026-01-01', NULL, repeat('é', 251),
    'x')$$, '22023',
                 'proof is longer than 500 bytes', 'a long proof');
SELECT throws_ok($$SELECT payroll.record_dispense('tap_1', 'emp_1', 'c2s', '2026-01-01', NULL, NULL, ' ')$$, '22023',
                 'the note is empty', 'an empty note');
SELECT throws_ok($$SELECT payroll.end_dispense('tap_1', 'emp_1', '2026-01-01', 'x')$$, 'P0002',
                 'employee ''emp_1'' of company ''tap_1'' has no dispense that could end on 2026-01-01',
                     'nothing to end');
SELECT throws_ok($$SELECT payroll.end_dispense('tap_1', 'emp_1', NULL, 'x')$$, '22023', 'valid_to is missing',
    'no last day');
SELECT throws_ok($$SELECT payroll.end_dispense('tap_0', 'emp_1', '2026-01-01', 'x')$$, 'P0002',
    'unknown company ''tap_0''',
                 'an unknown company');
SELECT is_empty($$SELECT FROM payroll.dispense WHERE company_id = 'tap_1'$$, 'none of these left a trace');

-- ---- what works ----

SELECT is(payroll.record_dispense('tap_1', 'emp_1', 'c2s', '2026-01-01', '2026-12-31', ' certificate.pdf ', 'seen'),
          'employee emp_1 is exempt (c2s) from 2026-01-01 to 2026-12-31', 'a dispense');
SELECT results_eq('SELECT * FROM pg_temp.in_force',
                  $$VALUES ('emp_1', 'c2s', date '2026-01-01', date '2026-12-31', 'certificate.pdf', 'seen')$$,
                      'is in force');
SELECT is((SELECT recorded_by FROM payroll.dispense
    WHERE company_id = 'tap_1'), session_user::text COLLATE "default", 'with who recorded it');
SELECT throws_ok(format('SELECT payroll.record_dispense(''tap_1'', ''emp_1'', ''individual'', %L, %L, NULL, ''x'')',
    valid_from, valid_to),
                 '23P01', 'employee ''emp_1'' already has a dispense (c2s) from 2026-01-01 to 2026-12-31', what)
FROM (VALUES ('2025-01-01'::date, '2026-01-01'::date, 'one that overlaps on the first day'),
             ('2026-12-31', NULL, 'on the last day'), ('2026-03-01', '2026-03-31', 'inside'),
             ('2020-01-01', NULL, 'all around')) AS p (valid_from, valid_to, what);
SELECT lives_ok($$SELECT payroll.record_dispense('tap_1', 'emp_1', 'individual', '2027-01-01', NULL, '', 'x')$$,
                'one that follows at once, without end nor proof');
SELECT lives_ok($$SELECT payroll.record_dispense('tap_1', 'emp_2', 'act_before', '2026-03-01', NULL, NULL, 'x')$$,
                'another employee''s');

SELECT throws_like($$SELECT payroll.end_dispense('tap_1', 'emp_1', '2025-06-30', 'x')$$, '%could end on 2025-06-30',
                   'none runs on that day');
SELECT is(payroll.end_dispense('tap_1', 'emp_1', '2026-06-30', 'now covered'),
    'the dispense of employee emp_1 ends on 2026-06-30',
          'ended early');
SELECT results_eq($$SELECT * FROM pg_temp.in_force$$,
                  $$VALUES ('emp_1', 'c2s', date '2026-01-01', date '2026-06-30', 'certificate.pdf', 'seen'),
                           ('emp_1', 'individual', '2027-01-01', NULL, NULL, 'x'),
                           ('emp_2', 'act_before', '2026-03-01', NULL, NULL, 'x')$$,
                  'a shorter one takes its place');
SELECT results_eq($$SELECT valid_to, ended_by, end_note FROM payroll.dispense
                    WHERE company_id = 'tap_1' AND ended_at IS NOT NULL$$,
                  $$VALUES (date '2026-12-31', session_user::text COLLATE "default", 'now covered')$$,
                      'the first record stays as it was');
SELECT throws_like($$SELECT payroll.end_dispense('tap_1', 'emp_1', '2026-06-30', 'x')$$, '%could end on 2026-06-30',
                   'it ends that day already');
SELECT is(payroll.end_dispense('tap_1', 'emp_2', '2026-02-28', 'a mistake'),
          'the dispense of employee emp_2 from 2026-03-01 is withdrawn', 'the day before the first day withdraws it');
SELECT is_empty($$SELECT * FROM pg_temp.in_force WHERE employee_id = 'emp_2'$$, 'nothing takes its place');
SELECT is((SELECT count(*) FROM payroll.dispense WHERE company_id = 'tap_1' AND employee_id = 'emp_2'), 1::bigint,
          'it stays on record');
SELECT lives_ok($$SELECT payroll.record_dispense('tap_1', 'emp_2', 'c2s', '2026-03-01', '2026-03-01', NULL,
    'right this time')$$,
                'and can be recorded anew, for one day');

SELECT bag_eq('SELECT ground, needs_proof FROM payroll.dispense_ground', $$VALUES
    ('c2s', true), ('individual', true), ('other_collective', true), ('short_contract', true), ('short_time', true),
    ('act_before', false), ('act_fixed_term_12', true), ('act_fixed_term', false), ('act_ten_percent', false)$$,
        'the grounds');

SELECT * FROM finish();
ROLLBACK;
