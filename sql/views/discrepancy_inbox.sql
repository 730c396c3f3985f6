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
    -- A link decides for somebody whom numbers leave unmatched: the person named, or else the best candidate.
    CASE WHEN d.code IN ('member_not_in_payroll', 'nir_mismatch', 'nir_missing')
              AND d.member_id IS NOT NULL AND coalesce(b.matched_by, 'none') = 'none' AND n.link_to IS NOT NULL
         THEN format('SELECT payroll.link_member(%L, %L, %L, %L);', d.company_id, d.member_id, n.link_to,
                     'discrepancy ' || d.id || ': the same person')
    END AS call,
    d.candidates,
    d.first_seen_at,
    d.last_seen_at
FROM payroll.discrepancy AS d
JOIN payroll.discrepancy_code AS k ON k.code = d.code
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
CROSS JOIN LATERAL (
    SELECT
        payroll.person_name(e.first_name, e.last_name, coalesce(e.matricule, e.employee_id)) AS employee,
        payroll.person_name(b.first_name, b.last_name, coalesce(b.member_id, d.member_id)) AS member,
        coalesce(c.reference, p.reference, d.contract_id) AS contract,
        coalesce(i.number, d.invoice_id) AS invoice,
        coalesce(d.employee_id, d.candidates -> 0 ->> 'employee_id') AS link_to,
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
            'expected', coalesce(payroll.euros(d.expected_cents, 'fr'), payroll.readable(d.expected, 'fr'),
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
            'expected', coalesce(payroll.euros(d.expected_cents, 'en'), payroll.readable(d.expected, 'en'),
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
    'SQL that puts it right, once somebody made sure that it is the same person; null: the remedy lies elsewhere.';
COMMENT ON COLUMN report.discrepancy_inbox.candidates IS
    'Who it may be, best first: [{employee_id, matricule, first_name, last_name, birth_date, score}].';
COMMENT ON COLUMN report.discrepancy_inbox.first_seen_at IS 'When it was first seen.';
COMMENT ON COLUMN report.discrepancy_inbox.last_seen_at IS 'When it was last seen.';

GRANT SELECT ON report.discrepancy_inbox TO payroll_manager, payroll_reader;
