UPDATE payroll.:table AS t
SET (:columns) = ROW(:n_columns)
FROM change_:table AS n
WHERE n.change = 'update' AND :match AND :month;
