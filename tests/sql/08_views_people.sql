-- report.uncovered_employee, identity_check, discrepancy_inbox, sync_status, run_history and reject.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(31);

INSERT INTO payroll.company VALUES ('tap_1', '362521879', 'Acme', 14), ('tap_2', '552008443', NULL, 3);
INSERT INTO payroll.contract (company_id, contract_id, product, reference, insurer_code, valid_from, status, proration)
VALUES ('tap_1', 'con_h', 'health', 'SANTE0000000001', 'AALAN1', '2024-01-01', 'active', 'none');
INSERT INTO payroll.payroll_contract (company_id, payroll_contract_id, product, reference)
VALUES ('tap_1', 'pay_h', 'health', 'OLD0000000001');
INSERT INTO payroll.invoice VALUES ('tap_1', 'inv_1', 'F-2026-04', 'invoice', '362521879', '2026-04-01', '2026-04-30',
    NULL,
    'EUR', 25000, 12, 'issued');
INSERT INTO payroll.employee (company_id, employee_id, matricule, nir, ntt, first_name, last_name, birth_name,
    birth_date) VALUES
    ('tap_1', 'emp_1', 'M1', '2 95 10 99 126 111 93', NULL, 'Anne', 'Un', 'Née', '1995-10-02'),
    ('tap_1', 'emp_2', 'M2', NULL, '1362521879ABC', 'Bruno', 'Deux', NULL, NULL),
    ('tap_1', 'emp_3', NULL, '1,85017E+12', NULL, NULL, 'O''Neil {delta}', NULL, NULL);
INSERT INTO payroll.employment (company_id, employment_id, employee_id, siret, starts_on) VALUES
    ('tap_1', 'job_1', 'emp_1', '36252187900034', '2024-01-01'), ('tap_1', 'job_2', 'emp_2', '36252187900034',
        '2026-04-02');
INSERT INTO payroll.member (company_id, member_id, nir, first_name, last_name, birth_date, employee_id,
    matched_by) VALUES
    ('tap_1', 'mem_1', '295109912611193', 'Anne', 'Un', '1995-10-02', 'emp_1', 'nir'),
    ('tap_1', 'mem_9', 'A85', 'Zoé', 'Neuf', NULL, NULL, 'none');

-- ---- uncovered_employee ----

INSERT INTO payroll.coverage VALUES
    ('tap_1', '2026-04-01', 'job_1', 'emp_1', 'exempt', '2026-01-01', '2026-12-31', 'c2s'),
    ('tap_1', '2026-04-01', 'job_2', 'emp_2', 'pending', '2026-04-02', NULL, NULL);
SELECT results_eq($$
    SELECT employee_id, employment_id, matricule, last_name, first_name, starts_on, ends_on, since, reason, ground,
        ground_fr, until
    FROM report.uncovered_employee WHERE company_id = 'tap_1' AND payroll_month = '2026-04-01'
        ORDER BY employee_id$$, $$VALUES
    ('emp_1', 'job_1', 'M1', 'Un', 'Anne', date '2024-01-01', NULL::date, date '2026-01-01', 'exempt', 'c2s',
     'bénéficiaire de la complémentaire santé solidaire', date '2026-12-31'),
    ('emp_2', 'job_2', 'M2', 'Deux', 'Bruno', '2026-04-02', NULL, '2026-04-02', 'pending', NULL, NULL, NULL)$$,
    'employees without cover, since when and why');

-- ---- identity_check ----

CREATE FUNCTION pg_temp.identities(role text) RETURNS SETOF report.identity_check LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    RETURN QUERY SELECT * FROM report.identity_check WHERE company_id = 'tap_1' ORDER BY member_id, employee_id;
    RESET ROLE;
END
$$;
SELECT results_eq(format($$SELECT member_id, employee_id, matched_by, alan_nir, payroll_nir, payroll_ntt,
    alan_last_name,
                                  payroll_last_name, payroll_birth_name, payroll_birth_date
                           FROM pg_temp.identities(%L)$$, role), expected, 'identities as ' || role || ' sees them')
