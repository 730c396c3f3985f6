-- payroll.accept_discrepancy, progress_discrepancy and reopen_discrepancy.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(27);

INSERT INTO payroll.discrepancy_code VALUES ('tap_code', 0, 'info', 'x', 'x', 'x', 'x');
INSERT INTO payroll.discrepancy (company_id, payroll_month, code, severity, subject_type, subject_id, first_seen_at,
    last_seen_at, first_seen_run, last_seen_run)
SELECT 'tap_1', '2026-04-01', 'tap_code', 'info', 'company', n::text, now(), now(), 'run', 'run'
    FROM generate_series(1, 2) AS n;
UPDATE payroll.discrepancy SET status = 'resolved', resolved_at = now(), resolved_by_run = 'run'
WHERE company_id = 'tap_1' AND subject_id = '2';
CREATE TEMP TABLE known AS
SELECT max(id) FILTER (WHERE subject_id = '1') AS live, max(id) FILTER (WHERE subject_id = '2') AS gone
FROM payroll.discrepancy WHERE company_id = 'tap_1';

CREATE FUNCTION pg_temp.call(name text, id bigint, note text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    hint text;
BEGIN
    EXECUTE format('SELECT payroll.%I(%L, %L)', name || '_discrepancy', id, note) INTO answer;
    RETURN regexp_replace(answer, '\m' || id || '\M', 'N');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || regexp_replace(' ' || SQLERRM || ' / ' || hint, '\m' || id || '\M', 'N', 'g');
END
$$;

-- In this order; the status afterwards.
CREATE TEMP TABLE step (nr integer, name text, answer text, status text);
INSERT INTO step VALUES
    (1, 'reopen', '55000 discrepancy N (tap_code) is open / Nothing to do.', 'open'),
    (2, 'progress', 'discrepancy N (tap_code) is in progress', 'in_progress'),
    (3, 'progress', '55000 discrepancy N (tap_code) is in progress / Nothing to do.', 'in_progress'),
    (4, 'reopen', 'discrepancy N (tap_code) is open', 'open'),
    (5, 'progress', 'discrepancy N (tap_code) is in progress', 'in_progress'),
    (6, 'accept', 'discrepancy N (tap_code) is accepted', 'accepted'),
    (7, 'accept', '55000 discrepancy N (tap_code) is accepted / Nothing to do.', 'accepted'),
    (8, 'progress',
        '55000 discrepancy N (tap_code) is accepted / Reopen it first: SELECT payroll.reopen_discrepancy(N, ''why'')',
     'accepted'),
    (9, 'reopen', 'discrepancy N (tap_code) is open', 'open');
CREATE FUNCTION pg_temp.walk() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    s step;
BEGIN
    FOR s IN SELECT * FROM step ORDER BY nr LOOP
        RETURN NEXT is(pg_temp.call(s.name, (SELECT live
            FROM known), 'note ' || s.nr), s.answer, s.nr || ': ' || s.name);
        RETURN NEXT is((SELECT d.status FROM payroll.discrepancy AS d
            JOIN known ON id = live), s.status, '  leaves it ' || s.status);
    END LOOP;
END
$$;
SELECT pg_temp.walk();

SELECT results_eq($$SELECT actor, event, note FROM payroll.discrepancy_event WHERE company_id = 'tap_1'
    ORDER BY event_id$$,
    $$VALUES (session_user::text COLLATE "default", 'progressed', 'note 2'), (session_user::text COLLATE "default",
        'reopened', 'note 4'),
             (session_user::text COLLATE "default", 'progressed', 'note 5'), (session_user::text COLLATE "default",
                 'accepted', 'note 6'),
             (session_user::text COLLATE "default", 'reopened', 'note 9')$$,
                 'what was done is on record, what was refused is not');
SELECT is(pg_temp.call(name, (SELECT gone FROM known), 'x'),
          '55000 discrepancy N (tap_code) is resolved / It is gone; should it come back, the next run opens it again.',
          name || ' of a resolved one')
FROM unnest(ARRAY['accept', 'progress', 'reopen']) AS name;
SELECT is(pg_temp.call('accept', (SELECT live FROM known), ' '),
          '22023 the note is empty / Say why in a few words: the note is kept with your name and the time.',
              'an empty note');
SELECT is(pg_temp.call('accept', -1, 'x'), 'P0002 there is no discrepancy -1 / Column id of report.discrepancy_inbox.',
          'an unknown one');
SELECT throws_ok('SELECT payroll.accept_discrepancy(NULL, ''x'')', 'P0002', 'there is no discrepancy null',
    'none at all');

SET LOCAL ROLE payroll_manager;
DO $$BEGIN PERFORM payroll.accept_discrepancy(max(id), 'agreed') FROM payroll.discrepancy WHERE company_id = 'tap_1'
    AND status = 'open'; END$$;
RESET ROLE;
SELECT is((SELECT actor FROM payroll.discrepancy_event WHERE company_id = 'tap_1' AND note = 'agreed'),
          session_user || ' as payroll_manager', 'the manager accepts');
SELECT is((SELECT count(*) FROM report.discrepancy_inbox
    WHERE company_id = 'tap_1'), 0::bigint, 'and it leaves the inbox');

SELECT * FROM finish();
ROLLBACK;
