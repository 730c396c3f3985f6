-- report.month_variance: who changed from March to April, and why; report.employee_ledger: line by line.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(52);

DO $$BEGIN
    PERFORM payroll.ensure_partition(m::date)
    FROM generate_series(timestamp '2026-01-01', '2026-07-01', interval '1 month') AS m;
END$$;

INSERT INTO payroll.company (company_id, siren) VALUES ('tap_1', '362521879'), ('tap_2', '552008443');
INSERT INTO payroll.contract (company_id, contract_id, product, reference, insurer_code, valid_from, status, proration,
    terms)
SELECT 'tap_1', contract_id, product, reference, 'AALAN1', '2024-01-01', 'active', 'none', terms::jsonb
FROM (VALUES
    ('con_h', 'health', 'SANTE1', '[
        {"member_type": "employee", "basis": "fixed", "price_cents": 10000, "valid_from": "2024-01-01",
            "valid_to": "2026-03-31"},
        {"member_type": "employee", "basis": "fixed", "price_cents": 11000, "valid_from": "2026-04-01"},
        {"member_type": "employee", "basis": "fixed", "price_cents": 99900, "valid_from": "2026-05-01"},
        {"member_type": "employee", "basis": "fixed", "price_cents": 15000, "option_code": "PLUS",
            "valid_from": "2024-01-01"}]'),
    ('con_new', 'health', 'SANTE2', '[]'),
    ('con_p', 'provident', 'PREV1', '[
        {"member_type": "employee", "basis": "t1", "rate_ppm": 20000, "valid_from": "2026-04-01"}]'))
    AS c (contract_id, product, reference, terms);

CREATE FUNCTION pg_temp.work(person text, first date DEFAULT '2020-01-01', last date DEFAULT NULL,
    job text DEFAULT NULL)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO payroll.employee (company_id, employee_id, matricule, first_name, last_name)
    VALUES ('tap_1', person, 'M-' || person, 'Anne', 'Nom ' || person) ON CONFLICT DO NOTHING;
    INSERT INTO payroll.employment (company_id, employment_id, employee_id, siret, starts_on, ends_on)
    VALUES ('tap_1', coalesce(job, 'job_' || person), person, '36252187900034', first, last)
$$;
CREATE FUNCTION pg_temp.give(person text, month date, amount bigint, change jsonb DEFAULT '{}') RETURNS void
    LANGUAGE sql AS $$
    INSERT INTO payroll.contribution
    SELECT (jsonb_populate_record(NULL::payroll.contribution, jsonb_build_object(
        'company_id', 'tap_1', 'payroll_month', month, 'invoice_id', 'inv_' || to_char(month, 'MM'),
        'line_id', gen_random_uuid(), 'employment_id', 'job_' || person, 'contract_id', 'con_h', 'member_id',
            'mem_' || person,
        'billing_month', month, 'product', 'health', 'component', 'fixed', 'member_type', 'employee',
        'cover_from', month, 'cover_to', (month + interval '1 month - 1 day')::date, 'kind', 'regular',
        'amount_cents', amount, 'employer_cents', amount / 2, 'employee_cents', amount - amount / 2, 'status', 'ready')
        || change)).*
$$;
CREATE FUNCTION pg_temp.why(person text, month date DEFAULT '2026-04-01') RETURNS text LANGUAGE sql AS $$
    SELECT (SELECT format('%s %s', change_cents, array_to_string(reasons, ' ')) FROM report.month_variance
            WHERE company_id = 'tap_1' AND employee_id = person AND payroll_month = month)
$$;

CREATE PROCEDURE pg_temp.march_and_april() LANGUAGE plpgsql AS $$
DECLARE
    march date := '2026-03-01';
    april date := '2026-04-01';
    of_march jsonb := '{"kind": "regularisation", "cover_from": "2026-03-01", "cover_to": "2026-03-31"}';
    back jsonb := '{"kind": "reversal", "cover_from": "2026-03-01", "cover_to": "2026-03-31"}';
    held jsonb := '{"status": "held", "hold_code": "no_rule"}';
BEGIN
    PERFORM pg_temp.work(p) FROM unnest(ARRAY['same', 'again', 'priced', 'overpriced', 'split', 'plus', 'child',
        'family',
        'moved', 'more', 'pay', 'rate', 'wrongrate', 'fixed', 'undone', 'released', 'relinked', 'held', 'lost', 'joins',
        'stops', 'mid', 'odd', 'both', 'net']) AS p;
    -- nobody's business: as before, or an option that costs the same
    PERFORM pg_temp.give('same', m, 10000) FROM unnest(ARRAY[march, april]) AS m;
    PERFORM pg_temp.give('again', march, 10000, '{"option_code": "A"}');
    PERFORM pg_temp.give('again', april, 10000, '{"option_code": "B"}');

    -- hires: in the month; on the last day of the month before; in the middle of it; told two months late
    PERFORM pg_temp.work('new', '2026-04-07');
    PERFORM pg_temp.give('new', april, 8000, '{"cover_from": "2026-04-07"}');
    PERFORM pg_temp.work('eve', '2026-03-31');
    PERFORM pg_temp.give('eve', april, 10000);
    PERFORM pg_temp.work('half', '2026-03-16');
    PERFORM pg_temp.give('half', march, 5000, '{"cover_from": "2026-03-16"}');
    PERFORM pg_temp.give('half', april, 10000);
    PERFORM pg_temp.work('late', '2026-02-10');
    PERFORM pg_temp.give('late', april, 10000);
    PERFORM pg_temp.give('late', april, 10000, of_march);
    PERFORM pg_temp.give('late', april, 6000, of_march || '{"cover_from": "2026-02-10", "cover_to": "2026-02-28"}');
    -- exits: gone with March; in April; told two months late; out and in again under another contract of employment
    PERFORM pg_temp.work('gone', '2020-01-01', '2026-03-24');
    PERFORM pg_temp.give('gone', march, 10000);
    PERFORM pg_temp.work('leaves', '2020-01-01', '2026-04-12');
    PERFORM pg_temp.give('leaves', march, 10000);
    PERFORM pg_temp.give('leaves', april, 4000, '{"cover_to": "2026-04-12"}');
    PERFORM pg_temp.work('longgone', '2020-01-01', '2026-01-31');
    PERFORM pg_temp.give('longgone', march, 10000);
    PERFORM pg_temp.give('longgone', april, -10000, back);
    PERFORM pg_temp.work('renewed', '2020-01-01', '2026-03-31');
    PERFORM pg_temp.work('renewed', '2026-04-01', NULL, 'job_renewed2');
    PERFORM pg_temp.give('renewed', march, 10000);
    PERFORM pg_temp.give('renewed', april, 11000, '{"employment_id": "job_renewed2"}');

    -- prices
    PERFORM pg_temp.give(p, march, 10000) FROM unnest(ARRAY['priced', 'overpriced', 'split']) AS p;
    PERFORM pg_temp.give('priced', april, 11000);
    PERFORM pg_temp.give('overpriced', april, 12000);
    PERFORM pg_temp.give('split', april, 10000, '{"employer_cents": 6000, "employee_cents": 4000}');
    PERFORM pg_temp.give('plus', march, 10000);
    PERFORM pg_temp.give('plus', april, 15000, '{"option_code": "PLUS"}');
    PERFORM pg_temp.give('child', march, 10000);
    PERFORM pg_temp.give('child', april, 10000);
    PERFORM pg_temp.give('child', april, 3000, '{"member_type": "child"}');
    PERFORM pg_temp.give('family', march, 10000);
    PERFORM pg_temp.give('family', april, 25000, '{"member_type": "family"}');
    PERFORM pg_temp.give('moved', march, 10000);
    PERFORM pg_temp.give('moved', april, 12000, '{"contract_id": "con_new"}');
    PERFORM pg_temp.give('more', m, 10000) FROM unnest(ARRAY[march, april]) AS m;
    PERFORM pg_temp.give('more', april, 4000, '{"contract_id": "con_p", "product": "provident"}');
    -- percentages: other pay, the rate of the contract, and one that the contract does not know
    PERFORM pg_temp.give(p, march, 5000, '{"contract_id": "con_p", "product": "provident", "component": "t1",
                                           "base_cents": 333333}') FROM unnest(ARRAY['pay', 'rate', 'wrongrate']) AS p;
    PERFORM pg_temp.give(p, april, a, jsonb '{"contract_id": "con_p", "product": "provident", "component": "t1"}'
                                      || jsonb_build_object('base_cents', b))
    FROM (VALUES ('pay', 7500, 500000), ('rate', 6667, 333333), ('wrongrate', 7000, 333333)) AS t (p, a, b);

    -- earlier months
    PERFORM pg_temp.give(p, m, 10000) FROM unnest(ARRAY['fixed', 'undone', 'both', 'net']) AS p, unnest(ARRAY[march,
        april]) AS m;
    PERFORM pg_temp.give('fixed', april, 500, of_march);
    PERFORM pg_temp.give('undone', april, -10000, back);
    PERFORM pg_temp.give('both', april, -10000, back);
    PERFORM pg_temp.give('both', april, 9000, of_march);
    PERFORM pg_temp.give('net', april, -10000, back);
    PERFORM pg_temp.give('net', april, 10000, of_march);

    -- held in March for them or for nobody, and no more; held in April, or for a member that nobody knows any more
    PERFORM pg_temp.give('released', march, 10000, held || '{"line_id": "line_r"}');
    PERFORM pg_temp.give('released', april, 10000, of_march || '{"line_id": "line_r"}');
    PERFORM pg_temp.give('released', april, 10000);
    PERFORM pg_temp.give('relinked', march, 10000, held || '{"line_id": "line_l", "employment_id": null}');
    PERFORM pg_temp.give('relinked', april, 10000, of_march || '{"line_id": "line_l"}');
    PERFORM pg_temp.give('relinked', april, 10000);
    PERFORM pg_temp.give('held', march, 10000);
    PERFORM pg_temp.give('held', april, 10000, held);
    PERFORM pg_temp.give('lost', march, 10000);
    PERFORM pg_temp.give('lost', april, 10000, held || '{"employment_id": null}');

    -- cover without a change in employment
    PERFORM pg_temp.give('joins', april, 10000);
    PERFORM pg_temp.give('stops', march, 10000);
    PERFORM pg_temp.give('mid', march, 10000);
    PERFORM pg_temp.give('mid', april, 5000, '{"cover_to": "2026-04-15"}');
    PERFORM pg_temp.give('odd', march, 10000);
    PERFORM pg_temp.give('odd', april, 10001);
    -- fees are nobody's
    PERFORM pg_temp.give('same', april, 4000, '{"employment_id": null, "employer_cents": 4000, "employee_cents": 0}');
END
$$;
CALL pg_temp.march_and_april();

SELECT is(pg_temp.why(person), wanted, person || ': ' || coalesce(wanted, 'not listed'))
FROM (VALUES
    ('same', NULL), ('again', NULL),
    ('new', '8000 hire'), ('eve', '10000 hire'), ('half', '5000 hire'), ('late', '26000 hire regularisation'),
    ('gone', '-10000 exit'), ('leaves', '-6000 exit'), ('longgone', '-20000 exit reversal'), ('renewed',
        '1000 hire exit'),
    ('priced', '1000 price'), ('overpriced', '2000 unexplained'), ('split', '0 share'), ('plus', '5000 option'),
    ('child', '3000 dependants'), ('family', '15000 dependants'), ('moved', '2000 contract'), ('more', '4000 contract'),
    ('pay', '2500 base'), ('rate', '1667 price'), ('wrongrate', '2000 unexplained'),
    ('fixed', '500 regularisation'), ('undone', '-10000 reversal'), ('both', '-1000 reversal regularisation'),
    ('net', '0 reversal regularisation'),
    ('released', '20000 released regularisation'), ('relinked', '20000 released regularisation'),
    ('held', '-10000 held'), ('lost', '-10000 held'),
    ('joins', '10000 cover_start'), ('stops', '-10000 cover_end'), ('mid', '-5000 cover_end'), ('odd', '1 unexplained'))
    AS t (person, wanted);

SELECT is((matricule, last_name, first_name, amount_cents, employer_cents, employee_cents, previous_amount_cents,
           previous_employer_cents, previous_employee_cents, change_cents, employer_change_cents, employee_change_cents,
           regularisation_cents, reversal_cents, reason, reason_fr, reason_en)::text,
          '(M-split,"Nom split",Anne,10000,6000,4000,10000,5000,5000,0,1000,-1000,0,0,share,"nouvelle répartition '
          'entre employeur et salarié","new split between employer and employee")', 'who, how much, how much before')
FROM report.month_variance WHERE company_id = 'tap_1' AND employee_id = 'split' AND payroll_month = '2026-04-01';
SELECT is((regularisation_cents, reversal_cents)::text, '(9000,-10000)', 'what concerns earlier months')
FROM report.month_variance WHERE company_id = 'tap_1' AND employee_id = 'both' AND payroll_month = '2026-04-01';
SELECT is((last_name, amount_cents, previous_amount_cents)::text, '("Nom gone",0,10000)', 'somebody gone has a row')
FROM report.month_variance WHERE company_id = 'tap_1' AND employee_id = 'gone' AND payroll_month = '2026-04-01';
SELECT is((previous_amount_cents, change_cents, reasons)::text, '(,,{first_month})',
          'the first month has nothing to be compared with')
FROM report.month_variance WHERE company_id = 'tap_1' AND employee_id = 'same' AND payroll_month = '2026-03-01';
SELECT is_empty($$SELECT FROM report.month_variance WHERE payroll_month >= '2026-05-01'$$,
                'a month that was not run is not a month without anybody');
SELECT results_eq($$
    SELECT sum(change_cents)::bigint FROM report.month_variance
    WHERE company_id = 'tap_1' AND payroll_month = '2026-04-01'$$, $$
    SELECT (sum(total_cents) FILTER (WHERE payroll_month = '2026-04-01')
            - sum(total_cents) FILTER (WHERE payroll_month = '2026-03-01'))::bigint
    FROM report.contribution_overview WHERE company_id = 'tap_1'$$, 'changes add up to the change of the company');
SELECT is_empty($$
    SELECT unnest(reasons) FROM report.month_variance EXCEPT SELECT reason FROM payroll.variance_reason$$,
                'every reason has its texts');

-- A month in which everything is held leaves out nobody; a month that is missing makes the next a first one.
DO $$BEGIN
    PERFORM pg_temp.give('same', '2026-05-01', 10000, '{"status": "held", "hold_code": "no_rule"}');
    PERFORM pg_temp.give('same', '2026-07-01', 10000);
END$$;
SELECT is(pg_temp.why('same', '2026-05-01'), '-10000 held', 'all is held');
SELECT is(pg_temp.why('joins', '2026-05-01'), '-10000 cover_end', 'and another has nothing at all');
SELECT is(pg_temp.why('same', '2026-07-01'), ' first_month', 'June is missing');

-- A month that was run and gave nobody anything.
INSERT INTO payroll.period (company_id, payroll_month, status)
VALUES ('tap_1', '2026-06-01', 'open'), ('tap_1', '2026-08-01', 'open');
SELECT is(pg_temp.why('same', '2026-07-01'), '10000 cover_start', 'June was run, and was empty');
SELECT is(pg_temp.why('same', '2026-08-01'), '-10000 cover_end', 'August too');
SELECT is(pg_temp.why('same', '2026-06-01'), NULL, 'nobody had anything in May that June could lack');

-- Closed months are what they were when they were closed.
INSERT INTO payroll.closed_row (company_id, payroll_month, line_id, employment_id, employee_id, cover_from, cover_to,
    cover_month, status, kind, invoice_id, invoice_number, billing_month, contract_id, product, component, member_type,
    last_name, amount_cents, employer_cents, employee_cents)
SELECT 'tap_1', '2026-03-01', 'line_c', 'job_same', 'same', '2026-03-01', '2026-03-31', '2026-03-01', 'ready',
    'regular',
    'inv_03', 'F-2026-03', '2026-03-01', 'con_h', 'health', 'fixed', 'employee', 'Nom frozen', 9000, 4500, 4500;
INSERT INTO payroll.period (company_id, payroll_month, status, closed_at, closed_by)
VALUES ('tap_1', '2026-03-01', 'closed', clock_timestamp(), 'marie');
SELECT is(pg_temp.why('same'), '1000 unexplained', 'compared with the frozen month');
SELECT is(pg_temp.why('pay'), '7500 cover_start', 'in which others had nothing');

-- ---- the ledger ----

DO $$BEGIN
    PERFORM pg_temp.work('ledger');
    PERFORM pg_temp.give('ledger', '2026-01-01', 10000, '{"line_id": "l1"}');
    PERFORM pg_temp.give('ledger', '2026-02-01', 10000, '{"line_id": "l2"}');
    PERFORM pg_temp.give('ledger', '2026-02-01', -10000,
        '{"line_id": "l1", "kind": "reversal", "cover_from": "2026-01-01",
        "cover_to": "2026-01-31", "invoice_id": "inv_01", "billing_month": "2026-01-01"}');
    PERFORM pg_temp.give('ledger', '2026-04-01', 501,
        '{"line_id": "l1", "kind": "regularisation", "cover_from": "2026-01-01",
        "cover_to": "2026-01-31", "invoice_id": "inv_01", "billing_month": "2026-01-01"}');
    PERFORM pg_temp.give('ledger', '2026-02-01', 6000,
        '{"line_id": "l3", "contract_id": "con_p", "product": "provident"}');
    PERFORM pg_temp.give('ledger', '2026-02-01', 77, '{"line_id": "l4", "status": "held", "hold_code": "no_rule"}');
END$$;
INSERT INTO payroll.invoice VALUES ('tap_1', 'inv_01', 'F-2026-01', 'invoice', '362521879', '2026-01-01', '2026-01-28',
    NULL, 'EUR', 0, 0, 'issued');
SELECT results_eq($$
    SELECT to_char(payroll_month, 'MM'), contract_reference, invoice_number, line_id, kind, amount_cents,
        employer_cents,
        employee_cents, balance_cents, employer_balance_cents, employee_balance_cents
    FROM report.employee_ledger WHERE company_id = 'tap_1' AND employee_id = 'ledger'$$, $$VALUES
    ('01', 'SANTE1', 'F-2026-01', 'l1', 'regular', 10000::bigint, 5000::bigint, 5000::bigint, 10000::bigint,
        5000::bigint,
        5000::bigint),
    ('02', 'SANTE1', 'F-2026-01', 'l1', 'reversal', -10000, -5000, -5000, 0, 0, 0),
    ('02', 'SANTE1', NULL, 'l2', 'regular', 10000, 5000, 5000, 10000, 5000, 5000),
    ('04', 'SANTE1', 'F-2026-01', 'l1', 'regularisation', 501, 250, 251, 10501, 5250, 5251),
    ('02', 'PREV1', NULL, 'l3', 'regular', 6000, 3000, 3000, 6000, 3000, 3000)$$,
    'line by line, with a balance per contract');
SELECT results_eq($$
    SELECT employee_id, contract_id, sum(amount_cents)::bigint, (array_agg(balance_cents ORDER BY payroll_month DESC,
        cover_from DESC, billing_month DESC, line_id DESC, employment_id DESC))[1]
    FROM report.employee_ledger WHERE company_id = 'tap_1' GROUP BY 1, 2 ORDER BY 1, 2$$, $$
    SELECT employee_id, contract_id, sum(amount_cents)::bigint, sum(amount_cents)::bigint FROM payroll.ready_line
    WHERE company_id = 'tap_1' AND employment_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2$$,
    'every line is in it; the last balance is the sum');
SELECT is(count(*), 1::bigint, 'a closed month as it was closed') FROM report.employee_ledger
WHERE company_id = 'tap_1' AND payroll_month = '2026-03-01' AND (last_name, line_id) = ('Nom frozen', 'line_c');
SELECT is(count(DISTINCT payroll_month), 1::bigint, 'and nothing else of it') FROM report.employee_ledger
WHERE company_id = 'tap_1' AND payroll_month = '2026-03-01';

SELECT * FROM finish();
ROLLBACK;
