-- What is known of the companies that are loaded: that their month is closed; and of those whose facts are those of their
-- last load (no row is missing, none was written by a later transaction), what that load brought, how many rows it left,
-- and how many of them it did not bring (unknown: 1). Counted by company and transaction, which parallel workers do in one
-- pass over all tables: age() they may not, and a cursor has none.
CREATE TEMP TABLE known ON COMMIT DROP AS
SELECT c.company_id, c.closed, k.digest, k.rows, coalesce(k.kept, 1) AS kept
FROM this_company AS c
LEFT JOIN (SELECT k.*
           FROM pipeline.company_load AS k
           LEFT JOIN (SELECT company_id, sum(rows) AS rows, min(age(xmin)) AS youngest
                      FROM (SELECT company_id, xmin, count(*) AS rows
                            FROM (:counted) AS fact
                            GROUP BY company_id, xmin) AS n
                      GROUP BY company_id) AS n USING (company_id)
           WHERE k.payroll_month = :'period' AND k.rows = coalesce(n.rows, 0)
             AND coalesce(n.youngest >= age(k.loaded_by::xid), true)) AS k
  ON k.company_id = c.company_id AND k.closed = c.closed
WHERE c.loads AND (c.closed OR k.company_id IS NOT NULL);
