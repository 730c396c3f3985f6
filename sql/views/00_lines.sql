-- What the reports on money stand on: contributions with the names, references and numbers that belong to them. Those
-- of closed months are read as they were frozen, those of open months are looked up. Not for reading by themselves: the
-- views of report are.

-- Every contribution as it looks now, closed or not: what a close freezes.
CREATE OR REPLACE VIEW payroll.live_line WITH (security_invoker = true) AS
SELECT
    t.company_id,
    t.payroll_month,
    t.line_id,
    t.employment_id,
    t.cover_from,
    t.cover_to,
    date_trunc('month', t.cover_from::timestamp)::date AS cover_month,
    t.status,
    t.hold_code,
    t.kind,
    t.invoice_id,
    i.number AS invoice_number,
    t.billing_month,
    coalesce(left(m.siret, 9), y.siren) AS siren,
    m.siret,
    m.employee_id,
    e.matricule,
    e.last_name,
    e.first_name,
    m.category,
    t.member_id,
    t.contract_id,
    t.product,
    c.reference AS contract_reference,
    c.insurer_code,
    c.delegate_code,
    t.component,
    t.member_type,
    t.option_code,
    t.population_code,
    -- one by one: what a report does not show is not looked up
    (SELECT a.affiliation_id FROM payroll.affiliation AS a
     WHERE a.company_id = t.company_id AND a.member_id = t.member_id AND a.contract_id = t.contract_id
         AND a.starts_on <= t.cover_to AND coalesce(a.ends_on >= t.cover_from, true)
     ORDER BY a.starts_on DESC, a.affiliation_id LIMIT 1) AS affiliation_id,
    (SELECT a.partners FROM payroll.affiliation AS a
     WHERE a.company_id = t.company_id AND a.member_id = t.member_id AND a.contract_id = t.contract_id
         AND a.starts_on <= t.cover_to AND coalesce(a.ends_on >= t.cover_from, true)
     ORDER BY a.starts_on DESC, a.affiliation_id LIMIT 1) AS partners,
    (SELECT a.children FROM payroll.affiliation AS a
     WHERE a.company_id = t.company_id AND a.member_id = t.member_id AND a.contract_id = t.contract_id
         AND a.starts_on <= t.cover_to AND coalesce(a.ends_on >= t.cover_from, true)
     ORDER BY a.starts_on DESC, a.affiliation_id LIMIT 1) AS children,
    (SELECT a.others FROM payroll.affiliation AS a
     WHERE a.company_id = t.company_id AND a.member_id = t.member_id AND a.contract_id = t.contract_id
         AND a.starts_on <= t.cover_to AND coalesce(a.ends_on >= t.cover_from, true)
     ORDER BY a.starts_on DESC, a.affiliation_id LIMIT 1) AS others,
    y.headcount,
    CASE WHEN y.headcount < s.minimum_headcount THEN 0
         WHEN y.headcount IS NOT NULL THEN s.rate_ppm
    END AS forfait_social_ppm,
    t.base_cents,
    t.amount_cents,
    t.employer_cents,
    t.employee_cents
FROM payroll.contribution AS t
LEFT JOIN payroll.employment AS m ON m.company_id = t.company_id AND m.employment_id = t.employment_id
LEFT JOIN payroll.employee AS e ON e.company_id = m.company_id AND e.employee_id = m.employee_id
LEFT JOIN payroll.contract AS c ON c.company_id = t.company_id AND c.contract_id = t.contract_id
LEFT JOIN payroll.invoice AS i ON i.company_id = t.company_id AND i.invoice_id = t.invoice_id
LEFT JOIN payroll.company AS y ON y.company_id = t.company_id
LEFT JOIN payroll.social_rate AS s
    ON s.name = 'forfait_social' AND t.payroll_month BETWEEN s.valid_from AND s.valid_to;

CREATE OR REPLACE VIEW payroll.contribution_line WITH (security_invoker = true) AS
SELECT
    company_id, payroll_month, line_id, employment_id, cover_from, cover_to, cover_month, status, hold_code, kind,
    invoice_id, invoice_number, billing_month, siren, siret, employee_id, matricule, last_name, first_name, category,
    member_id, contract_id, product, contract_reference, insurer_code, delegate_code, component, member_type,
    option_code, population_code, affiliation_id, partners, children, others, headcount, forfait_social_ppm,
    base_cents, amount_cents, employer_cents, employee_cents
FROM payroll.closed_row
UNION ALL
SELECT
    company_id, payroll_month, line_id, employment_id, cover_from, cover_to, cover_month, status, hold_code, kind,
    invoice_id, invoice_number, billing_month, siren, siret, employee_id, matricule, last_name, first_name, category,
    member_id, contract_id, product, contract_reference, insurer_code, delegate_code, component, member_type,
    option_code, population_code, affiliation_id, partners, children, others, headcount, forfait_social_ppm,
    base_cents, amount_cents, employer_cents, employee_cents
FROM payroll.live_line AS l
WHERE NOT EXISTS (SELECT FROM payroll.period AS p
                  WHERE p.company_id = l.company_id AND p.payroll_month = l.payroll_month AND p.status = 'closed');

CREATE OR REPLACE VIEW payroll.ready_line WITH (security_invoker = true) AS
SELECT * FROM payroll.contribution_line WHERE status = 'ready';

DO $$
DECLARE
    view text;
    of_column record;
BEGIN
    -- The columns are those of payroll.closed_row, and mean the same.
    FOREACH view IN ARRAY ARRAY['live_line', 'contribution_line', 'ready_line'] LOOP
        FOR of_column IN
            SELECT v.attname, pg_catalog.col_description(c.attrelid, c.attnum) AS meaning
            FROM pg_catalog.pg_attribute AS v
            JOIN pg_catalog.pg_attribute AS c
                ON c.attrelid = 'payroll.closed_row'::pg_catalog.regclass AND c.attname = v.attname
            WHERE v.attrelid = ('payroll.' || view)::pg_catalog.regclass AND v.attnum > 0
        LOOP
            EXECUTE pg_catalog.format('COMMENT ON COLUMN payroll.%I.%I IS %L', view, of_column.attname,
                                      of_column.meaning);
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON VIEW payroll.live_line IS
    'Contributions with what belongs to them as it is now, those of closed months too.';
COMMENT ON VIEW payroll.contribution_line IS
    'Contributions, ready and held: those of closed months as they were frozen, those of open months as they are.';
COMMENT ON VIEW payroll.ready_line IS
    'Contributions ready for payroll or billed to the company: closed months as frozen, open months as they are.';

GRANT SELECT ON payroll.live_line, payroll.contribution_line, payroll.ready_line TO payroll_manager, payroll_reader;