FROM (VALUES
    ('payroll_manager', $$VALUES
        ('mem_1', 'emp_1', 'nir', '295109912611193', '2 95 10 99 126 111 93', NULL, 'Un', 'Un', 'Née',
            date '1995-10-02'),
        ('mem_9', NULL, 'none', 'A85', NULL, NULL, 'Neuf', NULL, NULL, NULL),
        (NULL, 'emp_2', 'none', NULL, NULL, '1362521879ABC', NULL, 'Deux', NULL, NULL),
        (NULL, 'emp_3', 'none', NULL, '1,85017E+12', NULL, NULL, 'O''Neil {delta}', NULL, NULL)$$),
    ('payroll_reader', $$VALUES
        ('mem_1', 'emp_1', 'nir', '2 95 ** ** *** *** **', '2 95 ** ** *** *** **', NULL, 'Un', 'Un', 'Née',
            date '1995-10-02'),
        ('mem_9', NULL, 'none', '* ** ** ** *** *** **', NULL, NULL, 'Neuf', NULL, NULL, NULL),
        (NULL, 'emp_2', 'none', NULL, NULL, '1 **********', NULL, 'Deux', NULL, NULL),
        (NULL, 'emp_3', 'none', NULL, '* ** ** ** *** *** **', NULL, NULL, 'O''Neil {delta}', NULL,
            NULL)$$)) AS r (role, expected);
CREATE TEMP TABLE mask (nir text, mask text);
INSERT INTO mask VALUES ('295109912611193', '2 95 ** ** *** *** **'), (' 1-84.12 ', '1 84 ** ** *** *** **'),
    (U&'2\00A095\202F10', '2 95 ** ** *** *** **'), ('2O5109912611193', '* ** ** ** *** *** **'),
    ('', '* ** ** ** *** *** **'), ('29', '* ** ** ** *** *** **');
INSERT INTO payroll.employee (company_id, employee_id, nir, last_name) SELECT 'tap_2', nir, nir, 'x' FROM mask;
INSERT INTO payroll.member (company_id, member_id, nir, matched_by) SELECT 'tap_2', nir, nir, 'none' FROM mask;
SELECT results_eq($$SELECT e.nir_masked, m.nir_masked FROM payroll.employee AS e
                    JOIN payroll.member AS m ON m.company_id = e.company_id AND m.member_id = e.employee_id
                    WHERE e.company_id = 'tap_2' ORDER BY e.nir COLLATE "C"$$,
                  $$SELECT mask, mask FROM mask ORDER BY nir COLLATE "C"$$,
                      'masks of numbers in all shapes, on both sides');

-- ---- discrepancy_inbox ----

CREATE FUNCTION pg_temp.raise(change jsonb) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO payroll.discrepancy (company_id, payroll_month, code, severity, step, subject_type, subject_id,
        contract_id,
        cover_month, employee_id, employment_id, member_id, invoice_id, side, expected_cents, actual_cents, delta_cents,
        expected, actual, line_count, held_cents, candidates, status, first_seen_at, last_seen_at, first_seen_run,
            last_seen_run)
    SELECT company_id, payroll_month, code, severity, step, subject_type, subject_id, contract_id,
        cover_month, employee_id, employment_id, member_id, invoice_id, side, expected_cents, actual_cents, delta_cents,
        expected, actual, line_count, held_cents, candidates, status, now(), now(), 'run_1', 'run_1'
    FROM jsonb_populate_record(NULL::payroll.discrepancy, jsonb '{"company_id": "tap_1", "payroll_month": "2026-04-01",
        "code": "tap_code", "severity": "error", "step": 1, "subject_type": "member", "subject_id": "x",
        "line_count": 0,
        "held_cents": 0, "candidates": [], "status": "open"}' || change)
    RETURNING id
$$;
INSERT INTO payroll.discrepancy_code VALUES ('tap_code', 1, 'error',
    '{employee}|{member}|{contract}|{invoice}|{company}|{side}|{source}|{subject}',
    '{employee}|{member}|{contract}|{invoice}|{company}|{side}|{source}|{subject}',
    '{expected}|{actual}|{delta}|{held}|{lines}|{cover_month}|{candidates}|{others}',
    '{expected}|{actual}|{delta}|{held}|{lines}|{cover_month}|{candidates}|{others}');
INSERT INTO payroll.discrepancy_code
SELECT code, 1, 'error', '{member}', '{member}', '{actual}', '{actual}'
FROM unnest(ARRAY['member_not_in_payroll', 'nir_mismatch', 'price_mismatch']) AS code
ON CONFLICT (code) DO UPDATE SET title_fr = excluded.title_fr, title_en = excluded.title_en,
    remedy_fr = excluded.remedy_fr, remedy_en = excluded.remedy_en;

