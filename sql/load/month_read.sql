-- When what is now in the month was read.
INSERT INTO pipeline.month_read AS m (company_id, payroll_month, began_at)
SELECT c.company_id, :'period', :'began_at'
FROM this_company AS c
WHERE c.loads
ORDER BY c.company_id
ON CONFLICT (company_id, payroll_month) DO UPDATE
SET began_at = excluded.began_at
WHERE m.began_at IS DISTINCT FROM excluded.began_at;
