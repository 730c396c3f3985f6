-- report.dsn_contract, dsn_affiliation, dsn_base, dsn_payment and dsn_rubric: the figures of a public DSN of April
-- 2026, and rows made by hand with the lines that the norm expects of them.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(53);

DO $$BEGIN
    PERFORM payroll.ensure_partition(m) FROM unnest(ARRAY['2026-03-01', '2026-04-01', '2026-11-01']::date[]) AS m;
END$$;
-- Rows of a closed month are put where the close would put them.
SET LOCAL session_replication_role = replica;

CREATE FUNCTION pg_temp.contribution(company text, line text, employment text, contract text, amount bigint,
    employer bigint, change jsonb DEFAULT '{}')
RETURNS void LANGUAGE sql AS $$
    INSERT INTO payroll.contribution
    SELECT (jsonb_populate_record(NULL::payroll.contribution, jsonb_build_object(
        'company_id', company, 'payroll_month', '2026-04-01', 'invoice_id', 'inv', 'line_id', line,
        'employment_id', employment, 'member_id', replace(employment, 'job', 'mem'), 'contract_id', contract,
        'billing_month', '2026-04-01', 'product', CASE WHEN contract LIKE 'con\_h%' THEN 'health' ELSE 'provident' END,
        'component', 'fixed', 'member_type', 'employee', 'cover_from', '2026-04-01', 'cover_to', '2026-04-30',
        'kind', 'regular', 'amount_cents', amount, 'employer_cents', employer, 'employee_cents', amount - employer,
        'status', 'ready') || change)).*