CREATE TEMP TABLE raised AS SELECT
    pg_temp.raise('{"subject_id": "full", "employment_id": "job_1", "member_id": "mem_9", "contract_id": "con_h",
        "invoice_id": "inv_1", "side": "alan", "expected_cents": 123456, "actual_cents": -5, "delta_cents": -123461,
        "held_cents": 11710, "line_count": 3, "cover_month": "2026-02-01", "candidates": [
            {"employee_id": "emp_1", "matricule": "M1", "first_name": "Anne", "last_name": "Un", "score": 95},
            {"employee_id": "emp_2", "last_name": "Deux", "score": 40}]}') AS full_id,
    pg_temp.raise('{"subject_id": "empty", "company_id": "tap_2"}') AS empty_id,
    pg_temp.raise('{"subject_id": "texts", "employee_id": "emp_3", "contract_id": "pay_h", "side": "both",
        "line_count": 1,
        "expected": "404833048", "actual": "552008443", "status": "in_progress"}') AS texts_id,
    pg_temp.raise('{"subject_id": "payroll", "subject_type": "source", "side": "payroll", "invoice_id": "inv_0",
        "actual": "2026-03-30T01:00:00Z"}') AS source_id;
SELECT is(title_fr, 'Anne Un (M1)|Zoé Neuf (mem_9)|SANTE0000000001|F-2026-04|Acme|Alan|non précisée|Anne Un (M1)',
    'French title')
FROM report.discrepancy_inbox JOIN raised ON id = full_id;
SELECT is(title_en, 'Anne Un (M1)|Zoé Neuf (mem_9)|SANTE0000000001|F-2026-04|Acme|Alan|not given|Anne Un (M1)',
    'English title')
FROM report.discrepancy_inbox JOIN raised ON id = full_id;
SELECT is(translate(remedy_fr, U&'\00A0\202F', '_~'),
          '1~234,56_€|-0,05_€|-1~234,61_€|117,10_€|3 lignes|février 2026|'
          'Anne Un (M1) 95 %, Deux (emp_2) 40 %|Anne Un (M1), Deux (emp_2)', 'French remedy')
FROM report.discrepancy_inbox JOIN raised ON id = full_id;
SELECT is(remedy_en, '€1,234.56|-€0.05|-€1,234.61|€117.10|3 lines|February 2026|'
          'Anne Un (M1) 95 %, Deux (emp_2) 40 %|Anne Un (M1), Deux (emp_2)', 'English remedy')
FROM report.discrepancy_inbox JOIN raised ON id = full_id;
SELECT is(title_fr || '|' || translate(remedy_fr, U&'\00A0', ' '),
          'une personne non identifiée|une personne non identifiée|non précisé|non précisée|tap_2|Alan ou la paie|'
          'non précisée|tap_2|non précisé|non précisé|non chiffré|0,00 €|0 ligne|avril 2026|aucun|une autre personne',
          'French where nothing is known')
FROM report.discrepancy_inbox JOIN raised ON id = empty_id;
SELECT is(title_en || '|' || remedy_en,
          'somebody unidentified|somebody unidentified|not given|not given|tap_2|Alan or payroll|not given|'
          'tap_2|not given|not given|not known|€0.00|0 lines|April 2026|none|somebody else',
              'English where nothing is known')
FROM report.discrepancy_inbox JOIN raised ON id = empty_id;
SELECT is(title_en || '|' || remedy_en,
          'O''Neil {delta} (emp_3)|O''Neil {delta} (emp_3)|OLD0000000001|not given|Acme|Alan and payroll|not given|'
          'O''Neil {delta} (emp_3)|'
          '404833048|552008443|not known|€0.00|1 line|April 2026|none|552008443',
          'a contract of payroll, what is no money, and a name with braces')
FROM report.discrepancy_inbox JOIN raised ON id = texts_id;
SELECT is(title_fr,
    'une personne non identifiée|une personne non identifiée|non précisé|inv_0|Acme|la paie|payroll|facture inv_0',
          'a source, and an invoice that is not known')
