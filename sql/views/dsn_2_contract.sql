-- Block S21.G00.15, Adhésion Prévoyance: one for each contract reference and organism under which somebody is declared
-- in the month.

CREATE OR REPLACE VIEW report.dsn_contract WITH (security_invoker = true) AS
SELECT
    company_id,
    payroll_month,
    siret,
    contract_number,
    contract_reference,
    insurer_code,
    delegate_code,
    min(product) AS product,
    count(DISTINCT affiliation_number)::integer AS affiliations,
    sum(amount_cents)::bigint AS amount_cents
FROM payroll.dsn_line
GROUP BY company_id, payroll_month, siret, contract_number, contract_reference, insurer_code, delegate_code;

COMMENT ON VIEW report.dsn_contract IS
    'DSN block S21.G00.15 (Adhésion Prévoyance): one row per establishment, payroll month, contract reference and '
    'organism.';
COMMENT ON COLUMN report.dsn_contract.company_id IS 'Company.';
COMMENT ON COLUMN report.dsn_contract.payroll_month IS 'Month of the declaration, its first day.';
COMMENT ON COLUMN report.dsn_contract.siret IS
    'Establishment of the declaration (S21.G00.06.001 and S21.G00.11.001); null: the employment is not known.';
COMMENT ON COLUMN report.dsn_contract.contract_number IS
    'S21.G00.15.005, technical identifier: unique in the declaration, 1, 2, … in the order of references.';
COMMENT ON COLUMN report.dsn_contract.contract_reference IS 'S21.G00.15.001, contract reference.';
COMMENT ON COLUMN report.dsn_contract.insurer_code IS 'S21.G00.15.002, organism code.';
COMMENT ON COLUMN report.dsn_contract.delegate_code IS 'S21.G00.15.003, delegated manager''s code; null: none.';
COMMENT ON COLUMN report.dsn_contract.product IS 'health or provident.';
COMMENT ON COLUMN report.dsn_contract.affiliations IS 'Affiliations to it in the declaration (report.dsn_affiliation).';
COMMENT ON COLUMN report.dsn_contract.amount_cents IS 'Premiums declared under it, signed.';

GRANT SELECT ON report.dsn_contract TO payroll_manager, payroll_reader;
