-- Months that the payroll system reports closed and that are open here: closed as they stand.
SELECT coalesce(payroll.close_reported(array_agg(c.company_id), array_agg(m.month),
                                       'closed in the payroll system; run ' || :'run_id'), 0)
FROM this_company AS c, unnest(c.payroll_closed) AS m (month)
WHERE c.loads;
