-- Both sides next to each other, to see why somebody is not matched. Who may read the column gets the whole numbers,
-- others the masked ones: the constants below are resolved when the view is made, so that payroll_reader needs no right
-- on the schema, and the functions are called for nobody who would be refused.

CREATE OR REPLACE VIEW report.identity_check WITH (security_invoker = true) AS
SELECT
    m.company_id,
    m.member_id,
    e.employee_id,
    m.matched_by,
    CASE WHEN has_column_privilege('payroll.member'::regclass, 'nir', 'SELECT')
         THEN payroll.member_nir(m.company_id, m.member_id) ELSE m.nir_masked END AS alan_nir,
    CASE WHEN has_column_privilege('payroll.employee'::regclass, 'nir', 'SELECT')
         THEN payroll.employee_nir(e.company_id, e.employee_id) ELSE e.nir_masked END AS payroll_nir,
    CASE WHEN e.ntt_masked IS NOT NULL AND has_column_privilege('payroll.employee'::regclass, 'ntt', 'SELECT')
         THEN payroll.employee_ntt(e.company_id, e.employee_id) ELSE e.ntt_masked END AS payroll_ntt,
    m.last_name AS alan_last_name,
    m.first_name AS alan_first_name,
    m.birth_date AS alan_birth_date,
    e.matricule,
    e.last_name AS payroll_last_name,
    e.first_name AS payroll_first_name,
    e.birth_name AS payroll_birth_name,
    e.birth_date AS payroll_birth_date
FROM payroll.member AS m
LEFT JOIN payroll.employee AS e ON e.company_id = m.company_id AND e.employee_id = m.employee_id
UNION ALL
SELECT
    e.company_id,
    NULL,
    e.employee_id,
    'none',
    NULL,
    CASE WHEN has_column_privilege('payroll.employee'::regclass, 'nir', 'SELECT')
         THEN payroll.employee_nir(e.company_id, e.employee_id) ELSE e.nir_masked END,
    CASE WHEN e.ntt_masked IS NOT NULL AND has_column_privilege('payroll.employee'::regclass, 'ntt', 'SELECT')
         THEN payroll.employee_ntt(e.company_id, e.employee_id) ELSE e.ntt_masked END,
    NULL,
    NULL,
    NULL,
    e.matricule,
    e.last_name,
    e.first_name,
    e.birth_name,
    e.birth_date
FROM payroll.employee AS e
WHERE NOT EXISTS (SELECT FROM payroll.member AS m
                  WHERE m.company_id = e.company_id AND m.employee_id = e.employee_id);

COMMENT ON VIEW report.identity_check IS
    'Who is who: one row per member at Alan with the employee in payroll, and one per employee who is no member.';
COMMENT ON COLUMN report.identity_check.company_id IS 'Company.';
COMMENT ON COLUMN report.identity_check.member_id IS 'Alan''s identifier; null: nobody at Alan.';
COMMENT ON COLUMN report.identity_check.employee_id IS 'Payroll''s identifier; null: nobody in payroll.';
COMMENT ON COLUMN report.identity_check.matched_by IS 'What decided that they are the same: nir, ntt, link or none.';
COMMENT ON COLUMN report.identity_check.alan_nir IS 'Social security number at Alan; masked but for payroll_manager.';
COMMENT ON COLUMN report.identity_check.payroll_nir IS
    'Social security number in payroll; masked but for payroll_manager.';
COMMENT ON COLUMN report.identity_check.payroll_ntt IS
    'Temporary technical number in payroll; masked but for payroll_manager.';
COMMENT ON COLUMN report.identity_check.alan_last_name IS 'Last name at Alan.';
COMMENT ON COLUMN report.identity_check.alan_first_name IS 'First name at Alan.';
COMMENT ON COLUMN report.identity_check.alan_birth_date IS 'Date of birth at Alan.';
COMMENT ON COLUMN report.identity_check.matricule IS 'Number of the employee inside the company.';
COMMENT ON COLUMN report.identity_check.payroll_last_name IS 'Last name in payroll.';
COMMENT ON COLUMN report.identity_check.payroll_first_name IS 'First name in payroll.';
COMMENT ON COLUMN report.identity_check.payroll_birth_name IS 'Name at birth in payroll.';
COMMENT ON COLUMN report.identity_check.payroll_birth_date IS 'Date of birth in payroll.';

GRANT SELECT ON report.identity_check TO payroll_manager, payroll_reader;
