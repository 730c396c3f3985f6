-- Companies that bring the facts of their last load again, when nothing else has touched those since: no row is
-- missing, none was written by a later transaction.
UPDATE this_company AS c
SET same = true
FROM pipeline.company_load AS k
LEFT JOIN (SELECT company_id, sum(rows) AS rows, min(youngest) AS youngest
           FROM (:counted) AS n
           GROUP BY company_id) AS n USING (company_id)
WHERE c.loads AND k.company_id = c.company_id AND k.payroll_month = :'period' AND k.closed = c.closed
  AND k.digest = c.digest AND k.rows = coalesce(n.rows, 0)
  AND coalesce(n.youngest >= age(k.loaded_by::xid), true)
RETURNING c.company_id;
