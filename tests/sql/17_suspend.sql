-- Empty tables are filled before their indexes: who may have them taken away, from what, and what comes back.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(24);

DO $$BEGIN
    PERFORM payroll.ensure_partition('2026-04-01');
END$$;

-- Everything about indexes, constraints and triggers that a table has.
CREATE FUNCTION pg_temp.shape(relation regclass) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid, indisreplident, indisclustered)
    FROM pg_index WHERE indrelid IN (SELECT payroll.tree_of(relation))
    UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE conrelid IN (SELECT payroll.tree_of(relation))
    UNION ALL SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled)
    FROM pg_trigger WHERE tgrelid IN (SELECT payroll.tree_of(relation)) AND NOT tgisinternal
    UNION ALL SELECT concat_ws(' ', attrelid::regclass, attname, attnotnull)
    FROM pg_attribute WHERE attrelid IN (SELECT payroll.tree_of(relation)) AND attnum > 0
$$;
CREATE FUNCTION pg_temp.indexes(relation regclass) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM pg_index WHERE indrelid IN (SELECT payroll.tree_of(relation))
$$;
CREATE TEMP TABLE facts AS
SELECT c.oid::regclass AS name
FROM pg_class AS c
WHERE c.oid = ANY (ARRAY['payroll.contribution', 'payroll.coverage', 'payroll.invoice_control', 'payroll.contract',
    'payroll.invoice', 'payroll.payroll_contract', 'payroll.pay_base', 'payroll.payroll_period', 'payroll.affiliation',
    'payroll.member', 'payroll.employment', 'payroll.employee']::regclass[]);
CREATE TEMP TABLE before AS SELECT name, s AS said FROM facts, pg_temp.shape(name) AS s;
GRANT SELECT ON facts TO payroll_loader, payroll_manager;

SET LOCAL ROLE payroll_loader;
SELECT is((SELECT payroll.suspend_indexes(array_agg(name)) FROM facts), 12::bigint, 'load has all of them suspended');
RESET ROLE;
SELECT is((SELECT sum(pg_temp.indexes(name)) FROM facts), 0::numeric, 'no index is left');
SELECT is((SELECT payroll.suspend_indexes(array_agg(name)) FROM facts), 12::bigint, 'again, with nothing to take away');
SELECT throws_ok('SET CONSTRAINTS ALL IMMEDIATE', '55000', NULL, 'no commit before they are made again');
SET LOCAL ROLE payroll_loader;
INSERT INTO payroll.employee (company_id, employee_id, last_name) VALUES ('tap_1', 'e1', 'Un'), ('tap_1', 'e2', 'Deux');
INSERT INTO payroll.coverage VALUES ('tap_1', '2026-04-01', 'job_1', 'e1', 'pending');
SELECT lives_ok('SELECT payroll.restore_indexes()', 'load has them made again');
RESET ROLE;
SELECT lives_ok('SET CONSTRAINTS ALL IMMEDIATE', 'then it may commit');
SELECT is_empty('SELECT * FROM pipeline.suspended', 'nothing is remembered');
SELECT set_eq('SELECT name, s FROM facts, pg_temp.shape(name) AS s', 'SELECT name, said FROM before',
              'indexes, constraints and guards are those of before');
SELECT throws_ok($$INSERT INTO payroll.employee (company_id, employee_id, last_name) VALUES ('tap_1', 'e1', 'Un')$$,
                 '23505', NULL, 'they hold again');

SELECT is(payroll.suspend_indexes('{payroll.employee}'), 0::bigint, 'a table with rows keeps its indexes');
SELECT is(pg_temp.indexes('payroll.employee'), 1::bigint, 'which are there');
SELECT is(payroll.suspend_indexes('{payroll.contribution_2026_04, pipeline.run, report.payroll_ready, payroll.employee_pkey}'),
          0::bigint, 'neither partitions by themselves nor tables of others, nor what is no table');

SAVEPOINT changed;
COMMENT ON INDEX payroll.member_employee_idx IS 'for the data team';
ALTER TABLE payroll.pay_base REPLICA IDENTITY USING INDEX pay_base_pkey;
ALTER INDEX payroll.affiliation_pkey SET (fillfactor = 70);
SELECT is(payroll.suspend_indexes('{payroll.member, payroll.pay_base, payroll.affiliation}'), 0::bigint,
          'what a definition does not tell would be lost: left alone');
ROLLBACK TO changed;
CREATE TABLE payroll.of_others (company_id text, contract_id text,
    FOREIGN KEY (company_id, contract_id) REFERENCES payroll.contract);
SELECT is(payroll.suspend_indexes('{payroll.contract, payroll.member}'), 1::bigint, 'what somebody refers to is left alone');
SELECT is(pg_temp.indexes('payroll.contract'), 1::bigint, 'and has its key');
SELECT lives_ok('SELECT payroll.restore_indexes()', 'the other one comes back');
ROLLBACK TO changed;
CREATE UNIQUE INDEX "an index ON ONLY invoices" ON payroll.invoice (lower(number)) WHERE status <> 'cancelled';
DO $$BEGIN
    PERFORM payroll.suspend_indexes('{payroll.invoice}'), payroll.restore_indexes();
END$$;
SELECT matches((SELECT pg_get_indexdef('payroll."an index ON ONLY invoices"'::regclass)),
               'UNIQUE INDEX .* \(lower\(number\)\) WHERE', 'an index of somebody else comes back too');

SELECT is(payroll.suspend_indexes('{payroll.contract}'), 1::bigint, 'contracts twice');
INSERT INTO payroll.contract (company_id, contract_id, product, reference, insurer_code, valid_from, status, proration)
SELECT 'tap_1', 'c1', 'health', 'R', 'I', date '2026-01-01', 'active', 'none' FROM generate_series(1, 2);
SELECT throws_like('SELECT payroll.restore_indexes()', '%contract_pkey%', 'are refused when the key is made again');
ROLLBACK TO changed;

DELETE FROM payroll.coverage;
INSERT INTO payroll.company VALUES ('tap_1', '362521879');
INSERT INTO payroll.period (company_id, payroll_month, status) VALUES ('tap_1', '2026-04-01', 'open');
DO $$BEGIN
    PERFORM payroll.close_period('tap_1', '2026-04-01', 'before anything came');
END$$;
SELECT is(payroll.suspend_indexes('{payroll.coverage, payroll.contribution}'), 2::bigint, 'guarded tables');
INSERT INTO payroll.coverage VALUES ('tap_1', '2026-05-01', 'job_1', 'e1', 'pending');
SAVEPOINT filled;
SELECT lives_ok('SELECT payroll.restore_indexes()', 'take rows of an open month');
ROLLBACK TO filled;
INSERT INTO payroll.coverage VALUES ('tap_1', '2026-04-01', 'job_1', 'e1', 'pending');
SELECT throws_like('SELECT payroll.restore_indexes()', '%payroll month 2026-04 of company ''tap_1'' is closed%',
                   'and none of a closed one');
ROLLBACK TO changed;

SET LOCAL ROLE payroll_manager;
SELECT throws_ok($$SELECT payroll.suspend_indexes('{payroll.member}')$$, '42501', NULL, 'a manager may not');
SELECT throws_ok('SELECT payroll.restore_indexes()', '42501', NULL, 'neither');
SELECT * FROM finish();
ROLLBACK;
