-- report.discrepancy_inbox as the resolution guide needs it: both numbers, both instants, assignment, affiliation,
-- dispense, and for each code the call that resolves it.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(35);

INSERT INTO payroll.company VALUES ('tap_1', '362521879', 'Acme', 14), ('tap_2', '552008443', 'Other', 3);
INSERT INTO payroll.source_sync VALUES ('tap_1', 'alan', 'ok', '2026-04-22 04:00Z', '2026-04-22 04:00Z'),
    ('tap_1', 'payroll', 'failed', '2026-04-27 06:00Z', '2026-04-26 06:00Z');
INSERT INTO payroll.contract (company_id, contract_id, product, reference, insurer_code, valid_from, status, proration)
VALUES ('tap_1', 'con_h', 'health', 'SANTE0000000001', 'AALAN1', '2024-01-01', 'active', 'none');
INSERT INTO payroll.payroll_contract (company_id, payroll_contract_id, product, reference, option_code, population_code,
    employment_ids) VALUES
    ('tap_1', 'pay_h', 'health', 'SANTE0000000001', 'BASE', 'ENS', '{job_3}'),
    ('tap_1', 'pay_p', 'provident', 'PREV0000000001', NULL, 'ENS', '{}');
INSERT INTO payroll.employee (company_id, employee_id, matricule, nir, ntt, first_name, last_name) VALUES
    ('tap_1', 'emp_1', 'M1', '2 95 10 99 126 111 93', NULL, 'Anne', 'Un'),
    ('tap_1', 'emp_2', 'M2', NULL, '1362521879ABC', 'Bruno', 'Deux'),
    ('tap_1', 'emp_3', 'M3', '184127645108946', NULL, 'Chloé', 'Trois');
INSERT INTO payroll.employment (company_id, employment_id, employee_id, siret, starts_on, health_contract_ids,
    provident_contract_ids, exempt) VALUES
    ('tap_1', 'job_1', 'emp_1', '36252187900034', '2024-01-01', '{pay_h}', '{pay_p}', NULL),
    ('tap_1', 'job_2', 'emp_2', '36252187900034', '2026-04-13', '{}', '{}', true),
    ('tap_1', 'job_3', 'emp_3', '36252187900034', '2020-01-01', '{}', '{}', NULL);
INSERT INTO payroll.member (company_id, member_id, nir, first_name, last_name, employee_id, matched_by) VALUES
    ('tap_1', 'mem_1', '295109912611193', 'Anne', 'Un', 'emp_1', 'nir'),
    ('tap_1', 'mem_2', '1362521879ABC', 'Bruno', 'Deux', 'emp_2', 'ntt'),
    ('tap_1', 'mem_9', '185017512345609', 'Zoé', 'Neuf', NULL, 'none');
INSERT INTO payroll.affiliation (company_id, affiliation_id, member_id, contract_id, status, option_code,
    population_code, starts_on, ends_on, exemption_ground, exemption_from, exemption_to, exemption_proof) VALUES
    ('tap_1', 'aff_1', 'mem_1', 'con_h', 'active', 'BASE', 'ENS', '2024-01-01', NULL, NULL, NULL, NULL, NULL),
    ('tap_1', 'aff_0', 'mem_1', 'con_old', 'ended', NULL, NULL, '2022-01-01', '2023-12-31', NULL, NULL, NULL, NULL),
    ('tap_1', 'aff_2', 'mem_2', 'con_h', 'exempt', NULL, 'ENS', '2026-04-13', NULL, 'c2s', '2026-04-13', '2026-12-31',
     NULL);

