-- What is wrong now, how to put it right, and the call that does where there is one.

CREATE OR REPLACE VIEW report.discrepancy_inbox WITH (security_invoker = true) AS
SELECT
    d.id,
    d.company_id,
    d.payroll_month,
    d.code,
    d.severity,
    d.step,
    d.status,
    d.subject_type,
    d.subject_id,
    n.employee,
    d.employee_id,
    d.employment_id,
    n.member,
    d.member_id,
    n.contract,
    d.contract_id,
    n.invoice,
    d.invoice_id,
    d.line_id,
    d.side,
    d.cover_month,
    d.expected_cents,
    d.actual_cents,
    d.delta_cents,
    d.expected,
    d.actual,
    d.line_count,
    d.held_cents,
    payroll.render(k.title_fr, v.fr) AS title_fr,
    payroll.render(k.title_en, v.en) AS title_en,
    payroll.render(k.remedy_fr, v.fr) AS remedy_fr,
    payroll.render(k.remedy_en, v.en) AS remedy_en,
    CASE
        -- A link decides for somebody whom numbers leave unmatched: the person named, or else the best candidate.
        WHEN d.code IN ('member_not_in_payroll', 'nir_mismatch')
             AND d.member_id IS NOT NULL AND coalesce(b.matched_by, 'none') = 'none' AND w.employee_id IS NOT NULL
        THEN format('SELECT payroll.link_member(%L, %L, %L, %L);', d.company_id, d.member_id, w.employee_id,
                    'discrepancy ' || d.id || ': the same person')
        -- The ground and the first day are Alan's where Alan holds a dispense without proof.
        WHEN d.code IN ('employee_not_at_insurer', 'assigned_not_affiliated', 'no_contract_assigned',
                        'dispense_expired', 'dispense_unproven') AND w.employee_id IS NOT NULL
        THEN CASE WHEN d.code = 'dispense_unproven' AND o.recorded THEN
                      format('SELECT payroll.end_dispense(%L, %L, %L, %L); ', d.company_id, w.employee_id,
                             o.valid_from - 1, 'discrepancy ' || d.id || ': recorded again with its proof')
                  ELSE '' END
             || format('SELECT payroll.record_dispense(%L, %L, %L, %L, %L, %L, %L);', d.company_id, w.employee_id,
                       coalesce(CASE d.code WHEN 'dispense_expired' THEN d.expected
                                            WHEN 'dispense_unproven' THEN d.actual END, '<ground>'),
                       CASE WHEN d.code = 'dispense_expired' AND d.actual ~ '^\d{4}-\d\d-\d\d$' THEN d.actual::date + 1
                            ELSE coalesce(o.valid_from, greatest(m.starts_on, d.payroll_month)) END,
                       CASE d.code WHEN 'dispense_unproven' THEN o.valid_to END, '<proof>', 'discrepancy ' || d.id)
        -- A dispense recorded here that no longer applies; Alan's and payroll's are ended there.
        WHEN d.code IN ('exempt_but_billed', 'exempt_but_affiliated') AND o.recorded
        THEN format('SELECT payroll.end_dispense(%L, %L, %L, %L);', d.company_id, w.employee_id,
                    greatest(o.valid_from, coalesce(d.cover_month, d.payroll_month)) - 1, 'discrepancy ' || d.id)
        -- Nothing to put right once somebody knows why.
        WHEN d.code IN ('adjustment_without_original', 'amount_jump', 'retroactive_adjustment')
        THEN format('SELECT payroll.accept_discrepancy(%s, %L);', d.id, '<why>')
    END AS call,
    d.candidates,
    d.first_seen_at,
    greatest(d.last_seen_at, r.seen_at) AS last_seen_at,
    -- Whole numbers as report.identity_check gives them, and to whom.
    CASE WHEN has_column_privilege('payroll.member'::regclass, 'nir', 'SELECT')
         THEN payroll.member_nir(d.company_id, w.member_id)
         ELSE (SELECT x.nir_masked FROM payroll.member AS x
               WHERE x.company_id = d.company_id AND x.member_id = w.member_id)
    END AS alan_nir,
    CASE WHEN has_column_privilege('payroll.employee'::regclass, 'nir', 'SELECT')
         THEN payroll.employee_nir(d.company_id, w.employee_id)
         ELSE (SELECT x.nir_masked FROM payroll.employee AS x
               WHERE x.company_id = d.company_id AND x.employee_id = w.employee_id)
    END AS payroll_nir,
    CASE WHEN has_column_privilege('payroll.employee'::regclass, 'ntt', 'SELECT')
         THEN payroll.employee_ntt(d.company_id, w.employee_id)
         ELSE (SELECT x.ntt_masked FROM payroll.employee AS x
               WHERE x.company_id = d.company_id AND x.employee_id = w.employee_id)
    END AS payroll_ntt,
    (SELECT s.synced_at FROM payroll.source_sync AS s WHERE s.company_id = d.company_id AND s.source = 'alan')
        AS alan_synced_at,
    (SELECT s.synced_at FROM payroll.source_sync AS s WHERE s.company_id = d.company_id AND s.source = 'payroll')
        AS payroll_synced_at,
    CASE WHEN w.member_id IS NOT NULL OR w.employee_id IS NOT NULL THEN coalesce((
        SELECT string_agg(concat_ws(' ', a.status, coalesce(x.reference, a.contract_id), a.option_code,
                                    a.population_code, a.starts_on || '..' || coalesce(a.ends_on::text, '')),
                          ', ' ORDER BY a.starts_on DESC, a.affiliation_id)
        FROM payroll.affiliation AS a
        LEFT JOIN payroll.contract AS x ON x.company_id = a.company_id AND x.contract_id = a.contract_id
        WHERE a.company_id = d.company_id AND a.member_id = w.member_id), 'none')
    END AS alan_affiliation,
    CASE WHEN w.employee_id IS NOT NULL THEN coalesce((
        SELECT string_agg(DISTINCT concat_ws(' ', x.reference, x.option_code, x.population_code), ', ')
        FROM payroll.employment AS j
        JOIN payroll.payroll_contract AS x ON x.company_id = j.company_id
            AND (x.payroll_contract_id = ANY (j.health_contract_ids || j.provident_contract_ids)
                 -- payroll may say it of the contract alone, in a long list: only where it must be there
                 OR d.code IN ('employee_not_at_insurer', 'assigned_not_affiliated') AND j.health_contract_ids = '{}'
                    AND j.employment_id = ANY (x.employment_ids))
        WHERE j.company_id = d.company_id AND j.employee_id = w.employee_id
            AND (j.employment_id = d.employment_id OR d.employment_id IS NULL)), 'none')
    END AS payroll_assignment,
    CASE WHEN w.employee_id IS NOT NULL THEN coalesce((
        SELECT string_agg(z.text, ', ' ORDER BY z.place, z.text)
        FROM (
            SELECT 1 AS place,
                   concat_ws(' ', x.ground, x.valid_from || '..' || coalesce(x.valid_to::text, ''), 'recorded here',
                             coalesce('(' || x.proof || ')', '(no proof)')) AS text
            FROM payroll.dispense AS x
            WHERE x.company_id = d.company_id AND x.employee_id = w.employee_id AND x.ended_at IS NULL
            UNION ALL
            SELECT 2,
                   concat_ws(' ', a.exemption_ground, coalesce(a.exemption_from, a.starts_on) || '..'
                             || coalesce(coalesce(a.exemption_to, a.ends_on)::text, ''), 'at Alan',
                             coalesce('(' || a.exemption_proof || ')', '(no proof)'))
            FROM payroll.affiliation AS a
            WHERE a.company_id = d.company_id AND a.member_id = w.member_id AND a.status = 'exempt'
            UNION ALL
            SELECT 3, 'marked exempt in payroll'
            WHERE EXISTS (SELECT FROM payroll.employment AS j
                          WHERE j.company_id = d.company_id AND j.employee_id = w.employee_id AND j.exempt
                              AND (j.employment_id = d.employment_id OR d.employment_id IS NULL))
        ) AS z), 'none')
    END AS dispense
