// Joins and halves with DuckDB, all cores.  IN=extract's folder MONTH=YYYY-MM OUT=file FORMAT=json|csv node duckdb.mjs
// TOLD=1 names the columns that are needed: nothing is looked at beforehand, and the others are skipped unread.
import { DuckDBInstance } from '@duckdb/node-api';

const { IN, MONTH, OUT, FORMAT = 'json', TOLD } = process.env;
const options = FORMAT === 'csv' ? 'FORMAT csv, HEADER false' : 'FORMAT json';
const columns = {
  invoice_lines: "company_id: 'VARCHAR', line_id: 'VARCHAR', invoice_id: 'VARCHAR', nir: 'VARCHAR', amount_cents: 'BIGINT'",
  invoices: "company_id: 'VARCHAR', invoice_id: 'VARCHAR', billing_month: 'VARCHAR'",
  employees: "company_id: 'VARCHAR', employee_id: 'VARCHAR', nir: 'VARCHAR'",
};
const read = (entity) =>
  `read_json('${IN}/${entity}-*.ndjson', format = 'newline_delimited'${TOLD ? `, columns = {${columns[entity]}}` : ''})`;
const connection = await (await DuckDBInstance.create(':memory:')).connect();
await connection.run('SET preserve_insertion_order = false');
await connection.run(`
  COPY (
    SELECT l.company_id, l.line_id, e.employee_id, l.amount_cents, l.employer_cents,
           l.amount_cents - l.employer_cents AS employee_cents
    FROM (SELECT *, sign(amount_cents) * ((abs(amount_cents) + 1) // 2) AS employer_cents
          FROM ${read('invoice_lines')}) AS l
    JOIN ${read('invoices')} AS i
      ON i.company_id = l.company_id AND i.invoice_id = l.invoice_id AND i.billing_month = '${MONTH}'
    LEFT JOIN ${read('employees')} AS e
      ON e.company_id = l.company_id AND left(e.nir, 13) = left(l.nir, 13)
  ) TO '${OUT}' (${options})`);
