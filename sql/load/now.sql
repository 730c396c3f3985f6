-- The table as this run leaves it, without what is gone from the source but still in use.
CREATE TEMP VIEW now_:table AS
SELECT :t_columns FROM payroll.:table AS t WHERE :month AND :staying;
