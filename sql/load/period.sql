-- A month that is loaded is open, unless it is there already.
INSERT INTO payroll.period (company_id, payroll_month, status)
SELECT c.company_id, :'period', 'open'
FROM this_company AS c
WHERE c.loads
  AND NOT EXISTS (SELECT FROM payroll.period AS p
                  WHERE p.company_id = c.company_id AND p.payroll_month = :'period')
ORDER BY c.company_id;
