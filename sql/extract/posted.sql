-- What closed payroll months gave for the lines billed from $2 to $3, added up per line, employment and cover month, for
-- some companies ($1) in their order. What describes the cover is as the last of those months had it. Lines reversed to
-- nothing are left out. $4 is an early payroll month, so that older partitions are not looked into.
SELECT c.place, t.invoice_id, t.line_id, t.employment_id,
       to_char((array_agg(t.billing_month ORDER BY t.payroll_month DESC))[1], 'YYYY-MM'),
       (array_agg(t.contract_id ORDER BY t.payroll_month DESC))[1],
       (array_agg(t.product ORDER BY t.payroll_month DESC))[1],
       (array_agg(t.component ORDER BY t.payroll_month DESC))[1],
       (array_agg(t.member_type ORDER BY t.payroll_month DESC))[1],
       (array_agg(t.option_code ORDER BY t.payroll_month DESC))[1],
       (array_agg(t.population_code ORDER BY t.payroll_month DESC))[1],
       min(t.cover_from), max(t.cover_to),
       sum(t.base_cents)::bigint,
       sum(t.amount_cents)::bigint, sum(t.employer_cents)::bigint, sum(t.employee_cents)::bigint
FROM unnest($1::text[]) WITH ORDINALITY AS c (company_id, place)
JOIN payroll.contribution AS t USING (company_id)
JOIN payroll.period AS p USING (company_id, payroll_month)
WHERE p.status = 'closed' AND t.status = 'ready'
  AND t.billing_month BETWEEN $2::date AND $3::date AND t.payroll_month >= $4::date
GROUP BY c.place, t.invoice_id, t.line_id, t.employment_id, date_trunc('month', t.cover_from::timestamp)
HAVING sum(t.amount_cents) <> 0 OR sum(t.employer_cents) <> 0 OR sum(t.employee_cents) <> 0
ORDER BY c.place, t.line_id COLLATE "C", t.employment_id COLLATE "C" NULLS FIRST, min(t.cover_from);
