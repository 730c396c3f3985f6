-- Whether the table holds anything that this run's rows have to be compared with.
SELECT EXISTS (SELECT FROM payroll.:table AS t JOIN this_company AS c USING (company_id) WHERE :present);
