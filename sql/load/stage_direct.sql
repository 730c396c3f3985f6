-- Nothing to compare with: rows go straight into the table, and the checks read them there.
CREATE TEMP VIEW new_:table AS
SELECT :t_columns FROM payroll.:table AS t JOIN this_company AS c USING (company_id) WHERE :present;
