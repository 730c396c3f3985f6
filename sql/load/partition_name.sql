-- The partition of this run's contributions, where this role may insert into it.
SELECT c.oid::regclass
FROM pg_class AS c
JOIN pg_inherits AS i ON i.inhrelid = c.oid AND i.inhparent = 'payroll.contribution'::regclass
WHERE c.relname = 'contribution_' || to_char(date :'period', 'YYYY_MM') AND has_table_privilege(c.oid, 'INSERT');
