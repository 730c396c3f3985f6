-- What the views of the DSN (NEODeS) share: the rows of payslips, each with the blocks of the declaration that carry
-- it. A declaration is one establishment (SIRET) and payroll month. These files are numbered because they read the ones
-- before them.
--
-- Where the norm was read: the data dictionary of 2024 (CT2024), the tree of blocks of P24V01, and a public
-- demonstration DSN of April 2026 (P26V01) that declares a contract of Alan, with which order, formats and amounts were
-- compared.

CREATE OR REPLACE VIEW payroll.dsn_line WITH (security_invoker = true) AS
SELECT
    a.company_id,
    a.payroll_month,
    a.siret,
    a.employee_id,
    a.matricule,
    a.employment_id,
    a.contract_reference,
    a.insurer_code,
    a.delegate_code,
    a.option_code,
    a.population_code,
    first_value(a.partners) OVER latest AS partners,
    first_value(a.children) OVER latest AS children,
    first_value(a.others) OVER latest AS others,
    a.product,
    a.component,
    a.kind,
    a.cover_month,
    a.cover_from,
    a.cover_to,
    a.base_cents,
    a.amount_cents,
    a.employer_cents,
    a.employee_cents,
    dense_rank() OVER (
        PARTITION BY a.company_id, a.payroll_month, a.siret
        ORDER BY a.contract_reference COLLATE "C", a.insurer_code COLLATE "C", a.delegate_code COLLATE "C"
    )::integer AS contract_number,
    dense_rank() OVER (
        PARTITION BY a.company_id, a.payroll_month, a.siret
        ORDER BY a.employee_id COLLATE "C", a.employment_id COLLATE "C", a.contract_reference COLLATE "C",
            a.insurer_code COLLATE "C", a.delegate_code COLLATE "C", a.option_code COLLATE "C",
            a.population_code COLLATE "C"
    )::integer AS affiliation_number
FROM (
    SELECT
        o.*,
        -- A partner, a child or an option is paid under the employee's codes: those of the month covered, else those
        -- of any month in the declaration, else the line's own.
        (coalesce(o.codes, o.codes_of_month, o.codes_of_contract, o.codes_of_line))[1] AS option_code,
        (coalesce(o.codes, o.codes_of_month, o.codes_of_contract, o.codes_of_line))[2] AS population_code
    FROM (
        SELECT
            m.*,
            max(m.codes) OVER (PARTITION BY m.company_id, m.payroll_month, m.employment_id, m.contract_reference,
                               m.insurer_code, m.cover_month) AS codes_of_month,
            max(m.codes) OVER (PARTITION BY m.company_id, m.payroll_month, m.employment_id, m.contract_reference,
                               m.insurer_code) AS codes_of_contract
        FROM (
            SELECT
                company_id, payroll_month, siret, employee_id, matricule, employment_id, line_id, contract_reference,
                insurer_code, delegate_code, affiliation_id, partners, children, others, product, component, kind,
                cover_month, cover_from, cover_to, base_cents, amount_cents, employer_cents, employee_cents,
                CASE WHEN member_type IN ('employee', 'family') AND num_nonnulls(option_code, population_code) > 0
                     THEN ARRAY[option_code, population_code] END AS codes,
                ARRAY[option_code, population_code] AS codes_of_line
            FROM payroll.ready_line
            WHERE employment_id IS NOT NULL -- a fee is no premium
        ) AS m
    ) AS o
) AS a
-- Who is insured under an affiliation is as its last cover in the declaration has it; some lines, billed for the whole
-- company, do not tell.
WINDOW latest AS (
    PARTITION BY a.company_id, a.payroll_month, a.siret, a.employee_id, a.employment_id, a.contract_reference,
        a.insurer_code, a.delegate_code, a.option_code, a.population_code
    ORDER BY a.affiliation_id IS NULL, a.cover_from DESC, a.line_id);

COMMENT ON VIEW payroll.dsn_line IS
    'The rows of payslips with the blocks of the DSN that declare them. What the views report.dsn_* stand on.';
COMMENT ON COLUMN payroll.dsn_line.company_id IS 'Company.';
COMMENT ON COLUMN payroll.dsn_line.payroll_month IS 'Month of the declaration, its first day.';
COMMENT ON COLUMN payroll.dsn_line.siret IS 'Establishment of the declaration; null: the employment is not known.';
COMMENT ON COLUMN payroll.dsn_line.employee_id IS 'Payroll''s identifier of the person.';
COMMENT ON COLUMN payroll.dsn_line.matricule IS 'Number of the employee inside the company.';
COMMENT ON COLUMN payroll.dsn_line.employment_id IS 'Contract of employment.';
COMMENT ON COLUMN payroll.dsn_line.contract_reference IS 'Contract reference.';
COMMENT ON COLUMN payroll.dsn_line.insurer_code IS 'Organism code.';
COMMENT ON COLUMN payroll.dsn_line.delegate_code IS 'Delegated manager''s code; null: none.';
COMMENT ON COLUMN payroll.dsn_line.option_code IS 'Option code of the affiliation that declares it.';
COMMENT ON COLUMN payroll.dsn_line.population_code IS 'Population code of the affiliation that declares it.';
COMMENT ON COLUMN payroll.dsn_line.partners IS 'Partners insured under that affiliation; null: not known.';
COMMENT ON COLUMN payroll.dsn_line.children IS 'Children insured under it; null: not known.';
COMMENT ON COLUMN payroll.dsn_line.others IS 'Other people insured under it; null: not known.';
COMMENT ON COLUMN payroll.dsn_line.product IS 'health or provident.';
COMMENT ON COLUMN payroll.dsn_line.component IS 'What the premium is reckoned on.';
COMMENT ON COLUMN payroll.dsn_line.kind IS 'regular, regularisation or reversal.';
COMMENT ON COLUMN payroll.dsn_line.cover_month IS 'Month of cover, its first day.';
COMMENT ON COLUMN payroll.dsn_line.cover_from IS 'First day of cover.';
COMMENT ON COLUMN payroll.dsn_line.cover_to IS 'Last day of cover, in the same civil month.';
COMMENT ON COLUMN payroll.dsn_line.base_cents IS
    'What a rate was applied to, in a correction less what closed months had of it; null for a fixed premium.';
COMMENT ON COLUMN payroll.dsn_line.amount_cents IS 'Whole premium, signed.';
COMMENT ON COLUMN payroll.dsn_line.employer_cents IS 'Part that the employer pays.';
COMMENT ON COLUMN payroll.dsn_line.employee_cents IS 'Part that the employee pays.';
COMMENT ON COLUMN payroll.dsn_line.contract_number IS 'Technical identifier of the contract in the declaration.';
COMMENT ON COLUMN payroll.dsn_line.affiliation_number IS 'Technical identifier of the affiliation in the declaration.';

GRANT SELECT ON payroll.dsn_line TO payroll_manager, payroll_reader;