FROM payroll.discrepancy AS d
JOIN payroll.discrepancy_code AS k ON k.code = d.code
LEFT JOIN pipeline.month_read AS r ON r.company_id = d.company_id AND r.payroll_month = d.payroll_month
LEFT JOIN payroll.company AS y ON y.company_id = d.company_id
LEFT JOIN payroll.employment AS m ON m.company_id = d.company_id AND m.employment_id = d.employment_id
LEFT JOIN payroll.employee AS e
    ON e.company_id = d.company_id AND e.employee_id = coalesce(d.employee_id, m.employee_id)
LEFT JOIN payroll.member AS b ON b.company_id = d.company_id AND b.member_id = d.member_id
LEFT JOIN payroll.contract AS c ON c.company_id = d.company_id AND c.contract_id = d.contract_id
LEFT JOIN payroll.payroll_contract AS p
    ON p.company_id = d.company_id AND p.payroll_contract_id = d.contract_id
LEFT JOIN payroll.invoice AS i ON i.company_id = d.company_id AND i.invoice_id = d.invoice_id
-- OFFSET 0 has each value made once, not once for every text that holds it.
-- Who it is on both sides: the person named, or else the best candidate.
CROSS JOIN LATERAL (
    SELECT
        coalesce(d.employee_id, m.employee_id, b.employee_id, d.candidates -> 0 ->> 'employee_id') AS employee_id,
        coalesce(d.member_id, (SELECT min(x.member_id) FROM payroll.member AS x
                               WHERE x.company_id = d.company_id
                                   AND x.employee_id = coalesce(d.employee_id, m.employee_id))) AS member_id
    OFFSET 0
) AS w
CROSS JOIN LATERAL (
    SELECT
        payroll.person_name(e.first_name, e.last_name, coalesce(e.matricule, e.employee_id)) AS employee,
        payroll.person_name(b.first_name, b.last_name, coalesce(b.member_id, d.member_id)) AS member,
        coalesce(c.reference, p.reference, d.contract_id) AS contract,
        coalesce(i.number, d.invoice_id) AS invoice,
        payroll.candidate_names(d.candidates, true) AS candidates,
        payroll.candidate_names(d.candidates, false) AS others,
        -- 351.30 for a price of 117.10 is three times the price
        CASE WHEN d.code = 'price_mismatch' AND d.expected_cents > 0 AND d.actual_cents > d.expected_cents
                  AND d.actual_cents % d.expected_cents = 0
             THEN ' (' || d.actual_cents / d.expected_cents || ' × ' END AS multiple
    OFFSET 0
) AS n
CROSS JOIN LATERAL (
    SELECT
        jsonb_build_object(
            'id', d.id,
            'subject', coalesce(n.employee, n.member, 'contrat ' || n.contract, 'facture ' || n.invoice, y.name,
                                d.company_id),
            'employee', coalesce(n.employee, n.member, 'une personne non identifiée'),
            'member', coalesce(n.member, n.employee, 'une personne non identifiée'),
            'contract', coalesce(n.contract, 'non précisé'),
            'invoice', coalesce(n.invoice, 'non précisée'),
            'company', coalesce(y.name, d.company_id),
            'side', CASE d.side WHEN 'alan' THEN 'Alan' WHEN 'payroll' THEN 'la paie'
                                WHEN 'both' THEN 'Alan et la paie' ELSE 'Alan ou la paie' END,
            'source', CASE WHEN d.subject_type = 'source' THEN d.subject_id ELSE 'non précisée' END,
            'expected', coalesce(payroll.euros(d.expected_cents, 'fr'),
                                 CASE d.code WHEN 'split_rule_missing' THEN payroll.term_text(d.expected, 'fr')
                                     ELSE payroll.readable(d.expected, 'fr') END,
                                 'non précisé'),
            'actual', coalesce(payroll.euros(d.actual_cents, 'fr')
                               || coalesce(n.multiple || payroll.euros(d.expected_cents, 'fr') || ')', ''),
                               payroll.readable(d.actual, 'fr'), 'non précisé'),
            'delta', coalesce(payroll.euros(d.delta_cents, 'fr'), 'non chiffré'),
            'held', payroll.euros(d.held_cents, 'fr'),
            'lines', d.line_count || CASE WHEN d.line_count > 1 THEN ' lignes' ELSE ' ligne' END,
            'cover_month', payroll.month_name(coalesce(d.cover_month, d.payroll_month), 'fr'),
            'candidates', coalesce(n.candidates, 'aucun'),
            'others', coalesce(n.others, d.actual, 'une autre personne')
        ) AS fr,
        jsonb_build_object(
            'id', d.id,
            'subject', coalesce(n.employee, n.member, 'contract ' || n.contract, 'invoice ' || n.invoice, y.name,
                                d.company_id),
            'employee', coalesce(n.employee, n.member, 'somebody unidentified'),
            'member', coalesce(n.member, n.employee, 'somebody unidentified'),
            'contract', coalesce(n.contract, 'not given'),
            'invoice', coalesce(n.invoice, 'not given'),
            'company', coalesce(y.name, d.company_id),
            'side', CASE d.side WHEN 'alan' THEN 'Alan' WHEN 'payroll' THEN 'payroll'
                                WHEN 'both' THEN 'Alan and payroll' ELSE 'Alan or payroll' END,
            'source', CASE WHEN d.subject_type = 'source' THEN d.subject_id ELSE 'not given' END,
            'expected', coalesce(payroll.euros(d.expected_cents, 'en'),
                                 CASE d.code WHEN 'split_rule_missing' THEN payroll.term_text(d.expected, 'en')
                                     ELSE payroll.readable(d.expected, 'en') END,
                                 'not given'),
            'actual', coalesce(payroll.euros(d.actual_cents, 'en')
                               || coalesce(n.multiple || payroll.euros(d.expected_cents, 'en') || ')', ''),
                               payroll.readable(d.actual, 'en'), 'not given'),
            'delta', coalesce(payroll.euros(d.delta_cents, 'en'), 'not known'),
            'held', payroll.euros(d.held_cents, 'en'),
            'lines', d.line_count || CASE WHEN d.line_count = 1 THEN ' line' ELSE ' lines' END,
            'cover_month', payroll.month_name(coalesce(d.cover_month, d.payroll_month), 'en'),
            'candidates', coalesce(n.candidates, 'none'),
            'others', coalesce(n.others, d.actual, 'somebody else')
        ) AS en
    OFFSET 0
) AS v
-- The dispense that a call is about: one recorded here, or else Alan's.
LEFT JOIN LATERAL (
    SELECT z.recorded, z.valid_from, z.valid_to
    FROM (
        SELECT true AS recorded, x.valid_from, x.valid_to, x.proof
        FROM payroll.dispense AS x
        WHERE x.company_id = d.company_id AND x.employee_id = w.employee_id AND x.ended_at IS NULL
        UNION ALL
        SELECT false, coalesce(a.exemption_from, a.starts_on), coalesce(a.exemption_to, a.ends_on), a.exemption_proof
        FROM payroll.affiliation AS a
        WHERE a.company_id = d.company_id AND a.member_id = w.member_id AND a.status = 'exempt'
    ) AS z
    -- compared, not as ranges: a source may give an end before the beginning
    WHERE z.valid_from < coalesce(d.cover_month, d.payroll_month) + interval '1 month'
        AND coalesce(z.valid_to >= coalesce(d.cover_month, d.payroll_month), true)
        AND (d.code <> 'dispense_unproven' OR z.proof IS NULL)
    ORDER BY z.recorded DESC, z.valid_from
    LIMIT 1
) AS o ON d.code IN ('exempt_but_billed', 'exempt_but_affiliated', 'dispense_unproven')
WHERE d.status IN ('open', 'in_progress');

