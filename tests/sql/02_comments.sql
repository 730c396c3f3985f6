-- Every schema, table, view, column and function says what it is.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(5);

SELECT is_empty($$
    SELECT nspname FROM pg_namespace
    WHERE nspname IN ('payroll', 'pipeline', 'report') AND obj_description(oid, 'pg_namespace') IS NULL
    $$, 'schemas');
SELECT is_empty($$
    SELECT oid::regclass FROM pg_class
    WHERE relnamespace::regnamespace::text IN ('payroll', 'pipeline', 'report') AND relkind IN ('r', 'p', 'v', 'm')
        AND obj_description(oid, 'pg_class') IS NULL
    $$, 'tables and views');
SELECT is_empty($$
    SELECT attrelid::regclass, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace::regnamespace::text IN ('payroll', 'pipeline', 'report') AND relkind IN ('r', 'p', 'v', 'm')
        AND attnum > 0 AND NOT attisdropped AND col_description(attrelid, attnum) IS NULL
    $$, 'columns');
SELECT is_empty($$
    SELECT oid::regprocedure FROM pg_proc
    WHERE pronamespace::regnamespace::text IN ('payroll', 'pipeline', 'report')
        AND obj_description(oid, 'pg_proc') IS NULL
    $$, 'functions');
SELECT ok(count(*) > 300, 'there was something to look at')
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace::regnamespace::text IN ('payroll', 'pipeline', 'report') AND attnum > 0;

SELECT * FROM finish();
ROLLBACK;
