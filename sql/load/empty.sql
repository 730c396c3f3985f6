-- Companies without an invoice in this run whose open month holds contributions: more likely a feed that broke.
SELECT c.company_id
FROM this_company AS c
WHERE c.loads AND NOT c.closed
  AND NOT EXISTS (SELECT FROM jsonb_to_recordset(c.ranges) AS r (entity text, rows bigint)
                  WHERE r.entity = 'invoices' AND r.rows > 0)
  AND EXISTS (SELECT FROM payroll.contribution AS t
              WHERE t.company_id = c.company_id AND t.payroll_month = :'period')
ORDER BY c.company_id;
