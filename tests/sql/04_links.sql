-- payroll.link_member and payroll.unlink_member.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(22);

INSERT INTO payroll.company VALUES ('tap_1', '362521879', 'Acme', 14), ('tap_2', '552008443', 'Other', 3);
INSERT INTO payroll.employee (company_id, employee_id, last_name) VALUES
    ('tap_1', 'emp_1', 'Un'), ('tap_1', 'emp_2', 'Deux'), ('tap_2', 'emp_3', 'Trois');
INSERT INTO payroll.member (company_id, member_id, last_name, employee_id, matched_by) VALUES
    ('tap_1', 'mem_1', 'Un', NULL, 'none'), ('tap_1', 'mem_2', 'Deux', 'emp_2', 'nir'), ('tap_1', 'mem_3', 'Un', NULL,
        'none');

-- ---- what is refused ----

SELECT throws_ok($$SELECT payroll.link_member('tap_0', 'mem_1', 'emp_1', 'x')$$, 'P0002', 'unknown company ''tap_0''',
                 'an unknown company');
SELECT throws_ok($$SELECT payroll.link_member(NULL, 'mem_1', 'emp_1', 'x')$$, 'P0002', 'unknown company NULL',
    'no company');
SELECT throws_ok($$SELECT payroll.link_member('tap_1', 'mem_0', 'emp_1', 'x')$$, 'P0002',
                 'company ''tap_1'' has no member ''mem_0'' at Alan', 'an unknown member');
SELECT throws_ok($$SELECT payroll.link_member('tap_1', 'mem_1', 'emp_0', 'x')$$, 'P0002',
                 'company ''tap_1'' has no employee ''emp_0''', 'an unknown employee');
SELECT throws_ok($$SELECT payroll.link_member('tap_1', 'mem_1', 'emp_3', 'x')$$, 'P0002',
                 'company ''tap_1'' has no employee ''emp_3''', 'another company''s employee');
SELECT throws_ok(format('SELECT payroll.link_member(''tap_1'', ''mem_1'', ''emp_1'', %L)', note), '22023', message,
    what)
FROM (VALUES (NULL, 'the note is empty', 'no note'),
             ('', 'the note is empty', 'an empty note'),
             (E' \t\n…-', 'the note is empty', 'a note without a word'),
             (repeat('x', 1001), 'the note has 1001 characters, at most 1000 are kept', 'a long note')) AS n (note,
                 message, what);
SELECT throws_ok($$SELECT payroll.link_member('tap_1', 'mem_2', 'emp_1', 'x')$$, '55000',
                 'the number of member ''mem_2'' is that of employee ''emp_2''', 'a link against a number');
INSERT INTO payroll.employment (company_id, employment_id, employee_id, siret, starts_on, ends_on) VALUES
    ('tap_1', 'job_1', 'emp_1', '36252187900034', '2020-01-01', '2026-02-28');
SELECT payroll.ensure_partition('2026-04-01');
INSERT INTO payroll.contribution (company_id, payroll_month, invoice_id, line_id, member_id, contract_id, billing_month, product,
    component, member_type, cover_from, cover_to, kind, amount_cents, employer_cents, employee_cents, status, hold_code)
VALUES ('tap_1', '2026-04-01', 'inv_1', 'line_1', 'mem_1', 'con_1', '2026-04-01', 'health', 'fixed', 'employee',
        '2026-03-01', '2026-03-31', 'regularisation', 11710, 11710, 0, 'held', 'member_not_in_payroll');
SELECT throws_ok($$SELECT payroll.link_member('tap_1', 'mem_1', 'emp_1', 'x')$$, '55000',
                 'employee ''emp_1'' left on 2026-02-28, and member ''mem_1'' is billed from 2026-03 on',
                 'a link to somebody who had left');
SELECT is_empty($$SELECT FROM payroll.link WHERE company_id LIKE 'tap\_%'$$, 'none of these left a trace');
UPDATE payroll.employment SET ends_on = '2026-03-01' WHERE company_id = 'tap_1';
SELECT lives_ok($$SELECT payroll.link_member('tap_1', 'mem_1', 'emp_1', 'x'), payroll.unlink_member('tap_1', 'mem_1', 'x')$$,
                'a month begun is enough');
DELETE FROM payroll.link WHERE company_id = 'tap_1';

-- ---- what works ----

SELECT is(payroll.link_member('tap_1', 'mem_1', 'emp_1', E'  married name, seen on her card\n'),
          'member mem_1 is employee emp_1 from the next run on', 'a link');
SELECT results_eq($$SELECT employee_id, note, recorded_by, recorded_at > now() - interval '1 minute', ended_at IS NULL
                    FROM payroll.link WHERE company_id = 'tap_1' AND member_id = 'mem_1'$$,
                  $$VALUES ('emp_1', 'married name, seen on her card', session_user::text COLLATE "default", true,
                      true)$$,
                  'with who, when and why');
SELECT throws_like($$SELECT payroll.link_member('tap_1', 'mem_1', 'emp_2', 'x')$$,
                   'member ''mem_1'' is already linked to employee ''emp_1'', by % on ____-__-__', 'a second link');
SELECT lives_ok($$SELECT payroll.link_member(company_id => 'tap_1', member_id => 'mem_3', employee_id => 'emp_1',
    note => 'x')$$,
                'two members may be one employee, and arguments have names');
SELECT is(payroll.unlink_member('tap_1', 'mem_1', 'it was her sister'),
          'member mem_1 is no longer linked to employee emp_1 from the next run on', 'a link taken back');
SELECT results_eq($$SELECT note, ended_by, end_note, ended_at >= recorded_at FROM payroll.link
                    WHERE company_id = 'tap_1' AND member_id = 'mem_1'$$,
                  $$VALUES ('married name, seen on her card', session_user::text COLLATE "default",
                      'it was her sister', true)$$,
                  'stays on record');
SELECT throws_ok($$SELECT payroll.unlink_member('tap_1', 'mem_1', 'x')$$, 'P0002',
    'member ''mem_1'' of company ''tap_1'' is not linked',
                 'there is nothing left to take back');
SELECT lives_ok($$SELECT payroll.link_member('tap_1', 'mem_1', 'emp_2', 'that one')$$, 'another link is possible then');

SET LOCAL ROLE payroll_manager;
DO $$BEGIN PERFORM payroll.unlink_member('tap_1', 'mem_1', 'x'); END$$;
RESET ROLE;
SELECT is((SELECT ended_by FROM payroll.link WHERE company_id = 'tap_1' AND member_id = 'mem_1' AND end_note = 'x'),
          session_user || ' as payroll_manager', 'SET ROLE does not hide who it was');

SELECT * FROM finish();
ROLLBACK;
