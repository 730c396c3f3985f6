-- What every connection sets first. Timeouts set for the role, the database or by PGOPTIONS are left alone.
SET TIME ZONE 'UTC';
SET datestyle = 'ISO, YMD';
SET standard_conforming_strings = on;
SET search_path = pg_catalog, pg_temp;
-- A load waits for its locks and then reads what others have committed meanwhile, whatever the database prefers.
SET default_transaction_isolation = 'read committed';
-- Compiling statements over many partitions takes seconds, running them does not.
SET jit = off;

SELECT set_config(name, value, false)
FROM (VALUES ('lock_timeout', '60s'),
             ('statement_timeout', '1h'),
             ('idle_in_transaction_session_timeout', '10min')) AS wanted (name, value)
WHERE current_setting(name) = '0';
