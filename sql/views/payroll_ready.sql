-- What goes on payslips, closed months as they were frozen. Fees, which no employee bears, and held money are not in it
-- (report.invoice_control).

CREATE OR REPLACE VIEW report.payroll_ready WITH (security_invoker = true) AS
SELECT
    company_id,
    payroll_month,
    employment_id,
    contract_id,
    component,
    cover_month,
    CASE WHEN siret IS NOT NULL THEN siren END AS siren,
    substr(siret, 10, 5) AS nic,
    employee_id,
    matricule,
    last_name,
    first_name,
    product,
    contract_reference,
    insurer_code,
    option_code,
    population_code,
    base_cents,
    amount_cents,
    employer_cents,
    employee_cents,
    kind,
    employer_cents AS csg_base_cents,
    CASE product WHEN 'health' THEN employer_cents ELSE 0 END AS taxable_addback_cents,
    -- round(numeric) rounds half away from zero
    round(employer_cents::numeric * forfait_social_ppm / 1000000)::bigint AS forfait_social_cents,
    CASE WHEN forfait_social_ppm IS NOT NULL THEN NULL
         WHEN headcount IS NULL THEN 'headcount of the company not known'
         ELSE 'no rate known for ' || to_char(payroll_month, 'YYYY-MM') || ': add it to payroll.social_rate'
    END AS forfait_social_note
FROM (
    SELECT
        company_id,
        payroll_month,
        employment_id,
        contract_id,
        component,
        cover_month,
        -- the same in all rows of a group, whose month was frozen or is looked up as a whole
        max(siren) AS siren,
        max(siret) AS siret,
        max(employee_id) AS employee_id,
        max(matricule) AS matricule,
        max(last_name) AS last_name,
        max(first_name) AS first_name,
        max(product) AS product,
        max(contract_reference) AS contract_reference,
        max(insurer_code) AS insurer_code,
        max(headcount) AS headcount,
        max(forfait_social_ppm) AS forfait_social_ppm,
        -- the employee's own codes before those of a partner, child or option
        coalesce(max(option_code) FILTER (WHERE member_type IN ('employee', 'family')), max(option_code))
            AS option_code,
        coalesce(max(population_code) FILTER (WHERE member_type IN ('employee', 'family')), max(population_code))
            AS population_code,
        sum(base_cents)::bigint AS base_cents,
        sum(amount_cents)::bigint AS amount_cents,
        sum(employer_cents)::bigint AS employer_cents,
        sum(employee_cents)::bigint AS employee_cents,
        CASE WHEN min(kind) = max(kind) THEN min(kind) ELSE 'regularisation' END AS kind
    FROM payroll.ready_line
    WHERE employment_id IS NOT NULL
    GROUP BY company_id, payroll_month, employment_id, contract_id, component, cover_month
) AS r;

COMMENT ON VIEW report.payroll_ready IS
    'What goes on payslips: one row per payroll month, contract of employment, contract, component and cover month.';
COMMENT ON COLUMN report.payroll_ready.company_id IS 'Company.';
COMMENT ON COLUMN report.payroll_ready.payroll_month IS 'Month of the payslip, its first day.';
COMMENT ON COLUMN report.payroll_ready.employment_id IS 'Contract of employment.';
COMMENT ON COLUMN report.payroll_ready.contract_id IS 'Alan''s contract.';
COMMENT ON COLUMN report.payroll_ready.component IS 'What the premium is reckoned on: fixed, pmss, gross, t1, t2 or tb.';
COMMENT ON COLUMN report.payroll_ready.cover_month IS 'Month of cover, its first day.';
COMMENT ON COLUMN report.payroll_ready.siren IS 'SIREN of the establishment of the contract of employment.';
COMMENT ON COLUMN report.payroll_ready.nic IS 'NIC: the last 5 digits of its SIRET.';
COMMENT ON COLUMN report.payroll_ready.employee_id IS 'Payroll''s identifier of the person.';
COMMENT ON COLUMN report.payroll_ready.matricule IS 'Number of the employee inside the company.';
COMMENT ON COLUMN report.payroll_ready.last_name IS 'Last name.';
COMMENT ON COLUMN report.payroll_ready.first_name IS 'First name.';
COMMENT ON COLUMN report.payroll_ready.product IS 'health or provident.';
COMMENT ON COLUMN report.payroll_ready.contract_reference IS 'Contract reference declared in the DSN (S21.G00.15.001).';
COMMENT ON COLUMN report.payroll_ready.insurer_code IS 'Organism code declared in the DSN (S21.G00.15.002).';
COMMENT ON COLUMN report.payroll_ready.option_code IS 'Option code declared in the DSN (S21.G00.70.004).';
COMMENT ON COLUMN report.payroll_ready.population_code IS 'Population code declared in the DSN (S21.G00.70.005).';
COMMENT ON COLUMN report.payroll_ready.base_cents IS
    'What a rate was applied to, in a correction less what closed months had of it; null for a fixed premium.';
COMMENT ON COLUMN report.payroll_ready.amount_cents IS 'Employer''s and employee''s shares together (S21.G00.81.004).';
COMMENT ON COLUMN report.payroll_ready.employer_cents IS 'Employer''s share.';
COMMENT ON COLUMN report.payroll_ready.employee_cents IS 'Employee''s share.';
COMMENT ON COLUMN report.payroll_ready.kind IS
    'regular, regularisation or reversal; regularisation when several kinds add up.';
COMMENT ON COLUMN report.payroll_ready.csg_base_cents IS
    'Part of the CSG and CRDS base: the employer''s share of both products.';
COMMENT ON COLUMN report.payroll_ready.taxable_addback_cents IS
    'Added back to taxable pay: the employer''s share of health.';
COMMENT ON COLUMN report.payroll_ready.forfait_social_cents IS
    'Forfait social on the employer''s share, rounded per row; null: not known, forfait_social_note tells why.';
COMMENT ON COLUMN report.payroll_ready.forfait_social_note IS 'Why forfait_social_cents is null.';

GRANT SELECT ON report.payroll_ready TO payroll_manager, payroll_reader;
