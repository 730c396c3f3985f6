-- Nothing to compare with: rows go straight into the table.
CREATE TEMP VIEW new_:table AS
SELECT :t_columns, false AS past FROM payroll.:table AS t JOIN brought AS c USING (company_id) WHERE :member AND :month;