$$;
CREATE FUNCTION pg_temp.as_role(role text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    EXECUTE query INTO answer;
    RESET ROLE;
    RETURN answer;
END
$$;
-- The lines of a declaration as they stand in its file, without what all have in common.
CREATE FUNCTION pg_temp.lines(company text, establishment text, month date DEFAULT '2026-04-01')
RETURNS text[] LANGUAGE sql AS $$
    SELECT array_agg(replace(rubric, 'S21.G00.', '') || '=' || value ORDER BY position) FROM report.dsn_rubric
    WHERE company_id = company AND payroll_month = month AND siret IS NOT DISTINCT FROM establishment
$$;

-- ---- the number that is declared ----

SELECT is(payroll.declared_nir(number), declared, coalesce(number, 'no number') || ': ' || coalesce(declared, 'none'))
FROM (VALUES
    ('2 95 10 99 126 111 93', '2951099126111'), ('2951099126111', '2951099126111'),
    ('295109912611199', '2951099126111'), -- a wrong key is not declared
    ('253072B07300470', '253072B073004'), ('253072a07300443', '253072A073004'), ('253072C07300443', NULL),
    ('2.95-10' || chr(160) || '99' || chr(8239) || '126111', '2951099126111'), ('6546546546546703', NULL),
    ('1850175123456', '1850175123456'), ('1857775123456', '1857775123456'), ('1851575123456', NULL),
    ('1850100123456', NULL), ('1850175000456', NULL), ('1850175123000', NULL), ('1999999999999', NULL),
    ('2999999999999', NULL), ('1850175999999', NULL), ('1850175899999', '1850175899999'), ('3850175123456', NULL),
    ('785017512345609', NULL), ('1,85017E+12', NULL), ('185O175123456', NULL), ('', NULL), (NULL, NULL)
) AS v (number, declared);

-- ---- the figures of April 2026: seven people under one contract of Alan, three of them under another's provident ----

INSERT INTO payroll.company VALUES ('tap_1', '362521879', 'Acme', 14);
INSERT INTO payroll.contract (company_id, contract_id, product, reference, insurer_code, valid_from, status, proration)
VALUES
    ('tap_1', 'con_h', 'health', 'SANTE0000000001', 'AALAN1', '2024-01-01', 'active', 'none'),
    ('tap_1', 'con_p', 'provident', '21132454-PRV', 'P1030', '2024-01-01', 'active', 'none');
INSERT INTO payroll.employee (company_id, employee_id, matricule, nir, ntt, last_name)
SELECT 'tap_1', 'emp_' || n, '00000' || n, '29501991261' || n || '0', NULL, 'Demo' FROM generate_series(1, 7) AS n;
INSERT INTO payroll.employment (company_id, employment_id, employee_id, siret, starts_on)
SELECT 'tap_1', 'job_' || n, 'emp_' || n, '36252187900034', '2020-04-01' FROM generate_series(1, 7) AS n;
INSERT INTO payroll.affiliation (company_id, affiliation_id, member_id, contract_id, status, partners, children, others,
    starts_on)
VALUES ('tap_1', 'aff_1', 'mem_1', 'con_h', 'active', 0, 1, 0, '2024-01-01'),
    ('tap_1', 'aff_7', 'mem_7', 'con_h', 'active', 1, 0, 0, '2024-01-01');
CREATE TEMP TABLE demo (nr integer, t1 bigint, tb bigint, provident bigint);
INSERT INTO demo VALUES (1, 400500, 120338, 7368), (2, 400500, 94770, 7078), (3, 376269, NULL, 5644),
    (4, 400500, 86270, 6982), (6, 400500, 472700, 11350);
DO $$BEGIN
    PERFORM pg_temp.contribution('tap_1', 'h' || n, 'job_' || n, 'con_h', 11710, 7026, '{"option_code": "V297044"}')
    FROM generate_series(1, 7) AS n;
    PERFORM pg_temp.contribution('tap_1', 'c1', 'job_1', 'con_h', 6980, 4188, '{"member_type": "child"}');
    PERFORM pg_temp.contribution('tap_1', 'p7', 'job_7', 'con_h', 11710, 7026, '{"member_type": "partner"}');
    -- 1.50 % of T1 by the employer; 0.565 % of TB by each, rounded per tranche and payer
    PERFORM pg_temp.contribution('tap_1', 't1_' || nr, 'job_' || nr, 'con_p', round(t1 * 0.015)::bigint,
        round(t1 * 0.015)::bigint, jsonb_build_object('component', 't1', 'base_cents', t1, 'population_code', 'TR205'))
    FROM demo;
    PERFORM pg_temp.contribution('tap_1', 'tb_' || nr, 'job_' || nr, 'con_p', 2 * round(tb * 0.00565)::bigint,
        round(tb * 0.00565)::bigint,
        jsonb_build_object('component', 'tb', 'base_cents', tb, 'population_code', 'TR205'))
    FROM demo WHERE tb IS NOT NULL;
END$$;

SELECT results_eq($$
    SELECT b.amount_cents, b.t1_cents, b.tb_cents, num_nonnulls(gross_cents, t2_cents, fixed_base_cents,
        fixed_amount_cents)
    FROM report.dsn_base AS b JOIN demo ON employment_id = 'job_' || nr
    WHERE company_id = 'tap_1' AND product = 'provident' ORDER BY nr$$,
    'SELECT provident, t1, tb, 0 FROM demo ORDER BY nr', '81.004 and 79.004 of tranches, as in the demonstration DSN');
SELECT results_eq($$
    SELECT fixed_amount_cents, amount_cents, employer_cents, employee_cents, period_from, period_to, kind
    FROM report.dsn_base WHERE company_id = 'tap_1' AND product = 'health'
        AND employment_id IN ('job_1', 'job_2', 'job_7') ORDER BY employment_id$$, $$VALUES
    (18690::bigint, 18690::bigint, 11214::bigint, 7476::bigint, date '2026-04-01', date '2026-04-30', 'regular'),
    (11710, 11710, 7026, 4684, '2026-04-01', '2026-04-30', 'regular'),
    (23420, 23420, 14052, 9368, '2026-04-01', '2026-04-30', 'regular')$$,
    'and of fixed amounts, the family in the employee''s base');
SELECT results_eq($$
    SELECT insurer_code, payment_cents, contract_reference, period, amount_cents, individual_cents, difference_cents
    FROM report.dsn_payment WHERE company_id = 'tap_1' ORDER BY contract_number$$, $$VALUES
    ('P1030', 38422::bigint, '21132454-PRV', '2026M04', 38422::bigint, 38422::bigint, 0::bigint),
    ('AALAN1', 100660, 'SANTE0000000001', '2026M04', 100660, 100660, 0)$$,
    'individuals add up to 1006.60; the demonstration paid 1006.59, one cent apart as is normal');
SELECT results_eq($$
    SELECT contract_number, contract_reference, insurer_code, delegate_code, product, affiliations, amount_cents
    FROM report.dsn_contract WHERE company_id = 'tap_1' ORDER BY 1$$, $$VALUES
    (1, '21132454-PRV', 'P1030', NULL, 'provident', 5, 38422::bigint),
    (2, 'SANTE0000000001', 'AALAN1', NULL, 'health', 7, 100660::bigint)$$, 'one 15 per reference and organism');
SELECT is((pg_temp.lines('tap_1', '36252187900034'))[1:52], ARRAY[
    '06.001=362521879', '11.001=00034',
    '15.001=21132454-PRV', '15.002=P1030', '15.004=01', '15.005=1',
    '15.001=SANTE0000000001', '15.002=AALAN1', '15.004=01', '15.005=2',
    '20.001=P1030', '20.005=384.22', '20.006=01012000', '20.007=01012000',
    '55.001=384.22', '55.003=21132454-PRV', '55.004=2026M04',
    '20.001=AALAN1', '20.005=1006.60', '20.006=01012000', '20.007=01012000',
    '55.001=1006.60', '55.003=SANTE0000000001', '55.004=2026M04',
    '30.001=2950199126110', '30.019=000001', '40.001=01042020',
    '70.005=TR205', '70.012=1', '70.013=1', '70.004=V297044', '70.007=1', '70.012=2', '70.013=2',
    '54.001=92', '54.002=112.14', '54.003=01042026', '54.004=30042026',
    '78.001=31', '78.002=01042026', '78.003=30042026', '78.004=0.00', '78.005=1',
    '79.001=11', '79.004=4005.00', '79.001=13', '79.004=1203.38', '81.001=059', '81.004=73.68',
    '78.001=31', '78.002=01042026', '78.003=30042026'], 'the demonstration''s lines, its first individual included');
SELECT is((SELECT array_agg(value ORDER BY position) FROM report.dsn_rubric
           WHERE company_id = 'tap_1' AND rubric = 'S21.G00.54.002'),
          ARRAY['112.14', '70.26', '70.26', '70.26', '70.26', '70.26', '140.52'], 'employers'' shares of health');
SELECT results_eq($$
    SELECT employee_id, children, adults, others FROM report.dsn_affiliation
    WHERE company_id = 'tap_1' AND contract_number = 2
        AND employee_id IN ('emp_1', 'emp_2', 'emp_7') ORDER BY 1$$, $$VALUES
    ('emp_1', 1::bigint, 0::bigint, 0::bigint), ('emp_2', NULL, NULL, NULL), ('emp_7', 0, 1, 0)$$,
    'dependants as the affiliation has them');

-- ---- one establishment with everything that is not plain ----

INSERT INTO payroll.company VALUES ('tap_2', '362521879', 'Acme', 14);
INSERT INTO payroll.contract (company_id, contract_id, product, reference, insurer_code, delegate_code, valid_from,
    status, proration)
VALUES
    ('tap_2', 'con_h', 'health', 'SANTE2', 'AALAN1', NULL, '2024-01-01', 'terminated', 'none'),
    ('tap_2', 'con_h2', 'health', 'SANTE2', 'AALAN1', NULL, '2026-04-01', 'active', 'none'),
    ('tap_2', 'con_p', 'provident', 'PREV2', 'AALAN1', NULL, '2024-01-01', 'active', 'none'),
    ('tap_2', 'con_q', 'provident', 'PREV2', 'P1030', 'DELEG1', '2024-01-01', 'active', 'none');
INSERT INTO payroll.employee (company_id, employee_id, matricule, nir, ntt, last_name) VALUES
    ('tap_2', 'emp_1', 'M1', '295109912611193', NULL, 'Un'),
    ('tap_2', 'emp_2', NULL, '385017512345609', '1362521879000002', 'Deux'), -- provisional: the NTT stands in
    ('tap_2', 'emp_3', 'M3', '185017512345609', '1362521879000003', 'Trois'), -- just known: both
    ('tap_2', 'emp_4', 'M4', '1,85017E+12', NULL, 'Quatre'),
    ('tap_2', 'emp_5', 'M5', '184027512345674', NULL, 'Cinq'),
    ('tap_2', 'emp_6', 'M6', '163089913913997', NULL, 'Six'), -- exempt
    ('tap_2', 'emp_7', 'M7', '255081416802538', NULL, 'Sept'); -- in portability
INSERT INTO payroll.employment (company_id, employment_id, employee_id, siret, starts_on)
SELECT 'tap_2', 'job_' || n, 'emp_' || n, '362521879000' || CASE n WHEN 1 THEN 34 ELSE 42 END, '2021-03-08'
FROM generate_series(1, 7) AS n;
INSERT INTO payroll.employment (company_id, employment_id, employee_id, siret, starts_on)
VALUES ('tap_2', 'job_1b', 'emp_1', '36252187900034', '2026-04-16'),
    ('tap_2', 'job_1c', 'emp_1', '36252187900042', '2026-04-16');
INSERT INTO payroll.affiliation (company_id, affiliation_id, member_id, contract_id, status, option_code, starts_on)
VALUES ('tap_2', 'aff_6', 'mem_6', 'con_h', 'exempt', 'BASE', '2024-01-01'),
    ('tap_2', 'aff_7', 'mem_7', 'con_h', 'portability', 'BASE', '2024-01-01');
DO $$BEGIN
    -- emp_1: the option changes on the 16th, with the contract's identifier but not its reference; March is corrected,
    -- and a child's February is told late, whose line has no codes; a second employment begins.
    PERFORM pg_temp.contribution('tap_2', 'a1', 'job_1', 'con_h', 5000, 3000,
        '{"option_code": "BASE", "population_code": "ENS", "cover_to": "2026-04-15"}');
    PERFORM pg_temp.contribution('tap_2', 'a2', 'job_1', 'con_h2', 7000, 4200,
        '{"option_code": "CONFORT", "population_code": "ENS", "cover_from": "2026-04-16"}');
    PERFORM pg_temp.contribution('tap_2', 'a3', 'job_1', 'con_h', -1234, -741, '{"option_code": "BASE",
        "population_code": "ENS", "cover_from": "2026-03-16", "cover_to": "2026-03-31", "kind": "reversal"}');
    PERFORM pg_temp.contribution('tap_2', 'a4', 'job_1', 'con_h2', 5, 3, '{"member_type": "child",
        "cover_from": "2026-02-01", "cover_to": "2026-02-28", "kind": "regularisation"}');
    PERFORM pg_temp.contribution('tap_2', 'a5', 'job_1b', 'con_p', 100, 100,
        '{"component": "gross", "base_cents": 200000, "cover_from": "2026-04-16"}');
    -- A third, in the other establishment.
    PERFORM pg_temp.contribution('tap_2', 'a6', 'job_1c', 'con_h', 7, 7);
    -- emp_2: two premiums on T1 share its base, T2 comes beside them; part of the ceiling with another organism
    PERFORM pg_temp.contribution('tap_2', 'b1', 'job_2', 'con_p', 4500, 4500,
        '{"component": "t1", "base_cents": 300000}');
    PERFORM pg_temp.contribution('tap_2', 'b2', 'job_2', 'con_p', 600, 300,
        '{"component": "t1", "base_cents": 300000}');
    PERFORM pg_temp.contribution('tap_2', 'b3', 'job_2', 'con_p', 90, 45,
        '{"component": "t2", "base_cents": -18900}');
    PERFORM pg_temp.contribution('tap_2', 'b4', 'job_2', 'con_q', 801, 401,
        '{"component": "pmss", "base_cents": 400500}');
    -- emp_3: March's pay was corrected after its close from 3000.00 to 3100.50; emp_4: March's premium, not its pay;
    -- emp_5: March is taken back, then given anew
    PERFORM pg_temp.contribution('tap_2', 'm3', 'job_3', 'con_p', 150, 150, '{"component": "t1", "base_cents": 10050,
        "cover_from": "2026-03-01", "cover_to": "2026-03-31", "kind": "regularisation"}');
    PERFORM pg_temp.contribution('tap_2', 'm4', 'job_4', 'con_p', -100, -100, '{"component": "t1", "base_cents": 0,
        "cover_from": "2026-03-01", "cover_to": "2026-03-31", "kind": "regularisation"}');
    PERFORM pg_temp.contribution('tap_2', 'm5', 'job_5', 'con_p', -4500, -4500, '{"component": "t1",
        "base_cents": -300000, "cover_from": "2026-03-01", "cover_to": "2026-03-31", "kind": "reversal"}');
    PERFORM pg_temp.contribution('tap_2', 'n5', 'job_5', 'con_p', 4200, 4200, '{"component": "t1",
        "base_cents": 280000, "cover_from": "2026-03-01", "cover_to": "2026-03-31", "kind": "regularisation"}');
    -- held money, a fee, and an employment that nobody knows
    PERFORM pg_temp.contribution('tap_2', 'x6', 'job_6', 'con_h', 999, 500,
        '{"status": "held", "hold_code": "exempt_but_billed"}');
    PERFORM pg_temp.contribution('tap_2', 'x0', NULL, 'con_h', 999, 999);
    PERFORM pg_temp.contribution('tap_2', 'x8', 'job_8', 'con_h', 800, 400);
    -- November
    PERFORM pg_temp.contribution('tap_2', 'y1', 'job_1', 'con_h', 1, 1, '{"payroll_month": "2026-11-01",
        "billing_month": "2026-11-01", "cover_from": "2026-11-01", "cover_to": "2026-11-30"}');
END$$;
-- March as it was closed, with other numbers than today's
INSERT INTO payroll.period VALUES ('tap_2', '2026-03-01', 'closed', now(), 'marie', 'done', NULL);
INSERT INTO payroll.closed_row (company_id, payroll_month, line_id, employment_id, cover_from, cover_to, cover_month,
    status, kind, invoice_id, billing_month, siren, siret, employee_id, matricule, nir, ntt, member_id, contract_id,
    product, contract_reference, insurer_code, component, member_type, option_code, children, affiliation_id,
    base_cents, amount_cents, employer_cents, employee_cents)
SELECT 'tap_2', '2026-03-01', 'm' || n, 'job_' || n, '2026-03-01', '2026-03-31', '2026-03-01', 'ready', 'regular',
    'inv', '2026-03-01', '552008443', '55200844300012', 'emp_' || n, 'OLD' || n, CASE n WHEN 4 THEN '1630899139139' END,
    CASE n WHEN 3 THEN '1552008443000003' END, 'mem_' || n, 'con_p', 'provident', 'OLDPREV', 'AALAN1', 't1', 'employee',
    'OLDOPT', 2, 'aff_' || n, 300000, 4500, 4500, 0
FROM generate_series(3, 5) AS n;

SELECT is(pg_temp.lines('tap_2', '36252187900034'), ARRAY[
    '06.001=362521879', '11.001=00034',
    '15.001=PREV2', '15.002=AALAN1', '15.004=01', '15.005=1', '15.001=SANTE2', '15.002=AALAN1', '15.004=01', '15.005=2',
    '20.001=AALAN1', '20.005=108.71', '20.006=01012000', '20.007=01012000',
    '55.001=1.00', '55.003=PREV2', '55.004=2026M04', '55.001=107.71', '55.003=SANTE2', '55.004=2026M04',
    '30.001=2951099126111', '30.019=M1',
    '40.001=08032021',
    '70.004=BASE', '70.005=ENS', '70.012=1', '70.013=2', '70.004=CONFORT', '70.005=ENS', '70.012=2', '70.013=2',
    '40.001=16042026', '70.012=3', '70.013=1',
    '54.001=92', '54.002=0.03', '54.003=01022026', '54.004=28022026',
    '54.001=92', '54.002=-7.41', '54.003=16032026', '54.004=31032026',
    '54.001=92', '54.002=72.00', '54.003=01042026', '54.004=30042026',
    '78.001=31', '78.002=16032026', '78.003=31032026', '78.004=0.00', '78.005=1', '79.001=20', '79.004=-12.34',
    '81.001=059', '81.004=-12.34',
    '78.001=31', '78.002=01042026', '78.003=15042026', '78.004=0.00', '78.005=1', '79.001=20', '79.004=50.00',
    '81.001=059', '81.004=50.00',
    '78.001=31', '78.002=01022026', '78.003=28022026', '78.004=0.00', '78.005=2', '79.001=20', '79.004=0.05',
    '81.001=059', '81.004=0.05',
    '78.001=31', '78.002=16042026', '78.003=30042026', '78.004=0.00', '78.005=2', '79.001=20', '79.004=70.00',
    '81.001=059', '81.004=70.00',
    '78.001=31', '78.002=16042026', '78.003=30042026', '78.004=0.00', '78.005=3', '79.001=10', '79.004=2000.00',
    '81.001=059', '81.004=1.00'],
    'options, employments, corrections dated in their month, one 15 for one reference');
SELECT is(pg_temp.lines('tap_2', '36252187900042'), ARRAY[
    '06.001=362521879', '11.001=00042',
    '15.001=PREV2', '15.002=AALAN1', '15.004=01', '15.005=1',
    '15.001=PREV2', '15.002=P1030', '15.003=DELEG1', '15.004=01', '15.005=2',
    '15.001=SANTE2', '15.002=AALAN1', '15.004=01', '15.005=3',
    '20.001=AALAN1', '20.005=49.47', '20.006=01012000', '20.007=01012000',
    '55.001=49.40', '55.003=PREV2', '55.004=2026M04', '55.001=0.07', '55.003=SANTE2', '55.004=2026M04',
    '20.001=P1030', '20.005=8.01', '20.006=01012000', '20.007=01012000', '20.008=DELEG1',
    '55.001=8.01', '55.003=PREV2', '55.004=2026M04',
    '30.001=2951099126111', '30.019=M1', '40.001=16042026', '70.012=1', '70.013=3',
    '54.001=92', '54.002=0.07', '54.003=01042026', '54.004=30042026',
    '78.001=31', '78.002=01042026', '78.003=30042026', '78.004=0.00', '78.005=1', '79.001=20', '79.004=0.07',
    '81.001=059', '81.004=0.07',
    '30.020=1362521879000002', '40.001=08032021', '70.012=2', '70.013=1', '70.012=3', '70.013=2',
    '78.001=31', '78.002=01042026', '78.003=30042026', '78.004=0.00', '78.005=2',
    '79.001=11', '79.004=3000.00', '79.001=12', '79.004=-189.00', '81.001=059', '81.004=51.90',
    '78.001=31', '78.002=01042026', '78.003=30042026', '78.004=0.00', '78.005=3', '79.001=18', '79.004=4005.00',
    '81.001=059', '81.004=8.01',
    '30.001=1850175123456', '30.019=M3', '30.020=1362521879000003', '40.001=08032021', '70.012=4', '70.013=1',
    '78.001=31', '78.002=01032026', '78.003=31032026', '78.004=0.00', '78.005=4', '79.001=11', '79.004=100.50',
    '81.001=059', '81.004=1.50',
    '30.019=M4', '40.001=08032021', '70.012=5', '70.013=1',
    '78.001=31', '78.002=01032026', '78.003=31032026', '78.004=0.00', '78.005=5', '79.001=11', '79.004=0.00',
    '81.001=059', '81.004=-1.00',
    '30.001=1840275123456', '30.019=M5', '40.001=08032021', '70.012=6', '70.013=1',
    '78.001=31', '78.002=01032026', '78.003=31032026', '78.004=0.00', '78.005=6', '79.001=11', '79.004=-200.00',
    '81.001=059', '81.004=-3.00'],
    'organisms and delegates, numbers and their substitutes, tranches, bases that were corrected');
SELECT is(pg_temp.lines('tap_2', '55200844300012', '2026-03-01'), ARRAY[
    '06.001=552008443', '11.001=00012', '15.001=OLDPREV', '15.002=AALAN1', '15.004=01', '15.005=1',
    '20.001=AALAN1', '20.005=135.00', '20.006=01012000', '20.007=01012000',
    '55.001=135.00', '55.003=OLDPREV', '55.004=2026M03',
    '30.019=OLD3', '30.020=1552008443000003', '40.001=08032021', '70.004=OLDOPT', '70.007=2', '70.012=1', '70.013=1',
    '78.001=31', '78.002=01032026', '78.003=31032026', '78.004=0.00', '78.005=1', '79.001=11', '79.004=3000.00',
    '81.001=059', '81.004=45.00',
    '30.001=1630899139139', '30.019=OLD4', '40.001=08032021', '70.004=OLDOPT', '70.007=2', '70.012=2', '70.013=1',
    '78.001=31', '78.002=01032026', '78.003=31032026', '78.004=0.00', '78.005=2', '79.001=11', '79.004=3000.00',
    '81.001=059', '81.004=45.00',
    '30.019=OLD5', '40.001=08032021', '70.004=OLDOPT', '70.007=2', '70.012=3', '70.013=1',
    '78.001=31', '78.002=01032026', '78.003=31032026', '78.004=0.00', '78.005=3', '79.001=11', '79.004=3000.00',
    '81.001=059', '81.004=45.00'],
    'a closed month is declared with the references and numbers that it was closed with');
SELECT is((pg_temp.lines('tap_2', NULL))[1:4], ARRAY['15.001=SANTE2', '15.002=AALAN1', '15.004=01', '15.005=1'],
          'money of an employment that is not known is in no establishment, and not lost');
SELECT is((SELECT value FROM report.dsn_rubric WHERE company_id = 'tap_2' AND payroll_month = '2026-11-01'
           AND rubric = 'S21.G00.55.004'), '2026M11', 'the period of a payment is written as 2026M11');

-- ---- the blocks among each other ----

SELECT is_empty($$
    SELECT FROM report.dsn_affiliation WHERE company_id = 'tap_2' AND employee_id IN ('emp_6', 'emp_7')
    UNION ALL SELECT FROM report.dsn_base WHERE company_id = 'tap_2' AND employee_id IN ('emp_6', 'emp_7')
    $$, 'who is exempt or in portability has neither 70 nor 059');
SELECT is((SELECT sum(amount_cents) FROM report.dsn_base WHERE company_id LIKE 'tap\_%'),
          (SELECT sum(amount_cents) FROM report.payroll_ready WHERE company_id LIKE 'tap\_%'),
          'what is on payslips is declared, to the cent');
SELECT is_empty($$SELECT FROM report.dsn_payment WHERE company_id LIKE 'tap\_%' AND difference_cents <> 0$$,
                'individuals add up to the payment of each contract');
SELECT is_empty($$
    SELECT company_id, payroll_month, siret, rubric, value FROM report.dsn_rubric
    WHERE company_id LIKE 'tap\_%' AND right(rubric, 6) IN ('15.005', '70.012')
    GROUP BY company_id, payroll_month, siret, rubric, value HAVING count(*) > 1$$,
    'technical identifiers are unique in the declaration');
SELECT is_empty($$
    SELECT FROM report.dsn_rubric AS r
    WHERE company_id LIKE 'tap\_%' AND right(rubric, 6) IN ('70.013', '78.005') AND NOT EXISTS (
        SELECT FROM report.dsn_rubric AS t
        WHERE t.company_id = r.company_id AND t.payroll_month = r.payroll_month AND t.value = r.value
            AND t.siret IS NOT DISTINCT FROM r.siret AND t.position < r.position
            AND right(t.rubric, 6) = CASE right(r.rubric, 6) WHEN '70.013' THEN '15.005' ELSE '70.012' END)$$,
    'what refers to a contract or affiliation comes after it');
SELECT is_empty($$
    SELECT company_id, payroll_month, siret FROM report.dsn_rubric WHERE company_id LIKE 'tap\_%'
    GROUP BY company_id, payroll_month, siret
    HAVING count(*) FILTER (WHERE right(rubric, 6) = '78.001') <> count(*) FILTER (WHERE right(rubric, 6) = '81.001')
        OR count(*) FILTER (WHERE right(rubric, 6) = '79.001') <> count(*) FILTER (WHERE right(rubric, 6) = '79.004')
        OR max(position) <> count(*) OR min(position) <> 1
        OR sum(value::numeric) FILTER (WHERE right(rubric, 6) = '81.004')
           <> sum(value::numeric) FILTER (WHERE right(rubric, 6) = '55.001')
        OR sum(value::numeric) FILTER (WHERE right(rubric, 6) = '55.001')
           <> sum(value::numeric) FILTER (WHERE right(rubric, 6) = '20.005')$$,
    'one 059 per base, an amount per component, no gap, and 81 = 55 = 20');
SELECT is_empty($$
    SELECT rubric, value FROM report.dsn_rubric WHERE company_id LIKE 'tap\_%' AND value !~ CASE
        WHEN right(rubric, 6) IN ('20.005', '54.002', '55.001', '78.004', '79.004', '81.004')
            THEN '^(-?(0|[1-9][0-9]*)[.][0-9]{2})$'
        WHEN right(rubric, 6) IN ('20.006', '20.007', '40.001', '54.003', '54.004', '78.002', '78.003')
            THEN '^(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])20[0-9]{2}$'
        ELSE '.' END$$, 'formats of amounts and dates');
SELECT is_empty($$
    SELECT FROM report.dsn_base WHERE company_id LIKE 'tap\_%'
        AND (date_trunc('month', period_from::timestamp) <> cover_month
             OR date_trunc('month', period_to::timestamp) <> cover_month OR period_from > period_to)$$,
    'periods lie in one civil month');
SELECT results_eq($$
    SELECT employment_id, option_code, earlier_months_only FROM report.dsn_affiliation
    WHERE company_id = 'tap_2' AND payroll_month = '2026-04-01' AND employment_id IN ('job_1', 'job_3')
    ORDER BY 1, 2$$, $$VALUES ('job_1', 'BASE', false), ('job_1', 'CONFORT', false), ('job_3', NULL, true)$$,
    'affiliations that only correct are told apart');

-- ---- who reads ----

SELECT is(pg_temp.as_role(role, $$SELECT string_agg(right(rubric, 6) || '=' || value, ' ' ORDER BY position)
    FROM report.dsn_rubric WHERE company_id = 'tap_2' AND payroll_month = '2026-04-01' AND siret = '36252187900042'
        AND rubric IN ('S21.G00.30.001', 'S21.G00.30.020')$$), lines, role)
FROM (VALUES
    ('payroll_manager', '30.001=2951099126111 30.020=1362521879000002 30.001=1850175123456 30.020=1362521879000003 '
        '30.001=1840275123456'),
    ('payroll_reader', '30.001=2 95 ** ** *** *** 30.020=1 ********** 30.001=1 85 ** ** *** *** 30.020=1 ********** '
        '30.001=1 84 ** ** *** ***')) AS r (role, lines);
SELECT is(pg_temp.as_role('payroll_reader', $$SELECT string_agg(value, ' ' ORDER BY position) FROM report.dsn_rubric
    WHERE company_id = 'tap_2' AND payroll_month = '2026-03-01' AND rubric IN ('S21.G00.30.001', 'S21.G00.30.020')$$),
    '1 ********** 1 63 ** ** *** ***', 'the reader sees masks in closed months too');

-- ---- by index ----

CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    plan text := '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
        plan := plan || line || E'\n';
    END LOOP;
    RETURN plan;
END
$$;
SET LOCAL enable_seqscan = off;
SELECT ok(plan ~ 'contribution_2026_04_.*Index Cond: .*company_id = ''tap_2''' AND plan !~ 'Seq Scan'
          AND plan !~ 'contribution_2026_03', name || ' reads one month of one company by index')
FROM unnest(ARRAY['dsn_contract', 'dsn_affiliation', 'dsn_base', 'dsn_payment', 'dsn_rubric']) AS name,
    pg_temp.plan(format('SELECT * FROM report.%I WHERE company_id = ''tap_2'' AND payroll_month = ''2026-04-01''',
                        name)) AS plan;

SELECT * FROM finish();
ROLLBACK;
