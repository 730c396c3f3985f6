-- Reopens payroll month $2 of company $1, $3 being the reason.
SELECT payroll.reopen_period($1, $2::date, $3);