CREATE FUNCTION pg_temp.raise(code text, change jsonb) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO payroll.discrepancy_code VALUES (code, 1, 'error', code, code, code, code) ON CONFLICT DO NOTHING;
    INSERT INTO payroll.discrepancy (company_id, payroll_month, code, severity, subject_type, subject_id, employee_id,
        employment_id, member_id, cover_month, expected, actual, candidates, first_seen_at, last_seen_at,
        first_seen_run, last_seen_run)
    SELECT company_id, payroll_month, raise.code, 'error', 'employment', coalesce(employment_id, member_id, 'x'),
        employee_id, employment_id, member_id, cover_month, expected, actual, candidates, now(), now(), 'run_1', 'run_1'
    FROM jsonb_populate_record(NULL::payroll.discrepancy,
        jsonb '{"company_id": "tap_1", "payroll_month": "2026-04-01", "candidates": []}' || change)
    RETURNING id
$$;
CREATE TEMP TABLE raised AS SELECT
    pg_temp.raise('employee_not_at_insurer', '{"employment_id": "job_3", "employee_id": "emp_3"}') AS not_there,
    pg_temp.raise('member_not_in_payroll', '{"member_id": "mem_9", "candidates": [{"employee_id": "emp_3"}]}')
        AS stranger,
    pg_temp.raise('assigned_not_affiliated', '{"employment_id": "job_1"}') AS both,
    pg_temp.raise('dispense_unproven', '{"employment_id": "job_2", "actual": "c2s"}') AS unproven,
    pg_temp.raise('stale_synchronisation', '{}') AS nobody,
    pg_temp.raise('stale_synchronisation', '{"company_id": "tap_2"}') AS elsewhere;
GRANT SELECT ON raised TO payroll_manager, payroll_reader;

-- One row of the inbox as a role sees it.
CREATE FUNCTION pg_temp.seen(role text, wanted bigint) RETURNS SETOF report.discrepancy_inbox LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    RETURN QUERY SELECT * FROM report.discrepancy_inbox WHERE id = wanted;
    RESET ROLE;
END
$$;

-- ---- numbers and instants ----

INSERT INTO pipeline.month_read VALUES ('tap_1', '2026-04-01', now(), now() + interval '1 hour', 'run_2'),
    ('tap_1', '2026-05-01', now(), now() + interval '2 hours', 'run_3'),
    ('tap_2', '2026-04-01', now(), now() - interval '1 hour', 'run_0');
SELECT results_eq($$SELECT last_seen_at - now() FROM raised,
        LATERAL (SELECT * FROM pg_temp.seen('payroll_reader', nobody)
                 UNION ALL SELECT * FROM pg_temp.seen('payroll_reader', elsewhere)) AS s ORDER BY s.company_id$$,
    $$VALUES (interval '1 hour'), ('0')$$, 'last seen when its month was, or later');

SELECT is(concat_ws(' | ', alan_nir, payroll_nir, payroll_ntt), wanted, role || ': ' || what)
FROM raised, (VALUES
    ('payroll_manager', 'both', '295109912611193 | 2 95 10 99 126 111 93', 'both numbers of who is matched'),
    ('payroll_reader', 'both', '2 95 ** ** *** *** ** | 2 95 ** ** *** *** **', 'both masked'),
    ('payroll_manager', 'stranger', '185017512345609 | 184127645108946', 'the best candidate''s number'),
    ('payroll_reader', 'stranger', '1 85 ** ** *** *** ** | 1 84 ** ** *** *** **', 'masked too'),
    ('payroll_manager', 'unproven', '1362521879ABC | 1362521879ABC', 'an NTT'),
    ('payroll_reader', 'unproven', '1 36 ** ** *** *** ** | 1 **********', 'an NTT masked'),
    ('payroll_reader', 'nobody', '', 'nobody''s number')) AS w (role, which, wanted, what),
    pg_temp.seen(role, (to_jsonb(raised) ->> which)::bigint);
SELECT results_eq($$SELECT alan_synced_at, payroll_synced_at FROM raised, pg_temp.seen('payroll_reader', nobody)$$,
    $$VALUES (timestamptz '2026-04-22 04:00Z', timestamptz '2026-04-26 06:00Z')$$,
    'what instants both sides are the state of: the last success');
