-- One load at a time for a company, locked in the same order by every load so that two of them cannot deadlock.
SELECT count(*)
FROM (SELECT FROM payroll.company AS t JOIN this_company USING (company_id)
      ORDER BY t.company_id
      FOR NO KEY UPDATE OF t) AS locked;