COMMENT ON VIEW report.discrepancy_inbox IS 'What is wrong and how to put it right: one row per open discrepancy.';
COMMENT ON COLUMN report.discrepancy_inbox.id IS 'Number to call it by.';
COMMENT ON COLUMN report.discrepancy_inbox.company_id IS 'Company.';
COMMENT ON COLUMN report.discrepancy_inbox.payroll_month IS 'Payroll month in which it was last seen.';
COMMENT ON COLUMN report.discrepancy_inbox.code IS 'Code (payroll.discrepancy_code).';
COMMENT ON COLUMN report.discrepancy_inbox.severity IS
    'error: holds money or makes a payslip wrong; warning: needs a look before the close; info: a fact to know.';
COMMENT ON COLUMN report.discrepancy_inbox.step IS
    'Step of the resolution guide: 1 identity, 2 synchronisation, 3 assignment; null: none of them.';
COMMENT ON COLUMN report.discrepancy_inbox.status IS 'open, or in_progress: somebody is at work on it.';
COMMENT ON COLUMN report.discrepancy_inbox.subject_type IS
    'What it is about: employment, employee, member, contract, invoice, source or company.';
COMMENT ON COLUMN report.discrepancy_inbox.subject_id IS 'Identifier of the subject.';
COMMENT ON COLUMN report.discrepancy_inbox.employee IS 'Name in payroll, with the matricule.';
COMMENT ON COLUMN report.discrepancy_inbox.employee_id IS 'Person in payroll.';
COMMENT ON COLUMN report.discrepancy_inbox.employment_id IS 'Contract of employment.';
COMMENT ON COLUMN report.discrepancy_inbox.member IS 'Name at Alan, with Alan''s identifier.';
COMMENT ON COLUMN report.discrepancy_inbox.member_id IS 'Person at Alan.';
COMMENT ON COLUMN report.discrepancy_inbox.contract IS 'Contract reference declared in the DSN.';
COMMENT ON COLUMN report.discrepancy_inbox.contract_id IS 'Alan''s contract.';
COMMENT ON COLUMN report.discrepancy_inbox.invoice IS 'Number printed on the invoice.';
COMMENT ON COLUMN report.discrepancy_inbox.invoice_id IS 'Invoice.';
COMMENT ON COLUMN report.discrepancy_inbox.line_id IS 'Invoice line, the first one where there are several.';
COMMENT ON COLUMN report.discrepancy_inbox.side IS 'System at fault: alan, payroll or both.';
COMMENT ON COLUMN report.discrepancy_inbox.cover_month IS 'Month of cover, its first day.';
COMMENT ON COLUMN report.discrepancy_inbox.expected_cents IS 'Amount expected.';
COMMENT ON COLUMN report.discrepancy_inbox.actual_cents IS 'Amount found.';
COMMENT ON COLUMN report.discrepancy_inbox.delta_cents IS 'Amount found less amount expected.';
COMMENT ON COLUMN report.discrepancy_inbox.expected IS 'What was expected, where it is no amount.';
COMMENT ON COLUMN report.discrepancy_inbox.actual IS 'What was found, where it is no amount.';
COMMENT ON COLUMN report.discrepancy_inbox.line_count IS 'Invoice lines that it touches.';
COMMENT ON COLUMN report.discrepancy_inbox.held_cents IS 'Money that it holds.';
COMMENT ON COLUMN report.discrepancy_inbox.title_fr IS 'What is wrong, in French.';
COMMENT ON COLUMN report.discrepancy_inbox.title_en IS 'What is wrong, in English.';
COMMENT ON COLUMN report.discrepancy_inbox.remedy_fr IS 'What to do and where, in French.';
COMMENT ON COLUMN report.discrepancy_inbox.remedy_en IS 'What to do and where, in English.';
COMMENT ON COLUMN report.discrepancy_inbox.call IS
    'SQL that puts it right once somebody made sure and put a value in place of each <word>; null: no call does.';
