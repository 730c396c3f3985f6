-- report.social_treatment and report.journal_entry, and the accounts that the manager chooses.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(70);

DO $$BEGIN
    PERFORM payroll.ensure_partition(m::date)
    FROM generate_series(timestamp '2026-01-01', '2027-01-01', interval '1 month') AS m;
END$$;

INSERT INTO payroll.company (company_id, siren, name, headcount) VALUES
    ('tap_1', '362521879', 'Acme', 11), ('tap_2', '552008443', 'Small', 10), ('tap_3', '443121975', 'Unknown', NULL);
INSERT INTO payroll.contract (company_id, contract_id, product, reference, insurer_code, valid_from, status, proration)
SELECT company_id, contract_id, product, reference, 'AALAN1', '2024-01-01', 'active', 'none'
FROM payroll.company, (VALUES ('con_h', 'health', 'SANTE0000000001'), ('con_p', 'provident', 'PREV0000000001'))
    AS c (contract_id, product, reference)
WHERE company_id LIKE 'tap\_%';

-- A line of a person's own employment, which is made with it.
CREATE FUNCTION pg_temp.give(company text, person text, month date, contract text, employer bigint, employee bigint,
                             change jsonb DEFAULT '{}')
RETURNS void LANGUAGE sql AS $$
    INSERT INTO payroll.employee (company_id, employee_id, matricule, first_name, last_name)
    SELECT company, person, 'M' || person, 'Anne', 'Nom ' || person WHERE change ->> 'employment_id' IS NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO payroll.employment (company_id, employment_id, employee_id, siret, starts_on)
    SELECT company, 'job_' || person, person, '36252187900034', '2024-01-01' WHERE change ->> 'employment_id' IS NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO payroll.contribution
    SELECT (jsonb_populate_record(NULL::payroll.contribution, jsonb_build_object(
        'company_id', company, 'payroll_month', month, 'invoice_id', 'inv_' || to_char(month, 'MM'),
        'line_id', gen_random_uuid(), 'employment_id', 'job_' || person, 'contract_id', contract,
        'billing_month', month, 'product', CASE contract WHEN 'con_h' THEN 'health' ELSE 'provident' END,
        'component', 'fixed', 'member_type', 'employee', 'cover_from', month,
        'cover_to', (month + interval '1 month - 1 day')::date, 'kind', 'regular', 'amount_cents', employer + employee,
        'employer_cents', employer, 'employee_cents', employee, 'status', 'ready') || change)).*
