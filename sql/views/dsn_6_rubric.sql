-- The blocks of the other views as (rubric, value) lines, in the order and format of the norm, to compare with what
-- payroll declares.
--
-- Order, as in the tree of blocks of P24V01: company 06, establishment 11, contracts 15, payments 20 each with its
-- parts 55; then each individual 30 with contracts of employment 40, each with its affiliations 70, and after them (in
-- the individual's payment 50) other elements of pay 54 and bases 78, each with its components 79 and contribution 81.
-- Blocks that hold nothing of these contracts, and rubrics that payroll alone knows (bank details and way of payment in
-- 20, date of payment in 50, number of the contract of employment in 40.009 and 78.006, …) are left out.
--
-- As in the demonstration DSN of April 2026 (P26V01): 15.004 = 01, staff covered; 20.006 and 20.007 = 01012000 where a
-- payment has parts 55; 30.020 stays beside 30.001; 78.004 = 0.00; 81 without 002, 003 and 005; amounts with two
-- decimals, dates JJMMAAAA. Numbers of dependants that are 0 are left out.

CREATE OR REPLACE VIEW report.dsn_rubric WITH (security_invoker = true) AS
SELECT
    f.company_id,
    f.payroll_month,
    f.siret,
    row_number() OVER (
        PARTITION BY f.company_id, f.payroll_month, f.siret
        ORDER BY CASE WHEN l.place < 4 THEN 0 ELSE f.person END, l.place, l.number, l.cover_month, l.line
    )::integer AS position,
    'S21.G00.' || l.rubric AS rubric,
    l.value
FROM (
    -- In one pass over the bases: each knows whether it is the first of the blocks above it, and then brings their
    -- lines.
    SELECT
        b.*,
        min(b.affiliation_number) OVER person AS person, -- their place: the first of their affiliations
        min(b.contract_number) OVER organism AS organism,
        row_number() OVER declaration = 1 AS opens_declaration,
        row_number() OVER contract = 1 AS opens_contract,
        row_number() OVER organism = 1 AS opens_organism,
        row_number() OVER person = 1 AS opens_person,
        row_number() OVER employment = 1 AS opens_employment,
        row_number() OVER affiliation = 1 AS opens_affiliation,
        row_number() OVER health = 1 AND b.product = 'health' AS opens_health,
        sum(b.amount_cents) OVER (contract ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS contract_cents,
        sum(b.amount_cents) OVER (organism ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS organism_cents,
        sum(b.employer_cents) OVER (health ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS health_cents,
        min(b.period_from) OVER (health ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS health_from,
        max(b.period_to) OVER (health ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS health_to
    FROM report.dsn_base AS b
    WINDOW
        declaration AS (PARTITION BY b.company_id, b.payroll_month, b.siret
                        ORDER BY b.affiliation_number, b.cover_month),
        person AS (PARTITION BY b.company_id, b.payroll_month, b.siret, b.employee_id
                   ORDER BY b.affiliation_number, b.cover_month),
        employment AS (PARTITION BY b.company_id, b.payroll_month, b.siret, b.employee_id, b.employment_id
                       ORDER BY b.affiliation_number, b.cover_month),
        affiliation AS (PARTITION BY b.company_id, b.payroll_month, b.siret, b.affiliation_number
                        ORDER BY b.cover_month),
        contract AS (PARTITION BY b.company_id, b.payroll_month, b.siret, b.contract_number
                     ORDER BY b.affiliation_number, b.cover_month),
        organism AS (PARTITION BY b.company_id, b.payroll_month, b.siret, b.insurer_code, b.delegate_code
                     ORDER BY b.contract_number, b.affiliation_number, b.cover_month),
        health AS (PARTITION BY b.company_id, b.payroll_month, b.siret, b.employee_id, b.cover_month, b.product
                   ORDER BY b.affiliation_number)
) AS f
LEFT JOIN payroll.employment AS m
    ON f.opens_employment AND m.company_id = f.company_id AND m.employment_id = f.employment_id
-- Who may read the column gets the whole numbers, others the masked ones: see report.identity_check. OFFSET 0: once.
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN NOT f.opens_person THEN NULL
             WHEN has_column_privilege('payroll.employee'::regclass, 'nir', 'SELECT')
             THEN payroll.declared_identity(f.company_id, f.payroll_month, f.employee_id)
             ELSE payroll.masked_identity(f.company_id, f.payroll_month, f.employee_id) END AS numbers
    OFFSET 0
) AS i
CROSS JOIN LATERAL (VALUES
    -- company, establishment
    (f.opens_declaration, 1, 0, NULL::date, 1, '06.001', left(f.siret, 9)),
    (f.opens_declaration, 1, 0, NULL, 2, '11.001', substr(f.siret, 10, 5)),
    -- contract
    (f.opens_contract, 2, f.contract_number, NULL, 1, '15.001', f.contract_reference),
    (f.opens_contract, 2, f.contract_number, NULL, 2, '15.002', f.insurer_code),
    (f.opens_contract, 2, f.contract_number, NULL, 3, '15.003', f.delegate_code),
    (f.opens_contract, 2, f.contract_number, NULL, 4, '15.004', '01'),
    (f.opens_contract, 2, f.contract_number, NULL, 5, '15.005', f.contract_number::text),
    -- payment, parts
    (f.opens_organism, 3, f.organism, NULL, 1, '20.001', f.insurer_code),
    (f.opens_organism, 3, f.organism, NULL, 2, '20.005', round(f.organism_cents::numeric / 100, 2)::text),
    (f.opens_organism, 3, f.organism, NULL, 3, '20.006', '01012000'),
    (f.opens_organism, 3, f.organism, NULL, 4, '20.007', '01012000'),
    (f.opens_organism, 3, f.organism, NULL, 5, '20.008', f.delegate_code),
    (f.opens_contract, 3, f.organism, NULL, 10 * f.contract_number + 1, '55.001',
     round(f.contract_cents::numeric / 100, 2)::text),
    (f.opens_contract, 3, f.organism, NULL, 10 * f.contract_number + 2, '55.003', f.contract_reference),
    (f.opens_contract, 3, f.organism, NULL, 10 * f.contract_number + 3, '55.004',
     to_char(f.payroll_month, 'YYYY"M"MM')),
    -- individual
    (f.opens_person, 4, 0, NULL, 1, '30.001', i.numbers[1]),
    (f.opens_person, 4, 0, NULL, 2, '30.019', f.matricule),
    (f.opens_person, 4, 0, NULL, 3, '30.020', i.numbers[2]),
    -- contract of employment, affiliation
    (f.opens_employment, 5, f.affiliation_number, NULL, 0, '40.001', to_char(m.starts_on, 'DDMMYYYY')),
    (f.opens_affiliation, 5, f.affiliation_number, NULL, 1, '70.004', f.option_code),
    (f.opens_affiliation, 5, f.affiliation_number, NULL, 2, '70.005', f.population_code),
    (f.opens_affiliation, 5, f.affiliation_number, NULL, 3, '70.007', nullif(f.children, 0)::text),
    (f.opens_affiliation, 5, f.affiliation_number, NULL, 4, '70.008', nullif(f.adults, 0)::text),
    (f.opens_affiliation, 5, f.affiliation_number, NULL, 5, '70.010', nullif(f.others, 0)::text),
    (f.opens_affiliation, 5, f.affiliation_number, NULL, 6, '70.012', f.affiliation_number::text),
    (f.opens_affiliation, 5, f.affiliation_number, NULL, 7, '70.013', f.contract_number::text),
    -- the employer's share of health
    (f.opens_health, 6, 0, f.cover_month, 1, '54.001', '92'),
    (f.opens_health, 6, 0, f.cover_month, 2, '54.002', round(f.health_cents::numeric / 100, 2)::text),
    (f.opens_health, 6, 0, f.cover_month, 3, '54.003', to_char(f.health_from, 'DDMMYYYY')),
    (f.opens_health, 6, 0, f.cover_month, 4, '54.004', to_char(f.health_to, 'DDMMYYYY')),
    -- base, components, contribution
    (true, 7, f.affiliation_number, f.cover_month, 1, '78.001', '31'),
    (true, 7, f.affiliation_number, f.cover_month, 2, '78.002', to_char(f.period_from, 'DDMMYYYY')),
    (true, 7, f.affiliation_number, f.cover_month, 3, '78.003', to_char(f.period_to, 'DDMMYYYY')),
    (true, 7, f.affiliation_number, f.cover_month, 4, '78.004', '0.00'),
    (true, 7, f.affiliation_number, f.cover_month, 5, '78.005', f.affiliation_number::text),
    (f.gross_cents IS NOT NULL, 7, f.affiliation_number, f.cover_month, 6, '79.001', '10'),
    (true, 7, f.affiliation_number, f.cover_month, 7, '79.004', round(f.gross_cents::numeric / 100, 2)::text),
    (f.t1_cents IS NOT NULL, 7, f.affiliation_number, f.cover_month, 8, '79.001', '11'),
    (true, 7, f.affiliation_number, f.cover_month, 9, '79.004', round(f.t1_cents::numeric / 100, 2)::text),
    (f.t2_cents IS NOT NULL, 7, f.affiliation_number, f.cover_month, 10, '79.001', '12'),
    (true, 7, f.affiliation_number, f.cover_month, 11, '79.004', round(f.t2_cents::numeric / 100, 2)::text),
    (f.tb_cents IS NOT NULL, 7, f.affiliation_number, f.cover_month, 12, '79.001', '13'),
    (true, 7, f.affiliation_number, f.cover_month, 13, '79.004', round(f.tb_cents::numeric / 100, 2)::text),
    (f.fixed_base_cents IS NOT NULL, 7, f.affiliation_number, f.cover_month, 14, '79.001', '18'),
    (true, 7, f.affiliation_number, f.cover_month, 15, '79.004', round(f.fixed_base_cents::numeric / 100, 2)::text),
    (f.fixed_amount_cents IS NOT NULL, 7, f.affiliation_number, f.cover_month, 16, '79.001', '20'),
    (true, 7, f.affiliation_number, f.cover_month, 17, '79.004', round(f.fixed_amount_cents::numeric / 100, 2)::text),
    (true, 7, f.affiliation_number, f.cover_month, 18, '81.001', '059'),
    (true, 7, f.affiliation_number, f.cover_month, 19, '81.004', round(f.amount_cents::numeric / 100, 2)::text)
) AS l (shown, place, number, cover_month, line, rubric, value)
WHERE l.shown AND l.value IS NOT NULL;

COMMENT ON VIEW report.dsn_rubric IS
    'What the DSN declares of these contracts, as (rubric, value) lines in the order and format of the norm, per '
    'establishment and payroll month.';
COMMENT ON COLUMN report.dsn_rubric.company_id IS 'Company.';
COMMENT ON COLUMN report.dsn_rubric.payroll_month IS 'Month of the declaration, its first day.';
COMMENT ON COLUMN report.dsn_rubric.siret IS 'Establishment of the declaration; null: the employment is not known.';
COMMENT ON COLUMN report.dsn_rubric.position IS 'Place of the line in the declaration: 1, 2, 3, …';
COMMENT ON COLUMN report.dsn_rubric.rubric IS 'Rubric, as S21.G00.78.001.';
COMMENT ON COLUMN report.dsn_rubric.value IS
    'Value without its quotes; NIR and NTT are masked but for payroll_manager.';

GRANT SELECT ON report.dsn_rubric TO payroll_manager, payroll_reader;
