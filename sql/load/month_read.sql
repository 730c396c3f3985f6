-- When what is now in the month was read, and what saw its discrepancies. Of how many companies the database had a later
-- extract of this month: this run has been laid over it.
WITH written AS (
    INSERT INTO pipeline.month_read AS m (company_id, payroll_month, began_at, seen_at, seen_run)
    SELECT c.company_id, :'period', :'began_at', :'as_of', :'run_id'
    FROM this_company AS c
    WHERE c.loads
    ORDER BY c.company_id
    ON CONFLICT (company_id, payroll_month) DO UPDATE
    SET (began_at, seen_at, seen_run) = (excluded.began_at, excluded.seen_at, excluded.seen_run)
    WHERE (m.began_at, m.seen_at, m.seen_run) IS DISTINCT FROM (excluded.began_at, excluded.seen_at, excluded.seen_run)
)
SELECT count(*)
FROM pipeline.month_read AS m
JOIN this_company AS c USING (company_id)
WHERE c.loads AND m.payroll_month = :'period' AND m.began_at > :'began_at';