COMMENT ON COLUMN report.discrepancy_inbox.candidates IS
    'Who it may be, best first: [{employee_id, matricule, first_name, last_name, birth_date, score}].';
COMMENT ON COLUMN report.discrepancy_inbox.first_seen_at IS 'When it was first seen.';
COMMENT ON COLUMN report.discrepancy_inbox.last_seen_at IS 'When it was last seen.';
COMMENT ON COLUMN report.discrepancy_inbox.alan_nir IS
    'Social security number at Alan; masked but for payroll_manager.';
COMMENT ON COLUMN report.discrepancy_inbox.payroll_nir IS
    'Social security number in payroll, of the best candidate where nobody is named; masked but for payroll_manager.';
COMMENT ON COLUMN report.discrepancy_inbox.payroll_ntt IS
    'Temporary technical number in payroll, of the same person; masked but for payroll_manager.';
COMMENT ON COLUMN report.discrepancy_inbox.alan_synced_at IS
    'What instant Alan''s data are the state of (source alan of report.sync_status).';
COMMENT ON COLUMN report.discrepancy_inbox.payroll_synced_at IS
    'What instant payroll''s data are the state of (source payroll of report.sync_status).';
COMMENT ON COLUMN report.discrepancy_inbox.alan_affiliation IS
    'Affiliations at Alan, latest first: status, contract reference, option, population, first..last day; or none.';
COMMENT ON COLUMN report.discrepancy_inbox.payroll_assignment IS
    'Contracts assigned in payroll: reference, option, population; or none.';
COMMENT ON COLUMN report.discrepancy_inbox.dispense IS
    'Dispenses, wherever they are held: ground, first..last day, where, (proof); or none.';

GRANT SELECT ON report.discrepancy_inbox TO payroll_manager, payroll_reader;
