-- How many of the tables that rows go straight into are filled before their indexes.
SELECT payroll.suspend_indexes(:direct);
