-- A payroll month for a person: who costs what, company by company, then what is wrong and how to put it right.
--   psql -v period=2026-04 -v language=fr -f sql/summary.sql
\set QUIET on
\pset footer off
\pset null ''
\set month :period '-01'

\pset tuples_only on
\pset format unaligned
SELECT format(E'\nPayroll month %s, run %s, as of %s UTC: ', payroll.month_name(period, 'en'), run_id,
              to_char(as_of AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'))
       || CASE WHEN rows + discrepancies = 0 THEN 'nothing changed since the run before.'
               ELSE format('%s rows and %s discrepancies changed.', rows, discrepancies) END
       || E'\n'
FROM pipeline.run
CROSS JOIN LATERAL (
    SELECT coalesce(sum(kind.value::bigint), 0) AS rows
    FROM jsonb_each(counts -> 'changes') AS entity, jsonb_each_text(entity.value) AS kind
) AS changes
CROSS JOIN LATERAL (
    SELECT coalesce(sum(value::bigint), 0) AS discrepancies
    FROM jsonb_each_text(counts -> 'discrepancies') WHERE key <> 'seen'
) AS life
WHERE period = :'month'
ORDER BY started_at DESC LIMIT 1;

\pset tuples_only off
\pset format aligned
SELECT c.name AS "Company",
       coalesce(m.employees, 0) AS "Employees",
       payroll.euros(coalesce(m.employer_cents, 0)::bigint, :'language') AS "Employer pays",
       payroll.euros(coalesce(m.employee_cents, 0)::bigint, :'language') AS "Employees pay",
       payroll.euros(coalesce(m.held_cents, 0)::bigint, :'language') AS "Held",
       payroll.euros(coalesce(i.total_cents, 0)::bigint, :'language') AS "Invoiced",
       coalesce(d.errors, 0) AS "Errors",
       coalesce(d.warnings, 0) AS "Warnings",
       coalesce(d.facts, 0) AS "Facts"
FROM payroll.company c
LEFT JOIN (
    SELECT t.company_id,
           count(DISTINCT e.employee_id) FILTER (WHERE t.status = 'ready') AS employees,
           sum(t.employer_cents) FILTER (WHERE t.status = 'ready') AS employer_cents,
           sum(t.employee_cents) FILTER (WHERE t.status = 'ready') AS employee_cents,
           sum(t.amount_cents) FILTER (WHERE t.status = 'held') AS held_cents
    FROM payroll.contribution t
    LEFT JOIN payroll.employment e USING (company_id, employment_id)
    WHERE t.payroll_month = :'month'
    GROUP BY t.company_id
) m USING (company_id)
LEFT JOIN (
    SELECT company_id, sum(total_cents) AS total_cents
    FROM report.invoice_control
    WHERE payroll_month = :'month' AND billing_month = :'month'
    GROUP BY company_id
) i USING (company_id)
LEFT JOIN (
    SELECT company_id,
           count(*) FILTER (WHERE severity = 'error') AS errors,
           count(*) FILTER (WHERE severity = 'warning') AS warnings,
           count(*) FILTER (WHERE severity = 'info') AS facts
    FROM report.discrepancy_inbox
    WHERE payroll_month = :'month'
    GROUP BY company_id
) d USING (company_id)
ORDER BY c.company_id;

\pset tuples_only on
\pset format unaligned
\pset recordsep '\n'
SELECT CASE row_number() OVER w WHEN 1 THEN E'\n' || name || E'\n' ELSE '' END
       || format('  %-7s  %s', severity, CASE :'language' WHEN 'fr' THEN title_fr ELSE title_en END)
       || CASE WHEN held_cents <> 0 THEN format(' [held: %s]', payroll.euros(held_cents, :'language')) ELSE '' END
       || format(E'\n           -> %s', CASE :'language' WHEN 'fr' THEN remedy_fr ELSE remedy_en END)
       || coalesce(E'\n              ' || call, '')
FROM report.discrepancy_inbox
JOIN payroll.company USING (company_id)
WHERE payroll_month = :'month'
WINDOW w AS (PARTITION BY company_id
             ORDER BY array_position(ARRAY['error', 'warning', 'info'], severity), step = 0, step, id)
ORDER BY company_id, row_number() OVER w;
