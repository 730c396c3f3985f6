-- The blocks of the other views as (rubric, value) lines, in the order and format of the norm, to compare with what
-- payroll declares.
--
-- Order, as in the tree of blocks of P24V01: company 06, establishment 11, contracts 15, payments 20 each with its parts
-- 55; then each individual 30 with contracts of employment 40, each with its affiliations 70, and after them (in the
-- individual's payment 50) other elements of pay 54 and bases 78, each with its components 79 and contribution 81. Blocks
-- that hold nothing of these contracts, and rubrics that payroll alone knows (bank details and way of payment in 20,
-- dates of payment in 50, the contract of employment's number in 40.009 and 78.006, …) are left out.
--
-- Compared with the demonstration DSN of April 2026 (P26V01): 15.004 = 01, staff covered; 20.006 and 20.007 = 01012000
-- where a payment has parts 55; 30.020 beside 30.001, for the first month in which the number is known; 78.004 = 0.00; 81
-- without 002, 003 and 005; amounts with two decimals, dates JJMMAAAA. Numbers of dependants that are 0 are left out.

CREATE OR REPLACE VIEW report.dsn_rubric WITH (security_invoker = true) AS
SELECT
    company_id,
    payroll_month,
    siret,
    row_number() OVER (
        PARTITION BY company_id, payroll_month, siret
        ORDER BY part, person COLLATE "C", step, employment COLLATE "C", number, cover_month, line
    )::integer AS position,
    'S21.G00.' || rubric AS rubric,
    value
FROM (
    -- company and establishment
    SELECT
        c.company_id, c.payroll_month, c.siret, 1 AS part, NULL AS person, 1 AS step, NULL AS employment, 0 AS number,
        NULL::date AS cover_month, l.line, l.rubric, l.value
    FROM (SELECT DISTINCT company_id, payroll_month, siret FROM report.dsn_contract) AS c
    CROSS JOIN LATERAL (VALUES
        (1, '06.001', left(c.siret, 9)),
        (2, '11.001', substr(c.siret, 10, 5))
    ) AS l (line, rubric, value)
    UNION ALL
    -- contracts
    SELECT
        c.company_id, c.payroll_month, c.siret, 2, NULL, 1, NULL, c.contract_number, NULL, l.line, l.rubric, l.value
    FROM report.dsn_contract AS c
    CROSS JOIN LATERAL (VALUES
        (1, '15.001', c.contract_reference),
        (2, '15.002', c.insurer_code),
        (3, '15.003', c.delegate_code),
        (4, '15.004', '01'),
        (5, '15.005', c.contract_number::text)
    ) AS l (line, rubric, value)
    UNION ALL
    -- payments: the organism's lines come with the first of its parts
    SELECT
        p.company_id, p.payroll_month, p.siret, 3, p.organism, 1, NULL, p.contract_number, NULL, l.line, l.rubric,
        l.value
    FROM (
        SELECT
            *,
            concat_ws(' ', insurer_code, delegate_code) AS organism,
            contract_number = min(contract_number) OVER (
                PARTITION BY company_id, payroll_month, siret, insurer_code, delegate_code) AS is_first
        FROM report.dsn_payment
    ) AS p
    CROSS JOIN LATERAL (VALUES
        (1, '20.001', CASE WHEN p.is_first THEN p.insurer_code END),
        (2, '20.005', CASE WHEN p.is_first THEN round(p.payment_cents::numeric / 100, 2)::text END),
        (3, '20.006', CASE WHEN p.is_first THEN '01012000' END),
        (4, '20.007', CASE WHEN p.is_first THEN '01012000' END),
        (5, '20.008', CASE WHEN p.is_first THEN p.delegate_code END),
        (6, '55.001', round(p.amount_cents::numeric / 100, 2)::text),
        (7, '55.003', p.contract_reference),
        (8, '55.004', p.period)
    ) AS l (line, rubric, value)
    UNION ALL
    -- individuals. Who may read the column gets the whole numbers, others the masked ones: see report.identity_check.
    SELECT
        i.company_id, i.payroll_month, i.siret, 4, i.employee_id, 1, NULL, 0, NULL, l.line, l.rubric, l.value
    FROM (
        SELECT
            company_id, payroll_month, siret, employee_id, matricule,
            CASE WHEN has_column_privilege('payroll.employee'::regclass, 'nir', 'SELECT')
                 THEN payroll.declared_identity(company_id, payroll_month, employee_id)
                 ELSE payroll.masked_identity(company_id, payroll_month, employee_id) END AS identity
        FROM (SELECT DISTINCT company_id, payroll_month, siret, employee_id, matricule FROM report.dsn_affiliation) AS a
    ) AS i
    CROSS JOIN LATERAL (VALUES
        (1, '30.001', i.identity[1]),
        (2, '30.019', i.matricule),
        (3, '30.020', i.identity[2])
    ) AS l (line, rubric, value)
    UNION ALL
    -- contracts of employment
    SELECT
        a.company_id, a.payroll_month, a.siret, 4, a.employee_id, 2, a.employment_id, 0, NULL, 1, '40.001',
        to_char(m.starts_on, 'DDMMYYYY')
    FROM (SELECT DISTINCT company_id, payroll_month, siret, employee_id, employment_id FROM report.dsn_affiliation) AS a
    JOIN payroll.employment AS m ON m.company_id = a.company_id AND m.employment_id = a.employment_id
    UNION ALL
    -- their affiliations
    SELECT
        a.company_id, a.payroll_month, a.siret, 4, a.employee_id, 2, a.employment_id, a.affiliation_number, NULL,
        l.line, l.rubric, l.value
    FROM report.dsn_affiliation AS a
    CROSS JOIN LATERAL (VALUES
        (1, '70.004', a.option_code),
        (2, '70.005', a.population_code),
        (3, '70.007', nullif(a.children, 0)::text),
        (4, '70.008', nullif(a.adults, 0)::text),
        (5, '70.010', nullif(a.others, 0)::text),
        (6, '70.012', a.affiliation_number::text),
        (7, '70.013', a.contract_number::text)
    ) AS l (line, rubric, value)
    UNION ALL
    -- the employer's share of health, by individual and month of cover
    SELECT
        e.company_id, e.payroll_month, e.siret, 4, e.employee_id, 3, NULL, 0, e.cover_month, l.line, l.rubric, l.value
    FROM (
        SELECT
            company_id, payroll_month, siret, employee_id, cover_month, min(period_from) AS period_from,
            max(period_to) AS period_to, sum(employer_cents) AS employer_cents
        FROM report.dsn_base
        WHERE product = 'health'
        GROUP BY company_id, payroll_month, siret, employee_id, cover_month
        HAVING sum(employer_cents) <> 0
    ) AS e
    CROSS JOIN LATERAL (VALUES
        (1, '54.001', '92'),
        (2, '54.002', round(e.employer_cents / 100, 2)::text),
        (3, '54.003', to_char(e.period_from, 'DDMMYYYY')),
        (4, '54.004', to_char(e.period_to, 'DDMMYYYY'))
    ) AS l (line, rubric, value)
    UNION ALL
    -- bases, components, contributions
    SELECT
        b.company_id, b.payroll_month, b.siret, 4, b.employee_id, 4, NULL, b.affiliation_number, b.cover_month, l.line,
        l.rubric, l.value
    FROM report.dsn_base AS b
    CROSS JOIN LATERAL (VALUES
        (1, '78.001', '31'),
        (2, '78.002', to_char(b.period_from, 'DDMMYYYY')),
        (3, '78.003', to_char(b.period_to, 'DDMMYYYY')),
        (4, '78.004', '0.00'),
        (5, '78.005', b.affiliation_number::text),
        (6, '79.001', CASE WHEN b.gross_cents IS NOT NULL THEN '10' END),
        (7, '79.004', round(b.gross_cents::numeric / 100, 2)::text),
        (8, '79.001', CASE WHEN b.t1_cents IS NOT NULL THEN '11' END),
        (9, '79.004', round(b.t1_cents::numeric / 100, 2)::text),
        (10, '79.001', CASE WHEN b.t2_cents IS NOT NULL THEN '12' END),
        (11, '79.004', round(b.t2_cents::numeric / 100, 2)::text),
        (12, '79.001', CASE WHEN b.tb_cents IS NOT NULL THEN '13' END),
        (13, '79.004', round(b.tb_cents::numeric / 100, 2)::text),
        (14, '79.001', CASE WHEN b.fixed_base_cents IS NOT NULL THEN '18' END),
        (15, '79.004', round(b.fixed_base_cents::numeric / 100, 2)::text),
        (16, '79.001', CASE WHEN b.fixed_amount_cents IS NOT NULL THEN '20' END),
        (17, '79.004', round(b.fixed_amount_cents::numeric / 100, 2)::text),
        (18, '81.001', '059'),
        (19, '81.004', round(b.amount_cents::numeric / 100, 2)::text)
    ) AS l (line, rubric, value)
) AS x
WHERE value IS NOT NULL;

COMMENT ON VIEW report.dsn_rubric IS
    'What the DSN declares of these contracts, as (rubric, value) lines in the order and format of the norm, per establishment and payroll month.';
COMMENT ON COLUMN report.dsn_rubric.company_id IS 'Company.';
COMMENT ON COLUMN report.dsn_rubric.payroll_month IS 'Month of the declaration, its first day.';
COMMENT ON COLUMN report.dsn_rubric.siret IS 'Establishment of the declaration; null: the employment is not known.';
COMMENT ON COLUMN report.dsn_rubric.position IS 'Place of the line in the declaration: 1, 2, 3, …';
COMMENT ON COLUMN report.dsn_rubric.rubric IS 'Rubric, as S21.G00.78.001.';
COMMENT ON COLUMN report.dsn_rubric.value IS
    'Value without its quotes; NIR and NTT are masked but for payroll_manager.';

GRANT SELECT ON report.dsn_rubric TO payroll_manager, payroll_reader;