$$;
CREATE FUNCTION pg_temp.pay(company text, person text, first date, last date,
    gross bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO payroll.pay_base (company_id, employment_id, month, gross_cents)
    SELECT company, 'job_' || person, m::date, gross FROM generate_series(first::timestamp, last,
        interval '1 month') AS m
$$;
CREATE FUNCTION pg_temp.treatment(person text, month date) RETURNS report.social_treatment LANGUAGE sql AS $$
    SELECT * FROM report.social_treatment WHERE company_id LIKE 'tap\_%' AND employee_id = person
        AND payroll_month = month
$$;

-- ---- what the shares of a month set off ----

DO $$BEGIN
    PERFORM pg_temp.give('tap_1', 'both', '2026-01-01', 'con_h', 2500, 1000);
    PERFORM pg_temp.give('tap_1', 'both', '2026-01-01', 'con_p', 2201, 0);
    PERFORM pg_temp.give('tap_1', 'one', '2026-01-01', 'con_h', 5855, 5855);
    PERFORM pg_temp.give('tap_2', 'small', '2026-01-01', 'con_h', 5855, 5855);
    PERFORM pg_temp.give('tap_3', 'unknown', '2026-01-01', 'con_h', 5855, 5855);
    PERFORM pg_temp.give('tap_1', 'late', '2027-01-01', 'con_h', 5855, 5855);
    -- what was given wrongly in December is taken back in January
    PERFORM pg_temp.give('tap_1', 'back', '2026-01-01', 'con_h', 7026, 4684);
    PERFORM pg_temp.give('tap_1', 'back', '2026-01-01', 'con_h', -7026, -4684,
                         '{"kind": "reversal", "cover_from": "2025-12-01", "cover_to": "2025-12-31"}');
    -- neither held money nor fees
    PERFORM pg_temp.give('tap_1', 'one', '2026-01-01', 'con_h', 700, 0, '{"status": "held", "hold_code": "no_rule"}');
    PERFORM pg_temp.give('tap_1', 'one', '2026-01-01', 'con_h', 900, 0, '{"employment_id": null}');
END$$;
SELECT is((csg_base_cents, taxable_addback_cents, forfait_social_cents)::text, '(4701,2500,376)',
          'health 25.00 and provident 22.01: forfait social 3.76') FROM pg_temp.treatment('both', '2026-01-01');
SELECT is((csg_base_cents, taxable_addback_cents, forfait_social_cents)::text, '(5855,5855,468)',
          '58.55: 4.68; held money and fees set nothing off') FROM pg_temp.treatment('one', '2026-01-01');
SELECT is(forfait_social_cents, 0::bigint, 'ten staff: none') FROM pg_temp.treatment('small', '2026-01-01');
SELECT is((forfait_social_cents, forfait_social_note)::text, '(,"headcount of the company not known")',
          'staff unknown: null, and why') FROM pg_temp.treatment('unknown', '2026-01-01');
SELECT is((forfait_social_cents, forfait_social_note)::text,
          '(,"no rate known for 2027-01: add it to payroll.social_rate")', 'a year without a rate: null, and why')
FROM pg_temp.treatment('late', '2027-01-01');
SELECT is((csg_base_cents, taxable_addback_cents, forfait_social_cents)::text, '(0,0,0)',
          'what is taken back sets off nothing') FROM pg_temp.treatment('back', '2026-01-01');
SELECT is_empty($$
    SELECT FROM report.social_treatment AS t
    JOIN (SELECT company_id, payroll_month, employee_id, sum(csg_base_cents) AS csg,
        sum(taxable_addback_cents) AS taxable,
              sum(forfait_social_cents) AS forfait FROM report.payroll_ready GROUP BY 1, 2, 3) AS r
        USING (company_id, payroll_month, employee_id)
    WHERE (t.csg_base_cents, t.taxable_addback_cents, t.forfait_social_cents) IS DISTINCT FROM (csg, taxable, forfait)
    $$, 'every figure is the sum of those of payroll_ready');

-- ---- yearly ceilings ----

-- The shares of the year far above every limit; the pay of the year in January, nothing after.
CREATE TEMP TABLE ceiling (person text, gross bigint, exempt bigint, tax bigint);
INSERT INTO ceiling VALUES ('c30', 3000000, 333360, 300300), ('cpass', 4806000, 360450, 336420),
    ('c2pass', 9612000, 432540, 432540), ('c200', 20000000, 576720, 640300), ('odd', 33, 288360, 240301);
DO $$BEGIN
    PERFORM pg_temp.give('tap_1', person, '2026-01-01', 'con_h', 600000, 100000) FROM ceiling;
    PERFORM pg_temp.give('tap_1', person, '2026-01-01', 'con_p', 100000, 700000) FROM ceiling;
    PERFORM pg_temp.pay('tap_1', person, '2026-01-01', '2026-01-01', gross) FROM ceiling;
END$$;
SELECT is(t.exemption_ceiling_cents, c.exempt, 'exempt from contributions, gross ' || c.gross)
FROM ceiling AS c, pg_temp.treatment(c.person, '2026-01-01') AS t ORDER BY c.gross;
SELECT is(t.tax_ceiling_cents, c.tax, 'exempt from tax, gross ' || c.gross)
FROM ceiling AS c, pg_temp.treatment(c.person, '2026-01-01') AS t ORDER BY c.gross;
SELECT is(t.exemption_excess_cents, 700000 - c.exempt, 'the rest is pay, gross ' || c.gross)
FROM ceiling AS c, pg_temp.treatment(c.person, '2026-01-01') AS t ORDER BY c.gross;
SELECT is(t.tax_excess_cents, 900000 - c.tax, 'the rest is taxable, gross ' || c.gross)
FROM ceiling AS c, pg_temp.treatment(c.person, '2026-01-01') AS t ORDER BY c.gross;

-- Month after month: 600.00 of employer's share, gross 2,000.00.
DO $$BEGIN
    PERFORM pg_temp.give('tap_1', 'year', m::date, 'con_h', 60000, 0)
    FROM generate_series(timestamp '2026-01-01', '2026-12-01', interval '1 month') AS m;
    PERFORM pg_temp.pay('tap_1', 'year', '2025-12-01', '2026-12-01', 200000);
    PERFORM pg_temp.give('tap_1', 'year', '2027-01-01', 'con_h', 60000, 0);
END$$;
SELECT results_eq($$
    SELECT to_char(payroll_month, 'MM'), year_gross_cents, exemption_used_cents, exemption_ceiling_cents,
        exemption_excess_cents
    FROM report.social_treatment WHERE company_id = 'tap_1' AND employee_id = 'year'
        AND payroll_month IN ('2026-01-01', '2026-05-01', '2026-06-01', '2026-12-01') ORDER BY 1$$, $$VALUES
    ('01', 200000::bigint, 60000::bigint, 291360::bigint, 0::bigint), ('05', 1000000, 300000, 303360, 0),
    ('06', 1200000, 360000, 306360, 53640), ('12', 2400000, 720000, 324360, 395640)$$,
    'from January on, by the pay of the year so far and the whole PASS');
SELECT is((year_gross_cents, exemption_used_cents, exemption_ceiling_cents, exemption_excess_cents, ceiling_note)::text,
          '(,60000,,,"no PASS known for 2027: add it to payroll.social_ceiling")',
          'a new year begins at nothing; without figures it is null, and why')
FROM pg_temp.treatment('year', '2027-01-01');
INSERT INTO payroll.social_ceiling VALUES ('2027-01-01', '2027-12-31', 5000000, 'a later decree');
SELECT is(ceiling_note, 'no limit known for 2027-01: add it to payroll.exemption_limit', 'the limits are dated too')
FROM pg_temp.treatment('year', '2027-01-01');
INSERT INTO payroll.exemption_limit VALUES
    ('contributions', '2027-01-01', '2027-12-31', 100000, 0, 120000, 'a later law'),
    ('income_tax', '2027-01-01', '2027-12-31', 100000, 0, 120000, 'a later law');
SELECT is(ceiling_note, 'pay of 2027-01 not known', 'then pay is missing') FROM pg_temp.treatment('year', '2027-01-01');
SELECT is((tax_ceiling_cents, tax_excess_cents)::text, '(,)', 'which leaves both null')
FROM pg_temp.treatment('year', '2027-01-01');
DO $$BEGIN PERFORM pg_temp.pay('tap_1', 'year', '2027-01-01', '2027-01-01', 1); END$$;
SELECT is((exemption_ceiling_cents, exemption_excess_cents, ceiling_note)::text, '(500000,0,)', 'and comes')
FROM pg_temp.treatment('year', '2027-01-01');

-- Months without pay; those before the hire do not count.
DO $$BEGIN
    PERFORM pg_temp.give('tap_1', 'gap', m, 'con_h', 60000, 0)
    FROM unnest(ARRAY['2026-03-01', '2026-05-01']::date[]) AS m;
    UPDATE payroll.employment SET starts_on = '2026-03-17', ends_on = '2026-05-02' WHERE employment_id = 'job_gap';
    PERFORM pg_temp.pay('tap_1', 'gap', '2026-03-01', '2026-03-01', 100000);
    PERFORM pg_temp.pay('tap_1', 'gap', '2026-05-01', '2026-05-01', 100000);
END$$;
SELECT is((exemption_ceiling_cents, ceiling_note)::text, '(289860,)', 'hired in March')
FROM pg_temp.treatment('gap', '2026-03-01');
SELECT is((exemption_ceiling_cents, exemption_excess_cents, ceiling_note)::text,
          '(291360,0,"incomplete: pay of 2026-04 not known")', 'April, in which nothing was given, is left out in May')
FROM pg_temp.treatment('gap', '2026-05-01');
DO $$BEGIN PERFORM pg_temp.give('tap_1', 'gap', '2026-04-01', 'con_h', 1, 0); END$$;
SELECT is((exemption_ceiling_cents, exemption_excess_cents, ceiling_note)::text, '(,,"pay of 2026-04 not known")',
          'when something was, nothing is said') FROM pg_temp.treatment('gap', '2026-05-01');
DO $$BEGIN PERFORM pg_temp.pay('tap_1', 'gap', '2026-04-01', '2026-04-01', 100000); END$$;
SELECT is((year_gross_cents, exemption_used_cents, exemption_ceiling_cents)::text, '(300000,120001,292860)',
          'with April') FROM pg_temp.treatment('gap', '2026-05-01');
DELETE FROM payroll.employment WHERE company_id = 'tap_1' AND employment_id = 'job_gap';
SELECT is(array_agg(ceiling_note), array_fill('contract of employment not known'::text, ARRAY[3]),
          'without the contract of employment nobody''s')
FROM report.social_treatment WHERE company_id = 'tap_1' AND employee_id IS NULL;
SELECT is_empty($$
    SELECT FROM report.social_treatment
    WHERE num_nulls(exemption_ceiling_cents, exemption_excess_cents, tax_ceiling_cents, tax_excess_cents)
        NOT IN (0, 4) OR (exemption_ceiling_cents IS NULL) <> coalesce(ceiling_note NOT LIKE 'incomplete%', false)
        OR (forfait_social_cents IS NULL) <> (forfait_social_note IS NOT NULL)$$,
            'null exactly where a note tells why');
SELECT results_eq($$
    SELECT extract(year FROM valid_from)::integer, annual_cents FROM payroll.social_ceiling
    WHERE valid_from < '2027-01-01' ORDER BY 1$$, $$VALUES
    (2019, 4052400::bigint), (2020, 4113600), (2021, 4113600), (2022, 4113600), (2023, 4399200), (2024, 4636800),
    (2025, 4710000), (2026, 4806000)$$, 'the PASS of each year');

\set pmss `sed -n 's/^PMSS(\([0-9]*\), \([0-9]*\))$/(\1, \2)/p' common/pmss.def | paste -sd,`
SELECT is_empty($$SELECT extract(year FROM valid_from)::integer AS year, (annual_cents / 12)::integer AS cents
    FROM payroll.social_ceiling WHERE valid_from < '2027-01-01' EXCEPT $$ || $$VALUES $$ || :'pmss',
    'twelve times the PMSS that premiums are reckoned with');

-- ---- the journal ----

INSERT INTO payroll.company (company_id, siren, name) VALUES ('book', '404833048', 'Livres');
INSERT INTO payroll.contract (company_id, contract_id, product, reference, insurer_code, valid_from, status, proration)
VALUES ('book', 'con_h', 'health', E'SANTE|\t1', 'AALAN1', '2024-01-01', 'active', 'none'),
    ('book', 'con_p', 'provident', 'PREV1', 'AALAN1', '2024-01-01', 'active', 'none');
INSERT INTO payroll.invoice (company_id, invoice_id, number, type, siren, billing_month, issued_on, currency,
    total_cents, line_count, status)
SELECT 'book', 'inv_' || n, 'F-2026-' || n, 'invoice', '404833048', ('2026-' || n || '-01')::date,
    ('2026-' || n || '-28')::date, 'EUR', 0, 0, 'issued' FROM unnest(ARRAY['03', '04']) AS n;
DO $$BEGIN
    PERFORM pg_temp.give('book', 'one', '2026-04-01', 'con_h', 7026, 4684);
    PERFORM pg_temp.give('book', 'two', '2026-04-01', 'con_h', 123456789, 1);
    PERFORM pg_temp.give('book', 'one', '2026-04-01', 'con_p', 6008, 0);
    -- a correction of March, mostly negative
    PERFORM pg_temp.give('book', 'one', '2026-04-01', 'con_h', -5, -7,
        '{"invoice_id": "inv_03", "kind": "regularisation"}');
    -- fees with their product and without, held money, and a line taken back in the month that gives it
    PERFORM pg_temp.give('book', 'one', '2026-04-01', 'con_h', 500, 0, '{"employment_id": null}');
    PERFORM pg_temp.give('book', 'one', '2026-04-01', 'con_x', 40, 0, '{"employment_id": null, "product": null}');
    PERFORM pg_temp.give('book', 'one', '2026-04-01', 'con_h', 60, 40, '{"status": "held", "hold_code": "no_rule"}');
    PERFORM pg_temp.give('book', 'one', '2026-04-01', 'con_z', 60, 40);
    PERFORM pg_temp.give('book', 'one', '2026-04-01', 'con_z', -60, -40);
    PERFORM pg_temp.give('book', 'one', '2026-05-01', 'con_p', 100, -100);
END$$;
CREATE VIEW pg_temp.journal AS SELECT * FROM report.journal_entry WHERE company_id = 'book';
SELECT columns_are('report', 'journal_entry', ARRAY['company_id', 'payroll_month', 'JournalCode', 'JournalLib',
    'EcritureNum', 'EcritureDate', 'CompteNum', 'CompteLib', 'CompAuxNum', 'CompAuxLib', 'PieceRef', 'PieceDate',
    'EcritureLib', 'Debit', 'Credit', 'EcritureLet', 'DateLet', 'ValidDate', 'Montantdevise', 'Idevise'],
        'the columns');
SELECT is(array_agg(attname::text ORDER BY attnum), ARRAY['company_id', 'payroll_month', 'JournalCode', 'JournalLib',
    'EcritureNum', 'EcritureDate', 'CompteNum', 'CompteLib', 'CompAuxNum', 'CompAuxLib', 'PieceRef', 'PieceDate',
    'EcritureLib', 'Debit', 'Credit', 'EcritureLet', 'DateLet', 'ValidDate', 'Montantdevise', 'Idevise'],
        'in the order of the FEC')
FROM pg_attribute WHERE attrelid = 'report.journal_entry'::regclass AND attnum > 0;
SELECT results_eq($$
    SELECT "JournalCode", "EcritureNum", "EcritureDate", "CompteNum", "PieceRef", "PieceDate", "EcritureLib", "Debit",
        "Credit", "ValidDate"
    FROM pg_temp.journal WHERE payroll_month = '2026-04-01'$$, $$VALUES
    ('PAIE', '2026-000001', '20260430', '6452', 'F-2026-03', '20260328', 'Mutuelle SANTE  1, paie 04/2026', '0,00',
        '0,05', NULL),
    ('PAIE', '2026-000001', '20260430', '421', 'F-2026-03', '20260328', 'Mutuelle SANTE  1, paie 04/2026', '0,00',
        '0,07', NULL),
    ('PAIE', '2026-000001', '20260430', '4372', 'F-2026-03', '20260328', 'Mutuelle SANTE  1, paie 04/2026', '0,12',
        '0,00', NULL),
    ('PAIE', '2026-000002', '20260430', '6452', 'F-2026-04', '20260428', 'Mutuelle SANTE  1, paie 04/2026',
        '1234638,15', '0,00', NULL),
    ('PAIE', '2026-000002', '20260430', '6228', 'F-2026-04', '20260428', 'Mutuelle SANTE  1, paie 04/2026', '5,00',
        '0,00', NULL),
    ('PAIE', '2026-000002', '20260430', '421', 'F-2026-04', '20260428', 'Mutuelle SANTE  1, paie 04/2026', '46,85',
        '0,00', NULL),
    ('PAIE', '2026-000002', '20260430', '4372', 'F-2026-04', '20260428', 'Mutuelle SANTE  1, paie 04/2026', '0,00',
        '1234690,00', NULL),
    ('PAIE', '2026-000003', '20260430', '6453', 'F-2026-04', '20260428', 'Prévoyance PREV1, paie 04/2026', '60,08',
        '0,00', NULL),
    ('PAIE', '2026-000003', '20260430', '4372', 'F-2026-04', '20260428', 'Prévoyance PREV1, paie 04/2026', '0,00',
        '60,08', NULL),
    ('PAIE', '2026-000004', '20260430', '6228', 'F-2026-04', '20260428', 'Alan con_x, paie 04/2026', '0,40', '0,00',
        NULL),
    ('PAIE', '2026-000004', '20260430', '4372', 'F-2026-04', '20260428', 'Alan con_x, paie 04/2026', '0,00', '0,40',
        NULL)$$,
    'one entry per invoice and contract; negative amounts change sides; no entry for what comes to nothing');
SELECT results_eq($$
    SELECT "EcritureNum", "CompteNum", "PieceRef", "PieceDate", "Debit", "Credit" FROM pg_temp.journal
    WHERE payroll_month = '2026-05-01'$$, $$VALUES
    ('2026-000005', '6453', 'inv_05', NULL, '1,00', '0,00'), ('2026-000005', '421', 'inv_05', NULL, '0,00', '1,00')$$,
    'numbers go on in the next month; shares that offset each other owe nothing; an invoice that is gone has no date');
CREATE FUNCTION pg_temp.cents(amount text) RETURNS numeric LANGUAGE sql AS $$SELECT replace(amount, ',', '')::numeric$$;
SELECT is_empty($$
    SELECT company_id, payroll_month, "EcritureNum" FROM report.journal_entry GROUP BY 1, 2, 3
    HAVING sum(pg_temp.cents("Debit")) <> sum(pg_temp.cents("Credit"))$$, 'every entry is balanced');
SELECT is_empty($$
    SELECT FROM report.journal_entry WHERE "Debit" !~ '^[0-9]+,[0-9]{2}$' OR "Credit" !~ '^[0-9]+,[0-9]{2}$'
        OR ("Debit" = '0,00') = ("Credit" = '0,00')$$, 'one side of each line is nothing, none is negative');
SELECT is_empty($$
    SELECT * FROM (SELECT company_id, payroll_month, sum(amount_cents) AS cents FROM payroll.ready_line GROUP BY 1,
        2) AS r
    FULL JOIN (SELECT company_id, payroll_month, sum(pg_temp.cents("Credit") - pg_temp.cents("Debit"))
                   FILTER (WHERE "CompteNum" = '4372') AS owed
               FROM report.journal_entry GROUP BY 1, 2) AS j USING (company_id, payroll_month)
    WHERE coalesce(cents, 0) <> coalesce(owed, 0)$$, 'what is owed to Alan is what was given out and the fees');

-- ---- accounts ----

SELECT matches(payroll.set_account(NULL, 'payable', '467', 'Alan', 'our own plan'),
               'account 467 is that of payable for every company without its own', 'an account for all');
SELECT matches(payroll.set_account('book', 'payable', '4372ALAN', 'Alan, mutuelle', 'our own plan'), 'for company book',
               'and one of a company');
SELECT matches(payroll.set_account('book', 'payable', '4372ALAN', ' Alan, mutuelle ', 'again'), 'already',
               'twice is once');
SELECT is(count(*), 2::bigint, 'and leaves one row') FROM payroll.account WHERE note <> 'default' AND kind = 'payable';
DO $$BEGIN PERFORM payroll.set_account('book', 'journal', 'OD', 'Opérations diverses', 'our own plan'); END$$;
SELECT is(array_agg(DISTINCT ("JournalCode", "JournalLib", "CompteNum", "CompteLib")::text),
          ARRAY['(OD,"Opérations diverses",4372ALAN,"Alan, mutuelle")'], 'the company''s own goes before')
FROM pg_temp.journal WHERE "CompteLib" LIKE 'Alan%';
SELECT is(count(*) > 0, true, 'the others have that of all') FROM report.journal_entry
WHERE company_id = 'tap_1' AND "CompteNum" = '467' AND "JournalCode" = 'PAIE';

-- A month closed before an account was changed keeps it, and says since when it is final.
INSERT INTO payroll.closed_row (company_id, payroll_month, line_id, employment_id, cover_from, cover_to, cover_month,
    status, kind, invoice_id, invoice_number, billing_month, contract_id, product, contract_reference, component,
        member_type,
    amount_cents, employer_cents, employee_cents)
VALUES ('book', '2026-04-01', 'line', 'job_one', '2026-04-01', '2026-04-30', '2026-04-01', 'ready', 'regular',
    'inv_04', 'F-2026-04',
    '2026-04-01', 'con_h', 'health', 'AS CLOSED', 'fixed', 'employee', 100, 60, 40);
INSERT INTO payroll.period (company_id, payroll_month, status, closed_at, closed_by)
VALUES ('book', '2026-04-01', 'closed', clock_timestamp(), 'marie');
DO $$BEGIN PERFORM payroll.set_account('book', 'payable', '4379', 'Autres organismes', 'changed our mind'); END$$;
DO $$BEGIN PERFORM payroll.set_account('book', 'employee', '4210', 'Personnel', 'changed our mind'); END$$;
SELECT results_eq($$
    SELECT "CompteNum", "EcritureLib", "Debit", "Credit", "ValidDate" = to_char(now(), 'YYYYMMDD')
        OR "ValidDate" = to_char(now() AT TIME ZONE 'Europe/Paris', 'YYYYMMDD')
    FROM pg_temp.journal WHERE payroll_month = '2026-04-01'$$, $$VALUES
    ('6452', 'Mutuelle AS CLOSED, paie 04/2026', '0,60', '0,00', true),
    ('421', 'Mutuelle AS CLOSED, paie 04/2026', '0,40', '0,00', true),
    ('4372ALAN', 'Mutuelle AS CLOSED, paie 04/2026', '0,00', '1,00', true)$$, 'a closed month stays as it was closed');
SELECT is(array_agg("CompteNum" ORDER BY "CompteNum"), ARRAY['4210', '6453'], 'an open one follows')
FROM pg_temp.journal WHERE payroll_month = '2026-05-01';

SELECT throws_ok(format('SELECT payroll.set_account(%s)', call), sqlstate, NULL, 'refused: ' || call) FROM (VALUES
    ('P0002', $$'nobody', 'payable', '467', 'Alan', 'why'$$),
    ('22023', $$'book', 'payables', '467', 'Alan', 'why'$$),
    ('22023', $$'book', NULL, '467', 'Alan', 'why'$$),
    ('22023', $$'book', 'payable', '46', 'Alan', 'why'$$),
    ('22023', $$'book', 'payable', NULL, 'Alan', 'why'$$),
    ('22023', $$'book', 'payable', 'PAIE', 'Alan', 'why'$$),
    ('22023', $$'book', 'journal', 'od', 'Alan', 'why'$$),
    ('22023', $$'book', 'payable', '467', E'Al\tan', 'why'$$),
    ('22023', $$'book', 'payable', '467', 'Al|an', 'why'$$),
    ('22023', $$'book', 'payable', '467', NULL, 'why'$$),
    ('22023', $$'book', 'payable', '467', 'Alan', ' '$$)) AS c (sqlstate, call);
SELECT is((account, recorded_by, ended_at IS NULL)::text, format('(4379,%s,t)', session_user),
    'who, when and why are kept')
FROM payroll.account WHERE company_id = 'book' AND kind = 'payable' AND ended_at IS NULL;
SET ROLE payroll_manager;
SELECT matches(payroll.set_account('tap_1', 'fee', '6278', 'Frais', 'why'), 'open|not closed', 'the manager chooses');
RESET ROLE;

-- A source may give an end before the beginning: it blinds nobody.
INSERT INTO payroll.employment (company_id, employment_id, employee_id, siret, starts_on, ends_on)
SELECT company_id, 'job_reversed', employee_id, '36252187900034', '2026-05-04', '2026-03-31'
FROM payroll.employee WHERE company_id = 'tap_1' AND employee_id = 'year';
SELECT lives_ok('SELECT count(t::text) FROM report.social_treatment AS t', 'an employment that ends before it begins');

SELECT * FROM finish();
ROLLBACK;
