-- What the next load compares with.
INSERT INTO pipeline.company_load (company_id, payroll_month, closed, digest, rows, loaded_by)
SELECT c.company_id, :'period', c.closed, c.digest, coalesce(sum(n.rows), 0), pg_current_xact_id()
FROM this_company AS c
LEFT JOIN (:counted) AS n USING (company_id)
WHERE c.loads AND NOT c.same
GROUP BY c.company_id
ON CONFLICT (company_id) DO UPDATE
SET (payroll_month, closed, digest, rows, loaded_by)
    = (excluded.payroll_month, excluded.closed, excluded.digest, excluded.rows, excluded.loaded_by);
