-- Back in place before anything reads what was filled.
SELECT payroll.restore_indexes();
