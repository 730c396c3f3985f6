-- The table as this run leaves it, without what is gone from the source but still in use.
CREATE TEMP VIEW now_:table AS
SELECT :t_columns FROM payroll.:table AS t WHERE :month AND :staying;
-- What may differ from the last load: found out (change_:table), or all that was sent.
CREATE TEMP VIEW changed_:table AS
SELECT :columns FROM :changed;