SELECT results_eq($$SELECT alan_synced_at, payroll_synced_at FROM raised, pg_temp.seen('payroll_reader', elsewhere)$$,
    $$VALUES (NULL::timestamptz, NULL::timestamptz)$$, 'a company that was never read');

-- ---- affiliation, assignment, dispense ----

INSERT INTO payroll.dispense (company_id, employee_id, ground, valid_from, valid_to, proof, note, recorded_by, ended_at,
    ended_by, end_note) VALUES
    ('tap_1', 'emp_3', 'individual', '2025-01-01', '2025-12-31', 'own.pdf', 'x', 'marie', NULL, NULL, NULL),
    ('tap_1', 'emp_3', 'c2s', '2026-01-01', NULL, NULL, 'x', 'marie', now(), 'marie', 'mistaken');
SELECT is(concat_ws(' | ', alan_affiliation, payroll_assignment, dispense), wanted, which)
FROM raised, (VALUES
    ('both', 'active SANTE0000000001 BASE ENS 2024-01-01.., ended con_old 2022-01-01..2023-12-31 | '
             'PREV0000000001 ENS, SANTE0000000001 BASE ENS | none'),
    ('not_there', 'none | SANTE0000000001 BASE ENS | individual 2025-01-01..2025-12-31 recorded here (own.pdf)'),
    ('unproven', 'exempt SANTE0000000001 ENS 2026-04-13.. | none | '
                 'c2s 2026-04-13..2026-12-31 at Alan (no proof), marked exempt in payroll'),
    ('nobody', '')) AS w (which, wanted), pg_temp.seen('payroll_reader', (to_jsonb(raised) ->> which)::bigint);

-- ---- words ----

SELECT is(payroll.term_text(codes, language), wanted, 'in ' || language || ': ' || codes)
FROM (VALUES
    ('option / fixed / non_executive / DENTAL / -', 'fr',
     'option, montant fixe, non-cadre, option DENTAL, population non précisée'),
    ('option / fixed / non_executive / DENTAL / -', 'en',
     'option, fixed amount, non-executive, option DENTAL, population not given'),
    ('employee / t1 / - / - / ENS', 'fr',
     'salarié, pourcentage de la tranche 1, option non précisée, population ENS')) AS w (codes, language, wanted);
SELECT matches(remedy_fr, 'le contrat pour : conjoint, montant fixe, option BASE, population ENS', 'the whole remedy')
FROM pg_temp.seen('payroll_reader', pg_temp.raise('split_rule_missing',
    '{"member_id": "mem_1", "expected": "partner / fixed / - / BASE / ENS"}'));

-- ---- calls ----

SELECT is(call,
          format('SELECT payroll.record_dispense(''tap_1'', ''%s'', %s, ''discrepancy %s'');', person, wanted, id),
          'recording a dispense: ' || which)
FROM raised, (VALUES
    ('not_there', 'emp_3', '''<ground>'', ''2026-04-01'', NULL, ''<proof>'''),
    ('unproven', 'emp_2', '''c2s'', ''2026-04-13'', ''2026-12-31'', ''<proof>''')) AS w (which, person, wanted),
    pg_temp.seen('payroll_manager', (to_jsonb(raised) ->> which)::bigint);
