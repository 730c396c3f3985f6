-- Block S21.G00.70, Affiliation Prévoyance: one for each contract of employment, contract, option and population. It
-- comes from the rows of payslips: who is exempt or in portability has none of these, and is not declared.
--
-- An affiliation to correct an earlier month only is declared too: the base that corrects has to name one.

CREATE OR REPLACE VIEW report.dsn_affiliation WITH (security_invoker = true) AS
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
    option_code,
    population_code,
    children,
    partners AS adults,
    others,
    min(product) AS product,
    bool_and(cover_month < payroll_month) AS earlier_months_only,
    sum(amount_cents)::bigint AS amount_cents
FROM payroll.dsn_line
GROUP BY company_id, payroll_month, siret, affiliation_number, contract_number, employee_id, matricule, employment_id,
    contract_reference, insurer_code, option_code, population_code, children, partners, others;

COMMENT ON VIEW report.dsn_affiliation IS
    'DSN block S21.G00.70 (Affiliation Prévoyance): one row per payroll month, contract of employment, contract, '
    'option and population.';
COMMENT ON COLUMN report.dsn_affiliation.company_id IS 'Company.';
COMMENT ON COLUMN report.dsn_affiliation.payroll_month IS 'Month of the declaration, its first day.';
COMMENT ON COLUMN report.dsn_affiliation.siret IS
    'Establishment of the declaration; null: the employment is not known.';
COMMENT ON COLUMN report.dsn_affiliation.affiliation_number IS
    'S21.G00.70.012, technical identifier: unique in the declaration.';
COMMENT ON COLUMN report.dsn_affiliation.contract_number IS
    'S21.G00.70.013, the contract''s technical identifier (S21.G00.15.005).';
COMMENT ON COLUMN report.dsn_affiliation.employee_id IS 'Payroll''s identifier of the person.';
COMMENT ON COLUMN report.dsn_affiliation.matricule IS 'Number of the employee inside the company (S21.G00.30.019).';
COMMENT ON COLUMN report.dsn_affiliation.employment_id IS 'Contract of employment.';
COMMENT ON COLUMN report.dsn_affiliation.contract_reference IS 'Contract reference (S21.G00.15.001).';
COMMENT ON COLUMN report.dsn_affiliation.insurer_code IS 'Organism code (S21.G00.15.002).';
COMMENT ON COLUMN report.dsn_affiliation.option_code IS 'S21.G00.70.004, option code; null: none.';
COMMENT ON COLUMN report.dsn_affiliation.population_code IS 'S21.G00.70.005, population code; null: none.';
COMMENT ON COLUMN report.dsn_affiliation.children IS
    'S21.G00.70.007, children insured as Alan holds them; null: not known.';
COMMENT ON COLUMN report.dsn_affiliation.adults IS
    'S21.G00.70.008, adult dependants (husband, wife, partner) as Alan holds them; null: not known.';
COMMENT ON COLUMN report.dsn_affiliation.others IS
    'S21.G00.70.010, other dependants as Alan holds them; null: not known.';
COMMENT ON COLUMN report.dsn_affiliation.product IS 'health or provident.';
COMMENT ON COLUMN report.dsn_affiliation.earlier_months_only IS
    'Whether everything declared under it is dated before the month of the declaration, as for somebody who has left.';
COMMENT ON COLUMN report.dsn_affiliation.amount_cents IS 'Premiums declared under it, signed.';

GRANT SELECT ON report.dsn_affiliation TO payroll_manager, payroll_reader;
