-- The data dictionary as Markdown, from the comments of a migrated database; `make dictionary` writes DICTIONARY.md.
--   psql -XqAt -f sql/dictionary.sql
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET search_path = pg_catalog, pg_temp;

CREATE FUNCTION pg_temp.cell(text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(replace(regexp_replace($1, '\s+', ' ', 'g'), '|', '\|'), '')
$$;

-- Tables and views of both schemas; of a partitioned table only itself.
CREATE TEMP VIEW relation AS
SELECT c.oid, n.nspname AS schema, c.relname::text AS name, c.relkind = 'v' AS is_view,
       obj_description(c.oid, 'pg_class') AS comment
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('report', 'payroll') AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition;

CREATE TEMP VIEW routine AS
SELECT p.oid, n.nspname AS schema, p.proname::text AS name,
       has_function_privilege('payroll_manager', p.oid, 'EXECUTE')
           AND NOT has_function_privilege('payroll_reader', p.oid, 'EXECUTE') AS is_decision,
       pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,
       obj_description(p.oid, 'pg_proc') AS comment
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname IN ('report', 'payroll');

-- place: schema, kind of thing, name, line within it
CREATE TEMP TABLE line (schema text, kind int, name text COLLATE "C", number int, text text);

INSERT INTO line
SELECT nspname, 0, '', 0, format(E'## Schema %s\n\n%s\n', nspname, obj_description(oid, 'pg_namespace'))
FROM pg_namespace WHERE nspname IN ('report', 'payroll');

INSERT INTO line
SELECT DISTINCT schema, CASE WHEN is_view THEN 10 ELSE 20 END, '', 0,
       CASE WHEN is_view THEN E'### Views\n' ELSE E'### Tables\n' END
FROM relation;
INSERT INTO line
SELECT schema, CASE WHEN is_view THEN 10 ELSE 20 END, name, 0,
       format(E'#### %s.%s\n\n%s\n\n| column | type | what it holds |\n| --- | --- | --- |', schema, name, comment)
FROM relation;
INSERT INTO line
SELECT r.schema, CASE WHEN r.is_view THEN 10 ELSE 20 END, r.name, a.attnum,
       format('| `%s` | %s%s | %s |', a.attname, format_type(a.atttypid, a.atttypmod),
              CASE WHEN a.attnum = ANY (k.conkey) THEN ', key' WHEN a.attnotnull THEN ', not null' ELSE '' END,
              pg_temp.cell(col_description(r.oid, a.attnum)))
FROM relation AS r
JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_constraint AS k ON k.conrelid = r.oid AND k.contype = 'p';
INSERT INTO line
SELECT schema, CASE WHEN is_view THEN 10 ELSE 20 END, name, 10000, '' FROM relation;

INSERT INTO line
SELECT DISTINCT schema, CASE WHEN is_decision THEN 5 ELSE 30 END, '', 0,
       CASE WHEN is_decision THEN '### Functions of the payroll manager' ELSE '### Functions used inside' END
       || E'\n\n| function | answers | what it does |\n| --- | --- | --- |'
FROM routine;
INSERT INTO line
SELECT schema, CASE WHEN is_decision THEN 5 ELSE 30 END, name, 1,
       format('| `%s.%s(%s)` | %s | %s |', schema, name, pg_temp.cell(arguments), pg_temp.cell(result),
              pg_temp.cell(comment))
FROM routine;
INSERT INTO line
SELECT DISTINCT schema, CASE WHEN is_decision THEN 5 ELSE 30 END, '~', 0, '' FROM routine;

SELECT '# Data dictionary

The views of schema `report` are what the data team reads, the functions of schema `payroll` what the payroll manager
calls, its tables what both are made of. Amounts are whole cents; months are dates, their first day. `psql` shows the
same with `\d+ report.payroll_ready` and `\df+ payroll.link_member`.

`make dictionary` writes this file from the comments in `sql/`; change those.
';
SELECT text FROM line ORDER BY schema <> 'report', schema, kind, name COLLATE "C", number, text COLLATE "C";
