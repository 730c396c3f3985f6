-- report.payroll_ready, contribution_overview, invoice_control and period_status on a company of three people.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(29);

DO $$BEGIN
    PERFORM payroll.ensure_partition(m) FROM unnest(ARRAY['2026-03-01', '2026-04-01', '2027-01-01']::date[]) AS m;
END$$;

INSERT INTO payroll.company VALUES ('tap_1', '362521879', 'Acme', 14), ('tap_2', '552008443', 'Small', 10),
    ('tap_3', '443121975', 'Unknown', NULL);
INSERT INTO payroll.contract (company_id, contract_id, product, reference, insurer_code, valid_from, status,
    proration) VALUES
    ('tap_1', 'con_h', 'health', 'SANTE0000000001', 'AALAN1', '2024-01-01', 'active', 'none'),
    ('tap_1', 'con_p', 'provident', 'PREV0000000001', 'AALAN1', '2024-01-01', 'active', 'none');
INSERT INTO payroll.employee (company_id, employee_id, matricule, first_name, last_name) VALUES
    ('tap_1', 'emp_1', 'M1', 'Anne', 'Un'), ('tap_1', 'emp_2', 'M2', 'Bruno', 'Deux');
INSERT INTO payroll.employment (company_id, employment_id, employee_id, siret, starts_on) VALUES
    ('tap_1', 'job_1', 'emp_1', '36252187900034', '2024-01-01'), ('tap_1', 'job_2', 'emp_2', '36252187900042',
        '2024-01-01'),
    ('tap_1', 'job_2b', 'emp_2', '36252187900034', '2026-04-01');

CREATE FUNCTION pg_temp.contribution(line text, employment text, contract text, amount bigint, employer bigint,
    change jsonb)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO payroll.contribution
    SELECT (jsonb_populate_record(NULL::payroll.contribution, jsonb_build_object(
        'company_id', 'tap_1', 'payroll_month', '2026-04-01', 'invoice_id', 'inv_1', 'line_id', line,
        'employment_id', employment, 'contract_id', contract, 'billing_month', '2026-04-01',
        'product', CASE contract WHEN 'con_h' THEN 'health' ELSE 'provident' END, 'component', 'fixed',
        'member_type', 'employee', 'cover_from', '2026-04-01', 'cover_to', '2026-04-30', 'kind', 'regular',
        'amount_cents', amount, 'employer_cents', employer, 'employee_cents', amount - employer, 'status', 'ready')
        || change)).*
$$;
DO $$BEGIN
    -- April: Anne with a child, a provident premium on T1 and a correction of March
    PERFORM pg_temp.contribution('l1', 'job_1', 'con_h', 11710, 7026,
        '{"option_code": "OPT1", "population_code": "POP1"}');
    PERFORM pg_temp.contribution('l2', 'job_1', 'con_h', 6980, 4188,
        '{"member_type": "child", "option_code": "ZCHILD"}');
    PERFORM pg_temp.contribution('l3', 'job_1', 'con_p', 6008, 6008, '{"component": "t1", "base_cents": 400500}');
    PERFORM pg_temp.contribution('l4', 'job_1', 'con_p', -1360, -680,
        '{"component": "t2", "base_cents": 120338, "kind": "reversal"}');
    PERFORM pg_temp.contribution('l5', 'job_1', 'con_h', -2, -1, '{"kind": "regularisation", "cover_from": "2026-03-16",
                                 "cover_to": "2026-03-31"}');
    -- Bruno: a month in two parts of different kinds, and a second employment
    PERFORM pg_temp.contribution('l6', 'job_2', 'con_h', 5855, 5855, '{"cover_to": "2026-04-15"}');
    PERFORM pg_temp.contribution('l7', 'job_2', 'con_h', 100, 50,
        '{"cover_from": "2026-04-16", "kind": "regularisation"}');
    PERFORM pg_temp.contribution('l8', 'job_2b', 'con_h', 300, 150, '{}');
    PERFORM pg_temp.contribution('l9', 'job_2', 'con_h', 40, 20,
        '{"status": "held", "hold_code": "exempt_but_billed"}');
    -- held for somebody unknown, and a fee
    PERFORM pg_temp.contribution('l10', NULL, 'con_h', 700, 350,
        '{"status": "held", "hold_code": "member_not_in_payroll"}');
    PERFORM pg_temp.contribution('l11', NULL, 'con_h', 999, 999, '{}');
    -- March
    PERFORM pg_temp.contribution('l0', 'job_2', 'con_h', 5000, 2500,
        '{"payroll_month": "2026-03-01", "cover_from": "2026-03-01",
                                 "cover_to": "2026-03-31", "billing_month": "2026-03-01"}');
    -- ten staff, staff unknown, and a year whose rate nobody has entered
    PERFORM pg_temp.contribution('l1', 'job_1', 'con_h', 5855, 5855, '{"company_id": "tap_2"}');
    PERFORM pg_temp.contribution('l1', 'job_1', 'con_h', 5855, 5855, '{"company_id": "tap_3"}');
    PERFORM pg_temp.contribution('l1', 'job_1', 'con_h', 5855, 5855,
        '{"payroll_month": "2027-01-01", "billing_month": "2027-01-01",
                                 "cover_from": "2027-01-01", "cover_to": "2027-01-31"}');
