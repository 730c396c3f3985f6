-- Invoices whose control does not say what their contributions add up to. One that is cancelled asks for nothing.
WITH told AS (
    SELECT t.*
    FROM now_invoice_control AS t
    JOIN loaded AS c USING (company_id)
    WHERE NOT c.closed
)
SELECT company_id,
       format('invoice %s: %s cents ready and %s held; its control says lines %s = allocated %s + posted %s + held %s, '
              'total %s, difference %s', invoice_id, coalesce(m.allocated_cents, 0), coalesce(m.held_cents, 0),
              n.lines_cents, n.allocated_cents, n.posted_cents, n.held_cents, n.total_cents, n.difference_cents)
FROM told AS n
FULL JOIN made AS m USING (company_id, invoice_id)
LEFT JOIN now_invoice AS i USING (company_id, invoice_id)
WHERE (n.allocated_cents, n.held_cents)
          IS DISTINCT FROM (coalesce(m.allocated_cents, 0), coalesce(m.held_cents, 0))
   OR n.allocated_cents + n.posted_cents + n.held_cents <> n.lines_cents
   OR abs(n.total_cents - n.lines_cents) <> abs(n.difference_cents)
   OR n.total_cents <> CASE i.status WHEN 'cancelled' THEN 0 ELSE i.total_cents END
   OR n.payroll_month <> :'period'
ORDER BY company_id, invoice_id
LIMIT 20;
