SET LOCAL enable_nestloop = off;

CREATE TEMP TABLE change_:table ON COMMIT DROP AS
SELECT CASE WHEN t.company_id IS NULL THEN 'insert' WHEN n.company_id IS NULL THEN 'delete' ELSE 'update' END AS change,
       :picked
FROM (SELECT :t_columns FROM payroll.:table AS t JOIN this_company AS c USING (company_id) WHERE :scope) AS t
FULL JOIN new_:table AS n ON :match
WHERE (:t_columns) IS DISTINCT FROM (:n_columns);