SELECT is(call, format('SELECT payroll.record_dispense(''tap_1'', ''emp_3'', ''individual'', ''2026-04-16'', NULL, '
                       '''<proof>'', ''discrepancy %s'');', id), 'renewing one from the day after')
FROM pg_temp.seen('payroll_manager', pg_temp.raise('dispense_expired',
    '{"employment_id": "job_3", "expected": "individual", "actual": "2026-04-15"}'));
SELECT is(call, NULL, name || ': Alan''s dispense is ended at Alan')
FROM unnest(ARRAY['exempt_but_billed', 'exempt_but_affiliated']) AS name,
    pg_temp.seen('payroll_manager', pg_temp.raise(name, '{"employment_id": "job_2", "cover_month": "2026-05-01"}'));
SELECT is(call, format('SELECT payroll.accept_discrepancy(%s, ''<why>'');', id), name || ' is accepted')
FROM unnest(ARRAY['adjustment_without_original', 'amount_jump', 'retroactive_adjustment']) AS name,
    pg_temp.seen('payroll_manager', pg_temp.raise(name, '{"employment_id": "job_1"}'));

-- With <ground> and <proof> as they are nothing happens; with values the call does what it says.
CREATE FUNCTION pg_temp.do(wanted bigint, ground text DEFAULT '<ground>', proof text DEFAULT '<proof>',
    why text DEFAULT '<why>') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE (SELECT replace(replace(replace(call, '<ground>', ground), '<proof>', proof), '<why>', why)
             FROM report.discrepancy_inbox WHERE id = wanted);
END
$$;
SELECT throws_ok('SELECT pg_temp.do(not_there) FROM raised', '22023', '''<ground>'' is no ground for a dispense',
    'the ground must be given');
SELECT throws_ok('SELECT pg_temp.do(not_there, ''c2s'') FROM raised', '22023', 'the proof is still <proof>',
    'and the proof');
SELECT throws_ok($$SELECT pg_temp.do((SELECT max(id) FROM report.discrepancy_inbox
                                      WHERE code = 'amount_jump' AND company_id = 'tap_1'))$$, '22023',
    'the note is still <why>', 'and the reason');
SELECT lives_ok('SELECT pg_temp.do(not_there, ''c2s'', ''card.pdf'') FROM raised', 'the call as filled in');

-- Recorded here without its proof: withdrawn and recorded again, in one transaction.
DO $$BEGIN PERFORM payroll.record_dispense('tap_1', 'emp_1', 'c2s', '2026-02-01', '2026-09-30', NULL, 'x'); END$$;
CREATE TEMP TABLE here AS SELECT
    pg_temp.raise('dispense_unproven', '{"employment_id": "job_1", "actual": "c2s"}') AS id,
    pg_temp.raise('exempt_but_billed', '{"employment_id": "job_1", "cover_month": "2026-04-01"}') AS billed;
SELECT lives_ok('SELECT pg_temp.do(id, proof => ''attestation.pdf'') FROM here', 'both statements of a call');
SELECT results_eq($$SELECT ground, valid_from, valid_to, proof FROM payroll.dispense
                    WHERE company_id = 'tap_1' AND employee_id = 'emp_1' AND ended_at IS NULL$$,
    $$VALUES ('c2s', date '2026-02-01', date '2026-09-30', 'attestation.pdf')$$, 'the same dispense, proven');
SELECT lives_ok('SELECT pg_temp.do(billed) FROM here', 'a call without a placeholder');
SELECT results_eq($$SELECT valid_from, valid_to FROM payroll.dispense
                    WHERE company_id = 'tap_1' AND employee_id = 'emp_1' AND ended_at IS NULL$$,
    $$VALUES (date '2026-02-01', date '2026-03-31')$$, 'one that no longer applies ends before the month billed');

-- A source may give an end before the beginning: it blinds nobody.
INSERT INTO payroll.affiliation (company_id, affiliation_id, member_id, contract_id, status, starts_on, exemption_from,
    exemption_to) VALUES ('tap_1', 'aff_back', 'mem_back', 'con_h', 'exempt', '2024-01-01', '2026-04-20', '2026-04-10');
SELECT lives_ok($$SELECT pg_temp.raise('exempt_but_affiliated', '{"member_id": "mem_back"}');
                  SELECT count(i::text) FROM report.discrepancy_inbox AS i$$, 'an exemption that ends before it begins');

SELECT * FROM finish();
ROLLBACK;
