-- before: the rows that new_:table is laid over.
CREATE TEMP TABLE change_:table ON COMMIT DROP AS
SELECT CASE WHEN t.company_id IS NULL THEN 'insert' WHEN n.company_id IS NULL THEN 'delete' ELSE 'update' END AS change,
       :picked
FROM (:before) AS t
FULL JOIN (SELECT * FROM new_:table WHERE NOT past) AS n ON :match
WHERE (:t_columns) IS DISTINCT FROM (:n_columns);
