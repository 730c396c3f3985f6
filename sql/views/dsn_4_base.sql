-- Blocks S21.G00.78 (Base assujettie, code 31), .79 (its components) and .81 (Cotisation individuelle, code 059): one
-- base for each affiliation and civil month. The components are columns, so that no amount is on two rows. The norm
-- wants exactly one contribution 059 per base, the base's own amount (78.004) is 0.00, and a correction of an earlier
-- month is one more base, dated in that month and signed.

CREATE OR REPLACE VIEW report.dsn_base WITH (security_invoker = true) AS
SELECT
    company_id,
    payroll_month,
    siret,
    affiliation_number,
    contract_number,
    employee_id,
    matricule,
    employment_id,
    contract_reference,
    insurer_code,
    delegate_code,
    option_code,
    population_code,
    children,
    adults,
    others,
    product,
    cover_month,
    min(cover_from) AS period_from,
    max(cover_to) AS period_to,
    CASE WHEN min(first_kind) = max(last_kind) THEN min(first_kind) ELSE 'regularisation' END AS kind,
    sum(base_cents) FILTER (WHERE component = 'gross')::bigint AS gross_cents,
    sum(base_cents) FILTER (WHERE component = 't1')::bigint AS t1_cents,
    sum(base_cents) FILTER (WHERE component = 't2')::bigint AS t2_cents,
    sum(base_cents) FILTER (WHERE component = 'tb')::bigint AS tb_cents,
    sum(base_cents) FILTER (WHERE component = 'pmss')::bigint AS fixed_base_cents,
    sum(amount_cents) FILTER (WHERE component = 'fixed')::bigint AS fixed_amount_cents,
    sum(amount_cents)::bigint AS amount_cents,
    sum(employer_cents)::bigint AS employer_cents,
    sum(employee_cents)::bigint AS employee_cents
FROM (
    -- Two premiums on the same pay for the same days have one base between them; one taken back comes off.
    SELECT
        company_id, payroll_month, siret, affiliation_number, contract_number, employee_id, matricule, employment_id,
        contract_reference, insurer_code, delegate_code, option_code, population_code, children,
        partners AS adults, others, product, cover_month, cover_from, cover_to, component,
        min(kind) AS first_kind,
        max(kind) AS last_kind,
        max(greatest(base_cents, 0)) + min(least(base_cents, 0)) AS base_cents,
        sum(amount_cents) AS amount_cents,
        sum(employer_cents) AS employer_cents,
        sum(employee_cents) AS employee_cents
    FROM payroll.dsn_line
    GROUP BY company_id, payroll_month, siret, affiliation_number, contract_number, employee_id, matricule,
        employment_id, contract_reference, insurer_code, delegate_code, option_code, population_code, children,
        partners, others, product, cover_month, cover_from, cover_to, component
) AS p
GROUP BY company_id, payroll_month, siret, affiliation_number, contract_number, employee_id, matricule, employment_id,
    contract_reference, insurer_code, delegate_code, option_code, population_code, children, adults, others, product,
    cover_month;

COMMENT ON VIEW report.dsn_base IS
    'DSN blocks S21.G00.78 (code 31), .79 and .81 (code 059): one row per affiliation and month of cover.';
COMMENT ON COLUMN report.dsn_base.company_id IS 'Company.';
COMMENT ON COLUMN report.dsn_base.payroll_month IS 'Month of the declaration, its first day.';
COMMENT ON COLUMN report.dsn_base.siret IS 'Establishment of the declaration; null: the employment is not known.';
COMMENT ON COLUMN report.dsn_base.affiliation_number IS
    'S21.G00.78.005, the affiliation''s technical identifier (S21.G00.70.012).';
COMMENT ON COLUMN report.dsn_base.contract_number IS 'Its contract''s technical identifier (S21.G00.15.005).';
COMMENT ON COLUMN report.dsn_base.employee_id IS 'Payroll''s identifier of the person.';
COMMENT ON COLUMN report.dsn_base.matricule IS 'Number of the employee inside the company (S21.G00.30.019).';
COMMENT ON COLUMN report.dsn_base.employment_id IS 'Contract of employment.';
COMMENT ON COLUMN report.dsn_base.contract_reference IS 'Contract reference (S21.G00.15.001).';
COMMENT ON COLUMN report.dsn_base.insurer_code IS 'Organism code (S21.G00.15.002).';
COMMENT ON COLUMN report.dsn_base.delegate_code IS 'Delegated manager''s code (S21.G00.15.003); null: none.';
COMMENT ON COLUMN report.dsn_base.option_code IS 'Option code (S21.G00.70.004); null: none.';
COMMENT ON COLUMN report.dsn_base.population_code IS 'Population code (S21.G00.70.005); null: none.';
COMMENT ON COLUMN report.dsn_base.children IS 'Children insured (S21.G00.70.007); null: not known.';
COMMENT ON COLUMN report.dsn_base.adults IS 'Adult dependants insured (S21.G00.70.008); null: not known.';
COMMENT ON COLUMN report.dsn_base.others IS 'Other dependants insured (S21.G00.70.010); null: not known.';
COMMENT ON COLUMN report.dsn_base.product IS 'health or provident.';
COMMENT ON COLUMN report.dsn_base.cover_month IS 'Month of cover, its first day.';
COMMENT ON COLUMN report.dsn_base.period_from IS 'S21.G00.78.002, first day of cover in that month.';
COMMENT ON COLUMN report.dsn_base.period_to IS 'S21.G00.78.003, last day of cover in that month.';
COMMENT ON COLUMN report.dsn_base.kind IS
    'regular, regularisation or reversal; regularisation when several kinds add up.';
COMMENT ON COLUMN report.dsn_base.gross_cents IS 'S21.G00.79.004 of component 10, gross pay; null: no such component.';
COMMENT ON COLUMN report.dsn_base.t1_cents IS 'S21.G00.79.004 of component 11, tranche 1; null: no such component.';
COMMENT ON COLUMN report.dsn_base.t2_cents IS 'S21.G00.79.004 of component 12, tranche 2; null: no such component.';
COMMENT ON COLUMN report.dsn_base.tb_cents IS 'S21.G00.79.004 of component 13, tranche B; null: no such component.';
COMMENT ON COLUMN report.dsn_base.fixed_base_cents IS
    'S21.G00.79.004 of component 18, fixed base: the social security ceiling; null: no such component.';
COMMENT ON COLUMN report.dsn_base.fixed_amount_cents IS
    'S21.G00.79.004 of component 20, fixed amount: the premium itself; null: no such component.';
COMMENT ON COLUMN report.dsn_base.amount_cents IS
    'S21.G00.81.004 of code 059: employer''s and employee''s shares together, signed.';
COMMENT ON COLUMN report.dsn_base.employer_cents IS
    'Employer''s share; of health, in S21.G00.54.002 of type 92 for the individual and month of cover.';
COMMENT ON COLUMN report.dsn_base.employee_cents IS 'Employee''s share.';

GRANT SELECT ON report.dsn_base TO payroll_manager, payroll_reader;
