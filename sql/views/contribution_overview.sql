-- Who costs what, month by month, and what moved; closed months as they were frozen.

CREATE OR REPLACE VIEW report.contribution_overview WITH (security_invoker = true) AS
SELECT
    t.company_id,
    t.payroll_month,
    t.employee_id,
    t.matricule,
    t.last_name,
    t.first_name,
    t.health_employer_cents,
    t.health_employee_cents,
    t.provident_employer_cents,
    t.provident_employee_cents,
    t.health_employer_cents + t.provident_employer_cents AS employer_cents,
    t.health_employee_cents + t.provident_employee_cents AS employee_cents,
    t.total_cents,
    t.held_cents,
    b.total_cents AS previous_total_cents,
    t.total_cents - b.total_cents AS change_cents,
    coalesce(d.open_discrepancies, 0) AS open_discrepancies
FROM (
    SELECT
        company_id,
        payroll_month,
        employee_id,
        max(matricule) AS matricule,
        max(last_name) AS last_name,
        max(first_name) AS first_name,
        coalesce(sum(employer_cents) FILTER (WHERE status = 'ready' AND product = 'health'), 0)::bigint
            AS health_employer_cents,
        coalesce(sum(employee_cents) FILTER (WHERE status = 'ready' AND product = 'health'), 0)::bigint
            AS health_employee_cents,
        coalesce(sum(employer_cents) FILTER (WHERE status = 'ready' AND product = 'provident'), 0)::bigint
            AS provident_employer_cents,
        coalesce(sum(employee_cents) FILTER (WHERE status = 'ready' AND product = 'provident'), 0)::bigint
            AS provident_employee_cents,
        coalesce(sum(amount_cents) FILTER (WHERE status = 'ready'), 0)::bigint AS total_cents,
        coalesce(sum(amount_cents) FILTER (WHERE status = 'held'), 0)::bigint AS held_cents
    FROM payroll.contribution_line
    WHERE employment_id IS NOT NULL
    GROUP BY company_id, payroll_month, employee_id
) AS t
-- Of all months of the companies asked for: no constant reaches the month before.
LEFT JOIN (
    SELECT
        company_id,
        (payroll_month + interval '1 month')::date AS payroll_month,
        employee_id,
        sum(amount_cents)::bigint AS total_cents
    FROM payroll.ready_line
    WHERE employee_id IS NOT NULL
    GROUP BY company_id, (payroll_month + interval '1 month')::date, employee_id
) AS b ON b.company_id = t.company_id AND b.payroll_month = t.payroll_month AND b.employee_id = t.employee_id
LEFT JOIN (
    SELECT company_id, payroll_month, employee_id, count(*) AS open_discrepancies
    FROM payroll.discrepancy
    WHERE status IN ('open', 'in_progress') AND employee_id IS NOT NULL
    GROUP BY company_id, payroll_month, employee_id
) AS d ON d.company_id = t.company_id AND d.payroll_month = t.payroll_month AND d.employee_id = t.employee_id;

COMMENT ON VIEW report.contribution_overview IS 'Who costs what: one row per payroll month and employee.';
COMMENT ON COLUMN report.contribution_overview.company_id IS 'Company.';
COMMENT ON COLUMN report.contribution_overview.payroll_month IS 'Month of the payslip, its first day.';
COMMENT ON COLUMN report.contribution_overview.employee_id IS 'Payroll''s identifier of the person.';
COMMENT ON COLUMN report.contribution_overview.matricule IS 'Number of the employee inside the company.';
COMMENT ON COLUMN report.contribution_overview.last_name IS 'Last name.';
COMMENT ON COLUMN report.contribution_overview.first_name IS 'First name.';
COMMENT ON COLUMN report.contribution_overview.health_employer_cents IS 'Employer''s share of health.';
COMMENT ON COLUMN report.contribution_overview.health_employee_cents IS 'Employee''s share of health.';
COMMENT ON COLUMN report.contribution_overview.provident_employer_cents IS 'Employer''s share of provident.';
COMMENT ON COLUMN report.contribution_overview.provident_employee_cents IS 'Employee''s share of provident.';
COMMENT ON COLUMN report.contribution_overview.employer_cents IS 'Employer''s share of both.';
COMMENT ON COLUMN report.contribution_overview.employee_cents IS 'Employee''s share of both.';
COMMENT ON COLUMN report.contribution_overview.total_cents IS 'Both shares of both: what goes on the payslip.';
COMMENT ON COLUMN report.contribution_overview.held_cents IS 'Held back for this person, not in the total.';
COMMENT ON COLUMN report.contribution_overview.previous_total_cents IS
    'Total of the month before; null when there was none.';
COMMENT ON COLUMN report.contribution_overview.change_cents IS
    'Total less that of the month before; null when there was none.';
COMMENT ON COLUMN report.contribution_overview.open_discrepancies IS
    'Discrepancies about this person that are open in this month.';

GRANT SELECT ON report.contribution_overview TO payroll_manager, payroll_reader;
