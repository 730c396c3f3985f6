-- What goes on payslips. Fees, which no employee bears, and held money are not in it (report.invoice_control).

CREATE OR REPLACE VIEW report.payroll_ready WITH (security_invoker = true) AS
SELECT
    r.company_id,
    r.payroll_month,
    r.employment_id,
    r.contract_id,
    r.component,
    r.cover_month,
    left(m.siret, 9) AS siren,
    substr(m.siret, 10, 5) AS nic,
    m.employee_id,
    e.matricule,
    e.last_name,
    e.first_name,
    r.product,
    c.reference AS contract_reference,
    c.insurer_code,
    r.option_code,
    r.population_code,
    r.base_cents,
    r.amount_cents,
    r.employer_cents,
    r.employee_cents,
    r.kind,
    r.employer_cents AS csg_base_cents,
    CASE r.product WHEN 'health' THEN r.employer_cents ELSE 0 END AS taxable_addback_cents,
    -- round(numeric) rounds half away from zero
    CASE WHEN y.headcount < s.minimum_headcount THEN 0
         WHEN y.headcount IS NOT NULL THEN round(r.employer_cents::numeric * s.rate_ppm / 1000000)::bigint
    END AS forfait_social_cents,
    CASE WHEN s.rate_ppm IS NULL THEN
             'no rate known for ' || to_char(r.payroll_month, 'YYYY-MM') || ': add it to payroll.social_rate'
         WHEN y.headcount IS NULL THEN 'headcount of the company not known'
    END AS forfait_social_note
FROM (
    SELECT
        company_id,
        payroll_month,
        employment_id,
        contract_id,
        component,
        date_trunc('month', cover_from::timestamp)::date AS cover_month,
        max(product) AS product,
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
    FROM payroll.contribution
    WHERE status = 'ready' AND employment_id IS NOT NULL
    GROUP BY company_id, payroll_month, employment_id, contract_id, component,
        date_trunc('month', cover_from::timestamp)::date
) AS r
LEFT JOIN payroll.employment AS m ON m.company_id = r.company_id AND m.employment_id = r.employment_id
LEFT JOIN payroll.employee AS e ON e.company_id = m.company_id AND e.employee_id = m.employee_id
LEFT JOIN payroll.contract AS c ON c.company_id = r.company_id AND c.contract_id = r.contract_id
LEFT JOIN payroll.company AS y ON y.company_id = r.company_id
LEFT JOIN payroll.social_rate AS s
    ON s.name = 'forfait_social' AND r.payroll_month BETWEEN s.valid_from AND s.valid_to;

COMMENT ON VIEW report.payroll_ready IS
    'What goes on payslips: one row per payroll month, contract of employment, contract, component and cover month.';
COMMENT ON COLUMN report.payroll_ready.company_id IS 'Company.';
COMMENT ON COLUMN report.payroll_ready.payroll_month IS 'Month of the payslip, its first day.';
COMMENT ON COLUMN report.payroll_ready.employment_id IS 'Contract of employment.';
COMMENT ON COLUMN report.payroll_ready.contract_id IS 'Alan''s contract.';
COMMENT ON COLUMN report.payroll_ready.component IS 'What the premium is reckoned on: fixed, pmss, gross, t1 or t2.';
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
COMMENT ON COLUMN report.payroll_ready.base_cents IS 'What a rate was applied to; null for a fixed premium.';
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
