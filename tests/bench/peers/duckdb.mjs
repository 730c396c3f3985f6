// Joins and halves with DuckDB, all cores.  IN=extract's folder MONTH=YYYY-MM OUT=file FORMAT=json|csv node duckdb.mjs
import { DuckDBInstance } from '@duckdb/node-api';

const { IN, MONTH, OUT, FORMAT = 'json' } = process.env;
const options = FORMAT === 'csv' ? 'FORMAT csv, HEADER false' : 'FORMAT json';
const connection = await (await DuckDBInstance.create(':memory:')).connect();
await connection.run('SET preserve_insertion_order = false');
await connection.run(`
  COPY (
    SELECT l.company_id, l.line_id, e.employee_id, l.amount_cents, l.employer_cents,
           l.amount_cents - l.employer_cents AS employee_cents
    FROM (SELECT *, sign(amount_cents) * ((abs(amount_cents) + 1) // 2) AS employer_cents
          FROM read_json('${IN}/invoice_lines-*.ndjson', format = 'newline_delimited',
                         columns = {company_id: 'VARCHAR', line_id: 'VARCHAR', invoice_id: 'VARCHAR', nir: 'VARCHAR',
                                    amount_cents: 'BIGINT'})) AS l
    JOIN read_json('${IN}/invoices-*.ndjson', format = 'newline_delimited',
                   columns = {company_id: 'VARCHAR', invoice_id: 'VARCHAR', billing_month: 'VARCHAR'}) AS i
      ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id AND i.billing_month = '${MONTH}'
    LEFT JOIN read_json('${IN}/employees-*.ndjson', format = 'newline_delimited',
                        columns = {company_id: 'VARCHAR', employee_id: 'VARCHAR', nir: 'VARCHAR'}) AS e
      ON e.company_id = l.company_id AND left(e.nir, 13) = left(l.nir, 13)
  ) TO '${OUT}' (${options})`);