FROM report.discrepancy_inbox JOIN raised ON id = source_id;
SELECT is(payroll.readable(value, 'fr') || '|' || payroll.readable(value, 'en'), wanted, 'readable: ' || value)
FROM (VALUES ('2026-03-30T01:02:03Z', '30/03/2026 à 01:02 UTC|2026-03-30 at 01:02 UTC'),
             ('2026-03-30', '30/03/2026|2026-03-30'), ('404833048', '404833048|404833048'),
             ('2026-03-30 OPT', '2026-03-30 OPT|2026-03-30 OPT')) AS v (value, wanted);
SELECT results_eq($$
    SELECT code, severity, step, status, employee, member, contract, invoice, employment_id, expected_cents,
        actual_cents, delta_cents,
        held_cents, line_count, jsonb_array_length(candidates), first_seen_at = now(), last_seen_at = now(), call
    FROM report.discrepancy_inbox JOIN raised ON id = full_id$$, $$VALUES
    ('tap_code', 'error', 1::bigint, 'open', 'Anne Un (M1)', 'Zoé Neuf (mem_9)', 'SANTE0000000001', 'F-2026-04',
        'job_1', 123456::bigint,
     -5::bigint, -123461::bigint, 11710::bigint, 3::bigint, 2, true, true, NULL)$$, 'the other columns');
SELECT is(status, 'in_progress', 'one in progress is still there') FROM report.discrepancy_inbox
    JOIN raised ON id = texts_id;
UPDATE payroll.discrepancy SET status = 'accepted' FROM raised WHERE id = texts_id;
UPDATE payroll.discrepancy SET status = 'resolved', resolved_at = now(), resolved_by_run = 'run_2' FROM raised
    WHERE id = source_id;
SELECT is_empty('SELECT id FROM report.discrepancy_inbox JOIN raised ON id IN (texts_id, source_id)',
                'accepted and resolved ones are not');

CREATE TEMP TABLE price AS SELECT
    pg_temp.raise('{"code": "price_mismatch", "subject_id": "p1", "expected_cents": 11710,
                  "actual_cents": 35130}') AS thrice,
    pg_temp.raise('{"code": "price_mismatch", "subject_id": "p2", "expected_cents": 11710,
                  "actual_cents": 35131}') AS other;
SELECT is(translate(remedy_fr, U&'\00A0', ' ') || ', ' || remedy_en, '351,30 € (3 × 117,10 €), €351.30 (3 × €117.10)',
          'a whole multiple of the price is named')
FROM report.discrepancy_inbox JOIN price ON id = thrice;
SELECT is(remedy_en, '€351.31', 'another price is not') FROM report.discrepancy_inbox JOIN price ON id = other;

-- The call that puts it right, and that it does.
CREATE TEMP TABLE linkable AS SELECT
    pg_temp.raise('{"code": "member_not_in_payroll", "subject_id": "mem_9", "member_id": "mem_9", "candidates": [
                  {"employee_id": "emp_2", "score": 80}, {"employee_id": "emp_3", "score": 70}]}') AS best,
    pg_temp.raise('{"code": "member_not_in_payroll", "subject_id": "mem_0", "member_id": "mem_0"}') AS nobody,
    pg_temp.raise('{"code": "nir_mismatch", "subject_id": "job_2", "member_id": "it''s", "employee_id": "emp_2",
                  "candidates": [{"employee_id": "emp_3", "score": 70}]}') AS named,
    pg_temp.raise('{"code": "nir_mismatch", "subject_id": "job_1", "member_id": "mem_1",
                  "employee_id": "emp_1"}') AS matched;
SELECT is(call,
    format('SELECT payroll.link_member(''tap_1'', ''mem_9'', ''emp_2'', ''discrepancy %s: the same person'');', id),
          'the best candidate')
