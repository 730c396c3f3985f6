-- Lands the JSON as it is and does everything else in SQL.  IN=extract's folder MONTH=YYYY-MM psql -f postgres.sql
\getenv month MONTH
BEGIN;
CREATE TEMP TABLE landed_invoice (record jsonb NOT NULL);
CREATE TEMP TABLE landed_line (record jsonb NOT NULL);
CREATE TEMP TABLE landed_employee (record jsonb NOT NULL);
\copy landed_invoice FROM PROGRAM 'cat "$IN"/invoices-*.ndjson' WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
\copy landed_line FROM PROGRAM 'cat "$IN"/invoice_lines-*.ndjson' WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
\copy landed_employee FROM PROGRAM 'cat "$IN"/employees-*.ndjson' WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
ANALYZE landed_invoice, landed_line, landed_employee;
SET LOCAL work_mem = '256MB';
INSERT INTO result (company_id, line_id, employee_id, amount_cents, employer_cents, employee_cents)
SELECT l.company_id, l.line_id, e.employee_id, l.amount_cents, h.employer_cents, l.amount_cents - h.employer_cents
FROM (SELECT record->>'company_id' AS company_id, record->>'line_id' AS line_id,
             record->>'invoice_id' AS invoice_id, left(record->>'nir', 13) AS nir,
             (record->>'amount_cents')::bigint AS amount_cents
      FROM landed_line) AS l
CROSS JOIN LATERAL (SELECT sign(l.amount_cents)::bigint * ((abs(l.amount_cents) + 1) / 2) AS employer_cents) AS h
JOIN (SELECT record->>'company_id' AS company_id, record->>'invoice_id' AS invoice_id
      FROM landed_invoice WHERE record->>'billing_month' = :'month') AS i USING (company_id, invoice_id)
LEFT JOIN (SELECT record->>'company_id' AS company_id, record->>'employee_id' AS employee_id,
                  left(record->>'nir', 13) AS nir
           FROM landed_employee) AS e USING (company_id, nir);
COMMIT;