END$$;

-- ---- payroll_ready ----

CREATE VIEW pg_temp.ready AS SELECT * FROM report.payroll_ready WHERE company_id LIKE 'tap\_%';
SELECT results_eq($$
    SELECT employment_id, contract_id, component, to_char(cover_month, 'YYYY-MM'), amount_cents, employer_cents,
        employee_cents, kind
    FROM pg_temp.ready WHERE company_id = 'tap_1' AND payroll_month = '2026-04-01' ORDER BY 1, 2, 3, 4$$, $$VALUES
    ('job_1', 'con_h', 'fixed', '2026-03', -2::bigint, -1::bigint, -1::bigint, 'regularisation'),
    ('job_1', 'con_h', 'fixed', '2026-04', 18690, 11214, 7476, 'regular'),
    ('job_1', 'con_p', 't1', '2026-04', 6008, 6008, 0, 'regular'),
    ('job_1', 'con_p', 't2', '2026-04', -1360, -680, -680, 'reversal'),
    ('job_2', 'con_h', 'fixed', '2026-04', 5955, 5905, 50, 'regularisation'),
    ('job_2b', 'con_h', 'fixed', '2026-04', 300, 150, 150, 'regular')$$,
    'one row per employment, contract, component and cover month; neither held money nor fees');
SELECT results_eq($$
    SELECT siren, nic, employee_id, matricule, last_name, first_name, product, contract_reference, insurer_code,
        option_code,
        population_code, base_cents
    FROM pg_temp.ready WHERE payroll_month = '2026-04-01' AND employment_id IN ('job_1', 'job_2b')
        AND amount_cents IN (18690, 6008, 300)
        AND company_id = 'tap_1' ORDER BY amount_cents$$, $$VALUES
    ('362521879', '00034', 'emp_2', 'M2', 'Deux', 'Bruno', 'health', 'SANTE0000000001', 'AALAN1', NULL, NULL,
        NULL::bigint),
    ('362521879', '00034', 'emp_1', 'M1', 'Un', 'Anne', 'provident', 'PREV0000000001', 'AALAN1', NULL, NULL, 400500),
    ('362521879', '00034', 'emp_1', 'M1', 'Un', 'Anne', 'health', 'SANTE0000000001', 'AALAN1', 'OPT1', 'POP1', NULL)$$,
    'with what the DSN asks for; the employee''s own option, not the child''s');
SELECT is(nic, '00042', 'the establishment is that of the employment') FROM pg_temp.ready
WHERE employment_id = 'job_2' AND payroll_month = '2026-04-01';
SELECT results_eq($$
    SELECT employer_cents, csg_base_cents, taxable_addback_cents, forfait_social_cents
    FROM pg_temp.ready WHERE company_id = 'tap_1' AND payroll_month = '2026-04-01' ORDER BY 1$$, $$VALUES
    (-680::bigint, -680::bigint, 0::bigint, -54::bigint), (-1, -1, -1, 0), (150, 150, 150, 12), (5905, 5905, 5905, 472),
    (6008, 6008, 0, 481), (11214, 11214, 11214, 897)$$,
    'CSG base of both products, health alone added back, forfait social of 8 %');