FROM report.discrepancy_inbox JOIN linkable ON id = best;
SELECT is(call, NULL, 'nobody to link to') FROM report.discrepancy_inbox JOIN linkable ON id = nobody;
SELECT matches(call, '^SELECT payroll.link_member\(''tap_1'', ''it''''s'', ''emp_2'', ', 'the person named, and quotes')
FROM report.discrepancy_inbox JOIN linkable ON id = named;
SELECT is(call, NULL, 'nothing for who is matched') FROM report.discrepancy_inbox JOIN linkable ON id = matched;
CREATE FUNCTION pg_temp.run_call() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE (SELECT call FROM report.discrepancy_inbox JOIN linkable ON id = best);
END
$$;
SELECT lives_ok('SELECT pg_temp.run_call()', 'the call runs as it is');
SELECT is((SELECT employee_id FROM payroll.link WHERE company_id = 'tap_1'
    AND member_id = 'mem_9'), 'emp_2', 'and links');

-- ---- sync_status, run_history, reject ----

INSERT INTO pipeline.run (run_id, period, as_of, manifest_sha256, status, started_at, finished_at, stale_after) VALUES
    ('tap_run_1', '2026-04-01', '2999-01-01 00:00Z', repeat('0', 64), 'ok', '2999-01-01 00:00Z', '2999-01-01 00:01Z',
        '36 hours'),
    ('tap_run_2', '2026-04-01', '2999-01-03 00:00Z', repeat('0', 64), 'partial', '2999-01-03 00:00Z',
        '2999-01-03 00:02Z', '36 hours');
INSERT INTO payroll.source_sync VALUES
    ('tap_1', 'alan', 'ok', '2999-01-02 12:00Z', '2999-01-02 12:00Z', NULL),
    ('tap_1', 'bases', 'absent', '2999-01-02 12:00Z', NULL, NULL),
    ('tap_1', 'payroll', 'failed', '2999-01-03 00:00Z', '2999-01-01 11:59Z', 'status 403'),
    ('tap_2', 'alan', 'failed', '2999-01-03 00:00Z', NULL, 'timed out'),
    ('tap_2', 'payroll', 'ok', '2999-01-01 12:00Z', '2999-01-01 12:00Z', NULL);
SELECT results_eq($$SELECT company_id, name, source, outcome, synced_at, attempted_at, age, stale, error
    FROM report.sync_status
                    WHERE company_id LIKE 'tap\_%' ORDER BY 1, 3$$, $$VALUES
    ('tap_1', 'Acme', 'alan', 'ok', timestamptz '2999-01-02 12:00Z', timestamptz '2999-01-02 12:00Z', interval '12:00',
        false, NULL),
    ('tap_1', 'Acme', 'bases', 'absent', NULL, '2999-01-02 12:00Z', NULL, false, NULL),
    ('tap_1', 'Acme', 'payroll', 'failed', '2999-01-01 11:59Z', '2999-01-03 00:00Z', '1 day 12:01', true, 'status 403'),
    ('tap_2', NULL, 'alan', 'failed', NULL, '2999-01-03 00:00Z', NULL, true, 'timed out'),
    ('tap_2', NULL, 'payroll', 'ok', '2999-01-01 12:00Z', '2999-01-01 12:00Z', '1 day 12:00', false, NULL)$$,
    'age and staleness by the latest run; exactly at the limit is not stale');
SELECT results_eq($$SELECT run_id, shard, shards, period, status, elapsed FROM report.run_history
    WHERE run_id LIKE 'tap\_run%' ORDER BY 1$$,
    $$VALUES ('tap_run_1', 0, 1, date '2026-04-01', 'ok', interval '1 minute'),
             ('tap_run_2', 0, 1, '2026-04-01', 'partial', '2 minutes')$$, 'runs');
INSERT INTO pipeline.reject (run_id, stage, entity, company_id, reason, faults, source, line, raw)
VALUES ('tap_run_2', 'extract', 'invoice_lines', 'tap_1', 'bad_amount', '{amount_cents: 3 decimals,line_id: missing}',
    'page 2', 7, '{}');
SELECT results_eq($$SELECT run_id, period, company_id, stage, entity, reason, faults, source, line FROM report.reject
                    WHERE run_id LIKE 'tap\_run%'$$,
    $$VALUES ('tap_run_2', date '2026-04-01', 'tap_1', 'extract', 'invoice_lines', 'bad_amount',
              ARRAY['amount_cents: 3 decimals', 'line_id: missing'], 'page 2', 7::bigint)$$,
                  'rejects with all their faults');
DELETE FROM pipeline.run WHERE run_id = 'tap_run_2';
SELECT is_empty($$SELECT FROM pipeline.reject WHERE run_id = 'tap_run_2'$$, 'a run''s rejects go with it');

SELECT * FROM finish();
ROLLBACK;
