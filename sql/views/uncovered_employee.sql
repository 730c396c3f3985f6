-- The list "Salariés sans mutuelle".

CREATE OR REPLACE VIEW report.uncovered_employee WITH (security_invoker = true) AS
SELECT
    v.company_id,
    v.payroll_month,
    v.employee_id,
    v.employment_id,
    e.matricule,
    e.last_name,
    e.first_name,
    m.starts_on,
    m.ends_on,
    v.since,
    v.reason,
    v.ground,
    g.label_fr AS ground_fr,
    g.label_en AS ground_en,
    v.until
FROM payroll.coverage AS v
LEFT JOIN payroll.employment AS m ON m.company_id = v.company_id AND m.employment_id = v.employment_id
LEFT JOIN payroll.employee AS e ON e.company_id = v.company_id AND e.employee_id = v.employee_id
LEFT JOIN payroll.dispense_ground AS g ON g.ground = v.ground;

COMMENT ON VIEW report.uncovered_employee IS
    'Employees active in the month without health cover: one row per payroll month and contract of employment.';
COMMENT ON COLUMN report.uncovered_employee.company_id IS 'Company.';
COMMENT ON COLUMN report.uncovered_employee.payroll_month IS 'Payroll month, its first day.';
COMMENT ON COLUMN report.uncovered_employee.employee_id IS 'Payroll''s identifier of the person.';
COMMENT ON COLUMN report.uncovered_employee.employment_id IS 'Contract of employment.';
COMMENT ON COLUMN report.uncovered_employee.matricule IS 'Number of the employee inside the company.';
COMMENT ON COLUMN report.uncovered_employee.last_name IS 'Last name.';
COMMENT ON COLUMN report.uncovered_employee.first_name IS 'First name.';
COMMENT ON COLUMN report.uncovered_employee.starts_on IS 'First day of the contract of employment.';
COMMENT ON COLUMN report.uncovered_employee.ends_on IS 'Its last day; null: open.';
COMMENT ON COLUMN report.uncovered_employee.since IS 'Since when there is no cover.';
COMMENT ON COLUMN report.uncovered_employee.reason IS
    'exempt, pending (not synchronised yet), not_assigned (no contract in payroll) or not_affiliated (at Alan).';
COMMENT ON COLUMN report.uncovered_employee.ground IS 'Ground of the dispense.';
COMMENT ON COLUMN report.uncovered_employee.ground_fr IS 'What the ground means, in French.';
COMMENT ON COLUMN report.uncovered_employee.ground_en IS 'What the ground means, in English.';
COMMENT ON COLUMN report.uncovered_employee.until IS 'Last day of the dispense; null: no end.';

GRANT SELECT ON report.uncovered_employee TO payroll_manager, payroll_reader;
