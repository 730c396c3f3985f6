-- What this run brings. past: a row of the last load that is not among those of this one.
CREATE TEMP TABLE new_:table ON COMMIT DROP AS
SELECT :columns, false AS past FROM payroll.:table WITH NO DATA;
