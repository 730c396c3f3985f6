-- Payroll months from $2 to $3 that are closed here, for some companies ($1) in their order.
SELECT c.place, to_char(p.payroll_month, 'YYYY-MM')
FROM unnest($1::text[]) WITH ORDINALITY AS c (company_id, place)
JOIN payroll.period AS p USING (company_id)
WHERE p.status = 'closed' AND p.payroll_month BETWEEN $2::date AND $3::date
ORDER BY c.place, p.payroll_month;
