-- Companies whose facts are those of their last load: no row is missing, none was written by a later transaction. What
-- that load brought, how many rows it left, and how many of them it did not bring (unknown: 1). Counted by company and
-- transaction, which parallel workers do in one pass over all tables: age() they may not.
SELECT k.company_id, k.digest, k.rows, coalesce(k.kept, 1)
FROM pipeline.company_load AS k
JOIN this_company AS c USING (company_id)
LEFT JOIN (SELECT company_id, sum(rows) AS rows, min(age(xmin)) AS youngest
           FROM (SELECT company_id, xmin, count(*) AS rows
                 FROM (:counted) AS fact
                 GROUP BY company_id, xmin) AS n
           GROUP BY company_id) AS n USING (company_id)
WHERE c.loads AND k.payroll_month = :'period' AND k.closed = c.closed
  AND k.rows = coalesce(n.rows, 0) AND coalesce(n.youngest >= age(k.loaded_by::xid), true);
