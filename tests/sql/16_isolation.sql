-- What waits for a load must see what it brought: nothing is closed, reopened or forgotten under an older snapshot.
CREATE FUNCTION pg_temp.answer(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    EXECUTE call INTO said;
    RETURN said;
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
CREATE TABLE pg_temp.call (call text, level text, answer text);
INSERT INTO pg_temp.call (call) VALUES
    ($$SELECT payroll.close_period('tap_1', '2026-04-01', 'x')$$),
    ($$SELECT payroll.close_period_at('tap_1', '2026-04-01', 'x', now())$$),
    ($$SELECT payroll.reopen_period('tap_1', '2026-04-01', 'x')$$),
    ($$SELECT payroll.forget_person('tap_1', 'old', 'x')$$);
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO pg_temp.call SELECT call, 'repeatable read', pg_temp.answer(call) FROM pg_temp.call WHERE level IS NULL;
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO pg_temp.call SELECT call, 'serializable', pg_temp.answer(call) FROM pg_temp.call WHERE level IS NULL;
COMMIT;
BEGIN ISOLATION LEVEL READ UNCOMMITTED; -- which PostgreSQL takes for read committed
INSERT INTO pg_temp.call SELECT call, 'read uncommitted', pg_temp.answer(call) FROM pg_temp.call WHERE level IS NULL;
COMMIT;
INSERT INTO pg_temp.call SELECT call, 'read committed', pg_temp.answer(call) FROM pg_temp.call WHERE level IS NULL;

BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(16);
SELECT matches(answer, CASE WHEN level LIKE 'read %' THEN '^(02000|22023|55000|P0002|42501) .*tap_1'
                            ELSE format('^25000 this transaction is %s: ', level) END, level || ': ' || call)
FROM pg_temp.call WHERE level IS NOT NULL;
SELECT * FROM finish();
ROLLBACK;