SELECT results_eq($$
    SELECT company_id, payroll_month, forfait_social_cents, forfait_social_note FROM pg_temp.ready
    WHERE company_id IN ('tap_2', 'tap_3') OR payroll_month = '2027-01-01' ORDER BY 1$$, $$VALUES
    ('tap_1', date '2027-01-01', NULL::bigint, 'no rate known for 2027-01: add it to payroll.social_rate'),
    ('tap_2', '2026-04-01', 0, NULL),
    ('tap_3', '2026-04-01', NULL, 'headcount of the company not known')$$,
    'none below eleven staff; null and a reason where it is not known');
INSERT INTO payroll.social_rate VALUES ('forfait_social', '2027-01-01', '2027-12-31', 200000, 11, 'a later law');
SELECT is(forfait_social_cents, 1171::bigint, 'a new year is a new row') FROM pg_temp.ready
    WHERE payroll_month = '2027-01-01';

-- Through the view, each in a company of eleven: 8 % never makes half a cent, so that 50 % is tried too.
CREATE TEMP TABLE vector (nr integer, month date, employer_cents bigint, levy_cents bigint);
INSERT INTO vector VALUES
    (1, '2026-04-01', 4701, 376), (2, '2026-04-01', 2500, 200), (3, '2026-04-01', 5855, 468), (4, '2026-04-01', 0, 0),
    (5, '2026-04-01', 6, 0), (6, '2026-04-01', 7, 1), (7, '2026-04-01', -6, 0), (8, '2026-04-01', -7, -1),
    (9, '2026-04-01', -625, -50), (10, '2026-04-01', 92233720368547758, 7378697629483821),
    (11, '2027-01-01', 5855, 2928), (12, '2027-01-01', -5855, -2928), (13, '2027-01-01', 1, 1), (14, '2027-01-01', -1,
        -1);
UPDATE payroll.social_rate SET rate_ppm = 500000 WHERE valid_from = '2027-01-01';
INSERT INTO payroll.company VALUES ('tap_4', '404833048', 'Eleven', 11);
DO $$BEGIN
    PERFORM pg_temp.contribution('v' || nr, 'job_v' || nr, 'con_h', employer_cents, employer_cents, jsonb_build_object(
        'company_id', 'tap_4', 'payroll_month', month, 'cover_from', month, 'cover_to', month)) FROM vector;
END$$;
SELECT is(r.forfait_social_cents, v.levy_cents, v.employer_cents || ' cents: ' || v.levy_cents)
FROM vector AS v JOIN pg_temp.ready AS r ON r.company_id = 'tap_4' AND r.employment_id = 'job_v' || v.nr ORDER BY v.nr;

-- ---- contribution_overview ----

INSERT INTO payroll.discrepancy_code VALUES ('tap_code', 0, 'info', 'x', 'x', 'x', 'x');
INSERT INTO payroll.discrepancy (company_id, payroll_month, code, severity, subject_type, subject_id, employee_id,
    status,
    first_seen_at, last_seen_at, first_seen_run, last_seen_run)
SELECT 'tap_1', '2026-04-01', 'tap_code', 'info', 'employment', n::text, 'emp_2',
    (ARRAY['open', 'in_progress', 'accepted'])[n], now(), now(), 'run', 'run' FROM generate_series(1, 3) AS n;
SELECT results_eq($$
    SELECT payroll_month, employee_id, matricule, last_name, health_employer_cents, health_employee_cents,
        provident_employer_cents, provident_employee_cents, employer_cents, employee_cents, total_cents, held_cents,
        previous_total_cents, change_cents, open_discrepancies
    FROM report.contribution_overview WHERE company_id = 'tap_1' AND payroll_month < '2027-01-01'
        ORDER BY 1, 2$$, $$VALUES
    (date '2026-03-01', 'emp_2', 'M2', 'Deux', 2500::bigint, 2500::bigint, 0::bigint, 0::bigint, 2500::bigint,
        2500::bigint,
     5000::bigint, 0::bigint, NULL::bigint, NULL::bigint, 0::bigint),
    ('2026-04-01', 'emp_1', 'M1', 'Un', 11213, 7475, 5328, -680, 16541, 6795, 23336, 0, NULL, NULL, 0),
    ('2026-04-01', 'emp_2', 'M2', 'Deux', 6055, 200, 0, 0, 6055, 200, 6255, 40, 5000, 1255, 2)$$,
    'one row per month and employee over all employments, with what moved and what is open');

-- ---- invoice_control ----

INSERT INTO payroll.invoice VALUES ('tap_1', 'inv_1', 'F-2026-04', 'invoice', '362521879', '2026-04-01', '2026-04-30',
    NULL,
    'EUR', 25000, 12, 'issued');
