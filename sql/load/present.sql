-- Whether rows may not go straight into the table: it holds some that this run's have to be compared with, or
-- row-level security, under which PostgreSQL has no COPY FROM.
SELECT row_security_active('payroll.' || :'table') OR EXISTS (SELECT FROM payroll.:table AS t JOIN this_company AS c USING (company_id) WHERE :present);
