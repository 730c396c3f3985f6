-- Contributions that cannot be: shares that do not add up, held without a code, another month's.
SELECT n.company_id,
       'line ' || n.line_id || ': ' ||
       CASE WHEN n.payroll_month <> :'period' THEN 'payroll month ' || to_char(n.payroll_month, 'YYYY-MM')
            WHEN n.employer_cents + n.employee_cents <> n.amount_cents THEN
                format('employer %s + employee %s cents are not the amount %s', n.employer_cents, n.employee_cents,
                       n.amount_cents)
            ELSE 'held without a code, or a code without being held' END
FROM new_contribution AS n
WHERE NOT n.past
  AND (n.payroll_month <> :'period'
       OR n.employer_cents + n.employee_cents <> n.amount_cents
       OR (n.status = 'held') <> (n.hold_code IS NOT NULL))
ORDER BY n.company_id, n.line_id
LIMIT 20;