INSERT INTO payroll.invoice_control VALUES
    ('tap_1', '2026-04-01', 'inv_1', '2026-04-01', 11, 25000, 24990, 24250, 0, 740, 10),
    ('tap_1', '2026-05-01', 'inv_1', '2026-04-01', 11, 25000, 24990, 700, 24250, 40, 10),
    ('tap_1', '2026-04-01', 'inv_2', '2026-04-01', 1, 5, 5, 5, 0, 0, 0);
SELECT results_eq($$
    SELECT invoice_id, number, type, status, billing_month, payroll_month, announced_line_count, line_count,
        total_cents,
        lines_cents, allocated_cents, posted_cents, held_cents, difference_cents
    FROM report.invoice_control WHERE company_id = 'tap_1' ORDER BY 1$$, $$VALUES
    ('inv_1', 'F-2026-04', 'invoice', 'issued', date '2026-04-01', date '2026-05-01', 12::bigint, 11::bigint,
        25000::bigint,
     24990::bigint, 700::bigint, 24250::bigint, 40::bigint, 10::bigint),
    ('inv_2', NULL, NULL, NULL, '2026-04-01', '2026-04-01', NULL, 1, 5, 5, 5, 0, 0, 0)$$,
    'one row per invoice, as the latest month reckoned it');

-- ---- period_status ----

INSERT INTO payroll.period VALUES ('tap_1', '2026-03-01', 'closed', '2026-04-02 10:00Z', 'marie', 'done', 'abc'),
    ('tap_1', '2026-02-01', 'closed', '2026-03-02 10:00Z', 'marie', 'nothing that month', 'def');
INSERT INTO payroll.payroll_period VALUES ('tap_1', '2026-03-01', 'closed', '2026-04-01 09:00Z'), ('tap_1',
    '2026-04-01', 'open', NULL);
SELECT results_eq($$
    SELECT payroll_month, status, closed_by, note, digest, payroll_status, amount_cents, employer_cents,
        employee_cents, held_cents
    FROM report.period_status WHERE company_id = 'tap_1' AND payroll_month < '2027-01-01' ORDER BY 1$$, $$VALUES
    (date '2026-02-01', 'closed', 'marie', 'nothing that month', 'def', NULL, 0::bigint, 0::bigint, 0::bigint,
        0::bigint),
    ('2026-03-01', 'closed', 'marie', 'done', 'abc', 'closed', 5000, 2500, 2500, 0),
    ('2026-04-01', 'open', NULL, NULL, NULL, 'open', 30590, 23595, 6995, 740)$$,
    'months closed here, closed in payroll and open, with totals, fees included');
SELECT is((SELECT sum(amount_cents)::bigint FROM report.payroll_ready WHERE company_id = 'tap_1'
    AND payroll_month = '2026-04-01'),
          (SELECT amount_cents - 999 FROM report.period_status WHERE company_id = 'tap_1'
              AND payroll_month = '2026-04-01'),
          'what is ready and no fee is on payslips');
SELECT is((SELECT sum(total_cents)::bigint FROM report.contribution_overview WHERE company_id = 'tap_1'
    AND payroll_month = '2026-04-01'),
          (SELECT sum(amount_cents)::bigint FROM report.payroll_ready WHERE company_id = 'tap_1'
              AND payroll_month = '2026-04-01'),
          'and in the overview');

-- An employment that is not known loses no cent.
DELETE FROM payroll.employment WHERE company_id = 'tap_1' AND employment_id = 'job_2b';
SELECT is((SELECT amount_cents FROM pg_temp.ready WHERE employment_id = 'job_2b'), 300::bigint,
          'a row without its employment stays in payroll_ready');
SELECT is((SELECT total_cents FROM report.contribution_overview WHERE company_id = 'tap_1'
    AND employee_id IS NULL), 300::bigint,
          'and in the overview, under nobody');
SELECT is_empty($$
    SELECT FROM pg_temp.ready WHERE employer_cents + employee_cents <> amount_cents$$, 'shares add up in every row');
SELECT is_empty($$
    SELECT FROM report.contribution_overview WHERE company_id LIKE 'tap\_%'
        AND employer_cents + employee_cents <> total_cents$$,
    'and for everybody');

SELECT * FROM finish();
ROLLBACK;
