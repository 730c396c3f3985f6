-- Companies without an invoice in this run whose open month holds contributions: more likely a feed that broke.
SELECT c.company_id
FROM this_company AS c
WHERE c.loads AND NOT c.closed AND c.invoices = 0
  AND EXISTS (SELECT FROM payroll.contribution AS t
              WHERE t.company_id = c.company_id AND t.payroll_month = :'period')
ORDER BY c.company_id;
