-- What each invoice line gave somebody, month after month, and what it has come to under each contract.

CREATE OR REPLACE VIEW report.employee_ledger WITH (security_invoker = true) AS
SELECT
    company_id,
    employee_id,
    matricule,
    last_name,
    first_name,
    contract_id,
    contract_reference,
    product,
    payroll_month,
    employment_id,
    kind,
    billing_month,
    invoice_id,
    invoice_number,
    line_id,
    cover_from,
    cover_to,
    component,
    member_type,
    option_code,
    base_cents,
    amount_cents,
    employer_cents,
    employee_cents,
    (sum(amount_cents) OVER contract)::bigint AS balance_cents,
    (sum(employer_cents) OVER contract)::bigint AS employer_balance_cents,
    (sum(employee_cents) OVER contract)::bigint AS employee_balance_cents
FROM payroll.ready_line
WHERE employment_id IS NOT NULL
WINDOW contract AS (
    PARTITION BY company_id, employee_id, contract_id
    ORDER BY payroll_month, cover_from, billing_month, line_id, employment_id
    ROWS UNBOUNDED PRECEDING)
ORDER BY company_id, employee_id, contract_id, payroll_month, cover_from, billing_month, line_id, employment_id;

COMMENT ON VIEW report.employee_ledger IS
    'What invoice lines gave each employee, in the order of months, with a running balance per contract: one row per '
    'payroll month, contract of employment, invoice line and cover month.';
COMMENT ON COLUMN report.employee_ledger.company_id IS 'Company.';
COMMENT ON COLUMN report.employee_ledger.employee_id IS 'Payroll''s identifier of the person.';
COMMENT ON COLUMN report.employee_ledger.matricule IS 'Number of the employee inside the company.';
COMMENT ON COLUMN report.employee_ledger.last_name IS 'Last name.';
COMMENT ON COLUMN report.employee_ledger.first_name IS 'First name.';
COMMENT ON COLUMN report.employee_ledger.contract_id IS 'Alan''s contract.';
COMMENT ON COLUMN report.employee_ledger.contract_reference IS 'Contract reference declared in the DSN.';
COMMENT ON COLUMN report.employee_ledger.product IS 'health or provident.';
COMMENT ON COLUMN report.employee_ledger.payroll_month IS 'Month of the payslip, its first day.';
COMMENT ON COLUMN report.employee_ledger.employment_id IS 'Contract of employment.';
COMMENT ON COLUMN report.employee_ledger.kind IS
    'regular; regularisation: of an earlier month, or a correction of one; reversal: takes back what a payslip gave.';
COMMENT ON COLUMN report.employee_ledger.billing_month IS 'Month of the invoice, its first day.';
COMMENT ON COLUMN report.employee_ledger.invoice_id IS 'Invoice.';
COMMENT ON COLUMN report.employee_ledger.invoice_number IS 'Number printed on it.';
COMMENT ON COLUMN report.employee_ledger.line_id IS 'Line of the invoice.';
COMMENT ON COLUMN report.employee_ledger.cover_from IS 'First day of cover.';
COMMENT ON COLUMN report.employee_ledger.cover_to IS 'Last day of cover, in the same civil month.';
COMMENT ON COLUMN report.employee_ledger.component IS 'What the premium is reckoned on: fixed, pmss, gross, t1, t2 or tb.';
COMMENT ON COLUMN report.employee_ledger.member_type IS
    'Who is insured by it: employee, partner, child, family or option.';
COMMENT ON COLUMN report.employee_ledger.option_code IS 'Option code declared in the DSN.';
COMMENT ON COLUMN report.employee_ledger.base_cents IS
    'What a rate was applied to, in a correction less what closed months had of it; null for a fixed premium.';
COMMENT ON COLUMN report.employee_ledger.amount_cents IS 'Both shares, signed.';
COMMENT ON COLUMN report.employee_ledger.employer_cents IS 'Employer''s share.';
COMMENT ON COLUMN report.employee_ledger.employee_cents IS 'Employee''s share.';
COMMENT ON COLUMN report.employee_ledger.balance_cents IS 'Both shares under this contract up to this row.';
COMMENT ON COLUMN report.employee_ledger.employer_balance_cents IS
    'Employer''s shares under this contract up to this row.';
COMMENT ON COLUMN report.employee_ledger.employee_balance_cents IS
    'Employee''s shares under this contract up to this row.';

GRANT SELECT ON report.employee_ledger TO payroll_manager, payroll_reader;
