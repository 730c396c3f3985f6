-- Closes payroll month $2 of company $1, $3 being the reason and $4 the instant that stands for now.
SELECT rows, amount_cents, employer_cents, employee_cents, held_cents, digest
FROM payroll.close_period_at($1, $2::date, $3, $4::timestamptz);
