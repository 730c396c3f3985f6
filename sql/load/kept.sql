-- Rows that are gone from the source but still in use.
UPDATE brought AS b
SET rows = b.rows + k.rows, kept = b.kept + k.rows
FROM (SELECT t.company_id, count(*) AS rows
      FROM payroll.:table AS t JOIN change_:table AS n ON :match
      WHERE n.change = 'delete' AND :in_months
      GROUP BY t.company_id) AS k
WHERE b.company_id = k.company_id;
