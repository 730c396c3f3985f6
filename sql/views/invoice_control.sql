-- Where the money of each invoice went. Each payroll month that reads an invoice reckons it again; the latest says it
-- all, with what closed months gave in posted_cents.

CREATE OR REPLACE VIEW report.invoice_control WITH (security_invoker = true) AS
SELECT
    k.company_id,
    k.invoice_id,
    i.number,
    i.type,
    i.status,
    k.billing_month,
    k.payroll_month,
    i.line_count AS announced_line_count,
    k.line_count,
    k.total_cents,
    k.lines_cents,
    k.allocated_cents,
    k.posted_cents,
    k.held_cents,
    k.difference_cents
FROM (
    SELECT DISTINCT ON (company_id, invoice_id)
        company_id, invoice_id, payroll_month, billing_month, line_count, total_cents, lines_cents, allocated_cents,
        posted_cents, held_cents, difference_cents
    FROM payroll.invoice_control
    ORDER BY company_id, invoice_id, payroll_month DESC
) AS k
LEFT JOIN payroll.invoice AS i ON i.company_id = k.company_id AND i.invoice_id = k.invoice_id;

COMMENT ON VIEW report.invoice_control IS 'Where the money of each invoice went, to the cent: one row per invoice.';
COMMENT ON COLUMN report.invoice_control.company_id IS 'Company.';
COMMENT ON COLUMN report.invoice_control.invoice_id IS 'Alan''s identifier.';
COMMENT ON COLUMN report.invoice_control.number IS 'Number printed on the invoice.';
COMMENT ON COLUMN report.invoice_control.type IS 'invoice or credit_note.';
COMMENT ON COLUMN report.invoice_control.status IS 'issued, paid or cancelled.';
COMMENT ON COLUMN report.invoice_control.billing_month IS 'Month billed, its first day.';
COMMENT ON COLUMN report.invoice_control.payroll_month IS 'Payroll month that reckoned it last, its first day.';
COMMENT ON COLUMN report.invoice_control.announced_line_count IS 'Lines that the invoice announces.';
COMMENT ON COLUMN report.invoice_control.line_count IS 'Lines read.';
COMMENT ON COLUMN report.invoice_control.total_cents IS 'Total that the invoice states.';
COMMENT ON COLUMN report.invoice_control.lines_cents IS 'What its lines add up to: allocated + posted + held.';
COMMENT ON COLUMN report.invoice_control.allocated_cents IS 'Ready in that payroll month, fees included.';
COMMENT ON COLUMN report.invoice_control.posted_cents IS 'Given by closed payroll months.';
COMMENT ON COLUMN report.invoice_control.held_cents IS 'Held back: report.discrepancy_inbox tells why.';
COMMENT ON COLUMN report.invoice_control.difference_cents IS
    'What separates the total from the lines; 0 when they agree.';

GRANT SELECT ON report.invoice_control TO payroll_manager, payroll_reader;
