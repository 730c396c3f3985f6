-- Read after the companies are locked: a month that is being closed is closed, or will see this run's rows.
UPDATE this_company AS c
SET closed = true
FROM payroll.period AS p
WHERE c.loads AND p.company_id = c.company_id AND p.payroll_month = :'period' AND p.status = 'closed';
