-- Rows of the last load that are not among those of this one: how many of them the table holds.
SELECT count(*) FROM payroll.:table AS t JOIN new_:table AS n ON :match WHERE n.past AND :month;
