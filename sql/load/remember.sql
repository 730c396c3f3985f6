-- What the next load compares with.
INSERT INTO pipeline.company_load (company_id, payroll_month, closed, digest, rows, kept, loaded_by)
SELECT company_id, :'period', closed, digest, rows, kept, pg_current_xact_id()
FROM brought
ORDER BY company_id
ON CONFLICT (company_id) DO UPDATE
SET (payroll_month, closed, digest, rows, kept, loaded_by)
    = (excluded.payroll_month, excluded.closed, excluded.digest, excluded.rows, excluded.kept, excluded.loaded_by);
