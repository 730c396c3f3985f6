-- Whether load --migrate has been run here.
SELECT to_regclass('payroll.link') IS NOT NULL AND to_regclass('payroll.period') IS NOT NULL;
