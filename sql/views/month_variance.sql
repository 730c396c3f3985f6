-- Whose amounts are not those of the month before, and why.

-- Every contribution counts twice: for its month, and as what was before in the next. Grouped by what is compared, both
-- stand side by side.
CREATE OR REPLACE VIEW payroll.contribution_change WITH (security_invoker = true) AS
SELECT
    l.company_id,
    s.payroll_month,
    l.employee_id,
    l.employment_id,
    l.contract_id,
    l.component,
    l.member_type,
    l.option_code,
    l.kind,
    count(*) FILTER (WHERE s.now AND l.status = 'ready') AS rows,
    count(*) FILTER (WHERE NOT s.now AND l.status = 'ready') AS previous_rows,
    count(*) FILTER (WHERE s.now AND l.status = 'held') AS held,
    count(*) FILTER (WHERE NOT s.now AND l.status = 'held') AS previous_held,
    coalesce(sum(l.amount_cents) FILTER (WHERE s.now AND l.status = 'ready'), 0)::bigint AS amount_cents,
    coalesce(sum(l.employer_cents) FILTER (WHERE s.now AND l.status = 'ready'), 0)::bigint AS employer_cents,
    coalesce(sum(l.amount_cents) FILTER (WHERE NOT s.now AND l.status = 'ready'), 0)::bigint AS previous_amount_cents,
    coalesce(sum(l.employer_cents) FILTER (WHERE NOT s.now AND l.status = 'ready'), 0)::bigint
        AS previous_employer_cents,
    (sum(l.base_cents) FILTER (WHERE s.now AND l.status = 'ready'))::bigint AS base_cents,
    (sum(l.base_cents) FILTER (WHERE NOT s.now AND l.status = 'ready'))::bigint AS previous_base_cents,
    min(l.cover_from) FILTER (WHERE s.now AND l.status = 'ready') AS cover_from,
    max(l.cover_to) FILTER (WHERE s.now AND l.status = 'ready') AS cover_to,
    min(l.cover_from) FILTER (WHERE NOT s.now AND l.status = 'ready') AS previous_cover_from,
    max(l.cover_to) FILTER (WHERE NOT s.now AND l.status = 'ready') AS previous_cover_to
FROM payroll.contribution_line AS l
CROSS JOIN LATERAL (VALUES
    (l.payroll_month, true),
    ((l.payroll_month + interval '1 month')::date, false)) AS s (payroll_month, now)
GROUP BY l.company_id, s.payroll_month, l.employee_id, l.employment_id, l.contract_id, l.component, l.member_type,
    l.option_code, l.kind;

COMMENT ON VIEW payroll.contribution_change IS
    'Contributions of one sort beside those of the month before, also where only one of both has some: one row '
    'per payroll month, contract of employment, contract, component, member type, option and kind. The month after the '
    'last has what was before alone. Amounts, bases and days are those of ready contributions.';
COMMENT ON COLUMN payroll.contribution_change.company_id IS 'Company.';
COMMENT ON COLUMN payroll.contribution_change.payroll_month IS 'Payroll month, its first day.';
COMMENT ON COLUMN payroll.contribution_change.employee_id IS 'Payroll''s identifier of the person; null: nobody.';
COMMENT ON COLUMN payroll.contribution_change.employment_id IS 'Contract of employment.';
COMMENT ON COLUMN payroll.contribution_change.contract_id IS 'Alan''s contract.';
COMMENT ON COLUMN payroll.contribution_change.component IS
    'What the premium is reckoned on: fixed, pmss, gross, t1, t2 or tb.';
COMMENT ON COLUMN payroll.contribution_change.member_type IS
    'Who is insured by it: employee, partner, child, family or option.';
COMMENT ON COLUMN payroll.contribution_change.option_code IS 'Option code declared in the DSN.';
COMMENT ON COLUMN payroll.contribution_change.kind IS 'regular, regularisation or reversal.';
COMMENT ON COLUMN payroll.contribution_change.rows IS 'Ready contributions.';
COMMENT ON COLUMN payroll.contribution_change.previous_rows IS 'Ready contributions the month before.';
COMMENT ON COLUMN payroll.contribution_change.held IS 'Held contributions.';
COMMENT ON COLUMN payroll.contribution_change.previous_held IS 'Held contributions the month before.';
COMMENT ON COLUMN payroll.contribution_change.amount_cents IS 'Both shares.';
COMMENT ON COLUMN payroll.contribution_change.employer_cents IS 'Employer''s share.';
COMMENT ON COLUMN payroll.contribution_change.previous_amount_cents IS 'Both shares the month before.';
COMMENT ON COLUMN payroll.contribution_change.previous_employer_cents IS 'Employer''s share the month before.';
COMMENT ON COLUMN payroll.contribution_change.base_cents IS 'What a rate was applied to.';
COMMENT ON COLUMN payroll.contribution_change.previous_base_cents IS 'What a rate was applied to the month before.';
COMMENT ON COLUMN payroll.contribution_change.cover_from IS 'First day of cover.';
COMMENT ON COLUMN payroll.contribution_change.cover_to IS 'Last day of cover.';
COMMENT ON COLUMN payroll.contribution_change.previous_cover_from IS 'First day of cover of those of the month before.';
COMMENT ON COLUMN payroll.contribution_change.previous_cover_to IS 'Last day of cover of those of the month before.';

GRANT SELECT ON payroll.contribution_change TO payroll_manager, payroll_reader;

CREATE OR REPLACE VIEW report.month_variance WITH (security_invoker = true) AS
SELECT
    t.company_id,
    t.payroll_month,
    t.employee_id,
    e.matricule,
    e.last_name,
    e.first_name,
    t.amount_cents,
    t.employer_cents,
    t.amount_cents - t.employer_cents AS employee_cents,
    CASE WHEN t.comparable THEN t.previous_amount_cents END AS previous_amount_cents,
    CASE WHEN t.comparable THEN t.previous_employer_cents END AS previous_employer_cents,
    CASE WHEN t.comparable THEN t.previous_amount_cents - t.previous_employer_cents END AS previous_employee_cents,
    CASE WHEN t.comparable THEN t.amount_cents - t.previous_amount_cents END AS change_cents,
    CASE WHEN t.comparable THEN t.employer_cents - t.previous_employer_cents END AS employer_change_cents,
    CASE WHEN t.comparable THEN
        t.amount_cents - t.employer_cents - (t.previous_amount_cents - t.previous_employer_cents)
    END AS employee_change_cents,
    t.regularisation_cents,
    t.reversal_cents,
    v.reason,
    v.label_fr AS reason_fr,
    v.label_en AS reason_en,
    r.reasons
FROM (
    SELECT
        k.*,
        -- a month that was run counts, also when it gave nobody anything
        bool_or(k.present) OVER month OR coalesce((
            SELECT true FROM payroll.period AS d
            WHERE d.company_id = k.company_id AND d.payroll_month = k.payroll_month), false) AS known,
        bool_or(k.previously_present) OVER month OR coalesce((
            SELECT true FROM payroll.period AS d
            WHERE d.company_id = k.company_id
                AND d.payroll_month = (k.payroll_month - interval '1 month')::date), false) AS comparable,
        bool_or(k.held) OVER month AS some_held,
        bool_or(k.previously_held) OVER month AS some_held_before,
        (k.payroll_month - interval '1 month')::date AS previous_month,
        greatest((k.payroll_month + interval '1 month - 1 day')::date, k.cover_to) AS last_day
    FROM (
        SELECT
            company_id,
            payroll_month,
            employee_id,
            bool_or(rows + held > 0) AS present,
            bool_or(previous_rows + previous_held > 0) AS previously_present,
            bool_or(held > 0) AS held,
            bool_or(previous_held > 0) AS previously_held,
            sum(amount_cents)::bigint AS amount_cents,
            sum(employer_cents)::bigint AS employer_cents,
            sum(previous_amount_cents)::bigint AS previous_amount_cents,
            sum(previous_employer_cents)::bigint AS previous_employer_cents,
            coalesce(sum(amount_cents) FILTER (WHERE kind = 'regularisation'), 0)::bigint AS regularisation_cents,
            coalesce(sum(amount_cents) FILTER (WHERE kind = 'reversal'), 0)::bigint AS reversal_cents,
            -- whether the money of a kind changed
            coalesce((sum(amount_cents - previous_amount_cents) FILTER (WHERE kind = 'regular'),
                      sum(employer_cents - previous_employer_cents) FILTER (WHERE kind = 'regular')) <> (0, 0), false)
                AS regular_changed,
            coalesce((sum(amount_cents - previous_amount_cents) FILTER (WHERE kind = 'regularisation'),
                      sum(employer_cents - previous_employer_cents) FILTER (WHERE kind = 'regularisation')) <> (0, 0),
                     false) AS regularisation_changed,
            coalesce((sum(amount_cents - previous_amount_cents) FILTER (WHERE kind = 'reversal'),
                      sum(employer_cents - previous_employer_cents) FILTER (WHERE kind = 'reversal')) <> (0, 0), false)
                AS reversal_changed,
            -- facts of the month and of the one before: n counts the month's regular rows, p those before
            bool_or(n > 0) AS some,
            bool_or(p > 0) AS some_before,
            min(cover_from) AS cover_from,
            max(cover_to) AS cover_to,
            coalesce(bool_or(extract(day FROM cover_from) > 1) FILTER (WHERE n > 0), false)
            OR coalesce(bool_or(extract(day FROM previous_cover_from) > 1) FILTER (WHERE p > 0), false) AS late_start,
            coalesce(bool_or(extract(day FROM cover_to + 1) > 1) FILTER (WHERE n > 0), false) AS early_end,
            array_agg(employment_id) FILTER (WHERE n > 0) AS employments,
            array_agg(employment_id) FILTER (WHERE p > 0) AS previous_employments,
            array_agg(contract_id) FILTER (WHERE n > 0) AS contracts,
            array_agg(contract_id) FILTER (WHERE p > 0) AS previous_contracts,
            array_agg(coalesce(option_code, '')) FILTER (WHERE n > 0 AND member_type NOT IN ('partner', 'child'))
                AS options,
            array_agg(coalesce(option_code, '')) FILTER (WHERE p > 0 AND member_type NOT IN ('partner', 'child'))
                AS previous_options,
            (coalesce(sum(n) FILTER (WHERE member_type IN ('partner', 'child')), 0),
             coalesce(bool_or(n > 0) FILTER (WHERE member_type = 'family'), false))
                <> (coalesce(sum(p) FILTER (WHERE member_type IN ('partner', 'child')), 0),
                    coalesce(bool_or(p > 0) FILTER (WHERE member_type = 'family'), false)) AS other_dependants,
            bool_or(same AND component <> 'fixed' AND base_cents IS DISTINCT FROM previous_base_cents) AS other_base,
            bool_or(same AND amount_cents = previous_amount_cents AND employer_cents <> previous_employer_cents)
                AS other_share,
            -- a price that the contract does not say is no reason
            bool_or(CASE WHEN same AND amount_cents <> previous_amount_cents
                              AND base_cents IS NOT DISTINCT FROM previous_base_cents THEN
                EXISTS (
                    SELECT
                    FROM payroll.contract AS c
                    CROSS JOIN jsonb_to_recordset(c.terms) AS term (
                        option_code text, member_type text, valid_from date, valid_to date, basis text,
                        price_cents bigint, rate_ppm bigint)
                    WHERE c.company_id = k.company_id AND c.contract_id = k.contract_id
                        AND term.member_type = k.member_type AND term.basis = k.component
                        AND coalesce(term.option_code = k.option_code, term.option_code IS NULL)
                        AND term.valid_from <= k.cover_to AND coalesce(term.valid_to >= k.cover_from, true)
                        AND (term.price_cents * k.n = k.amount_cents
                             -- rounded for each payer of each row
                             OR abs(k.base_cents::numeric * term.rate_ppm / 1000000 - k.amount_cents) <= k.n))
                ELSE false END) AS other_price
        FROM (
            SELECT
                *,
                CASE kind WHEN 'regular' THEN rows ELSE 0 END AS n,
                CASE kind WHEN 'regular' THEN previous_rows ELSE 0 END AS p,
                -- as many, over whole months: amounts can be compared
                kind = 'regular' AND rows > 0 AND rows = previous_rows AND extract(day FROM cover_from) = 1
                    AND extract(day FROM previous_cover_from) = 1 AND extract(day FROM cover_to + 1) = 1
                    AND extract(day FROM previous_cover_to + 1) = 1 AS same
            FROM payroll.contribution_change
        ) AS k
        GROUP BY company_id, payroll_month, employee_id
    ) AS k
    WINDOW month AS (PARTITION BY k.company_id, k.payroll_month)
) AS t
CROSS JOIN LATERAL (
    SELECT
        -- whatever the number of times that each stands in its list
        t.some AND t.some_before AND NOT (t.employments @> t.previous_employments
                                          AND t.employments <@ t.previous_employments) AS other_employments,
        t.some AND t.some_before AND NOT (t.contracts @> t.previous_contracts
                                          AND t.contracts <@ t.previous_contracts) AS other_contracts,
        t.some AND t.some_before AND NOT (t.options @> t.previous_options
                                          AND t.options <@ t.previous_options) AS other_options,
        t.some AND t.some_before AND t.other_dependants AS other_dependants
) AS o
-- OFFSET 0 has each of these looked up once
CROSS JOIN LATERAL (
    SELECT
        (NOT t.some_before OR t.late_start OR o.other_employments) AND EXISTS (
            SELECT FROM payroll.employment AS m
            WHERE m.company_id = t.company_id AND m.employee_id = t.employee_id
                AND m.starts_on BETWEEN least(t.previous_month, t.cover_from) AND t.last_day) AS hired,
        CASE WHEN t.some_before AND NOT t.some THEN (
                SELECT max(coalesce(m.ends_on, 'infinity')) FROM payroll.employment AS m
                WHERE m.company_id = t.company_id AND m.employee_id = t.employee_id) <= t.last_day
             WHEN t.early_end OR o.other_employments THEN EXISTS (
                SELECT FROM payroll.employment AS m
                WHERE m.company_id = t.company_id AND m.employee_id = t.employee_id
                    AND m.ends_on BETWEEN t.previous_month AND t.last_day)
             ELSE false
        END AS gone,
        -- a line of theirs that the month before held, for whomever
        t.some_held_before AND EXISTS (
            SELECT
            FROM payroll.employment AS m
            JOIN payroll.contribution AS c
                ON c.company_id = m.company_id AND c.employment_id = m.employment_id AND c.status = 'ready'
            JOIN payroll.contribution AS h
                ON h.company_id = c.company_id AND h.line_id = c.line_id AND h.status = 'held'
            WHERE m.company_id = t.company_id AND m.employee_id = t.employee_id AND c.payroll_month = t.payroll_month
                AND h.payroll_month = t.previous_month) AS released,
        -- held for them, or for the member whose lines they had
        t.held OR t.some_held AND EXISTS (
            SELECT
            FROM payroll.employment AS m
            JOIN payroll.contribution AS c
                ON c.company_id = m.company_id AND c.employment_id = m.employment_id AND c.status = 'ready'
            JOIN payroll.contribution AS h
                ON h.company_id = c.company_id AND h.member_id = c.member_id AND h.status = 'held'
            WHERE m.company_id = t.company_id AND m.employee_id = t.employee_id
                AND c.payroll_month = t.previous_month AND h.payroll_month = t.payroll_month) AS held
    OFFSET 0
) AS f
CROSS JOIN LATERAL (
    SELECT CASE WHEN t.regular_changed THEN array_remove(ARRAY[
        CASE WHEN f.hired THEN 'hire' END,
        CASE WHEN f.gone THEN 'exit' END,
        CASE WHEN f.released THEN 'released' END,
        CASE WHEN f.held THEN 'held' END,
        CASE WHEN o.other_contracts AND NOT f.released AND NOT f.held THEN 'contract' END,
        CASE WHEN o.other_options THEN 'option' END,
        CASE WHEN o.other_dependants THEN 'dependants' END,
        CASE WHEN t.some AND (NOT t.some_before OR t.late_start) AND NOT f.hired AND NOT f.released
             THEN 'cover_start' END,
        CASE WHEN t.some_before AND (NOT t.some OR t.early_end) AND NOT f.gone AND NOT f.held THEN 'cover_end' END,
        CASE WHEN t.other_price THEN 'price' END,
        CASE WHEN t.other_share THEN 'share' END,
        CASE WHEN t.other_base THEN 'base' END], NULL)
    ELSE array_remove(ARRAY[CASE WHEN f.released AND t.regularisation_changed THEN 'released' END], NULL)
    END AS reasons
) AS s
CROSS JOIN LATERAL (
    SELECT CASE WHEN NOT t.comparable THEN ARRAY['first_month'] ELSE s.reasons || array_remove(ARRAY[
        CASE WHEN t.regular_changed AND s.reasons = '{}' THEN 'unexplained' END,
        CASE WHEN t.reversal_changed THEN 'reversal' END,
        CASE WHEN t.regularisation_changed THEN 'regularisation' END], NULL)
    END AS reasons
) AS r
LEFT JOIN payroll.employee AS e ON e.company_id = t.company_id AND e.employee_id = t.employee_id
JOIN payroll.variance_reason AS v ON v.reason = r.reasons[1]
WHERE t.known AND t.employee_id IS NOT NULL
    AND (t.regular_changed OR t.regularisation_changed OR t.reversal_changed);

COMMENT ON VIEW report.month_variance IS
    'Whose amounts are not those of the month before, and why: one row per payroll month and employee.';
COMMENT ON COLUMN report.month_variance.company_id IS 'Company.';
COMMENT ON COLUMN report.month_variance.payroll_month IS 'Month of the payslip, its first day.';
COMMENT ON COLUMN report.month_variance.employee_id IS 'Payroll''s identifier of the person.';
COMMENT ON COLUMN report.month_variance.matricule IS 'Number of the employee inside the company.';
COMMENT ON COLUMN report.month_variance.last_name IS 'Last name.';
COMMENT ON COLUMN report.month_variance.first_name IS 'First name.';
COMMENT ON COLUMN report.month_variance.amount_cents IS 'Both shares of both products.';
COMMENT ON COLUMN report.month_variance.employer_cents IS 'Employer''s share.';
COMMENT ON COLUMN report.month_variance.employee_cents IS 'Employee''s share.';
COMMENT ON COLUMN report.month_variance.previous_amount_cents IS
    'Both shares the month before; null: nothing is known of the company in that month.';
COMMENT ON COLUMN report.month_variance.previous_employer_cents IS 'Employer''s share the month before.';
COMMENT ON COLUMN report.month_variance.previous_employee_cents IS 'Employee''s share the month before.';
COMMENT ON COLUMN report.month_variance.change_cents IS 'Both shares less those of the month before.';
COMMENT ON COLUMN report.month_variance.employer_change_cents IS 'Employer''s share less that of the month before.';
COMMENT ON COLUMN report.month_variance.employee_change_cents IS 'Employee''s share less that of the month before.';
COMMENT ON COLUMN report.month_variance.regularisation_cents IS
    'Of the month''s amount, what puts earlier months right.';
COMMENT ON COLUMN report.month_variance.reversal_cents IS
    'Of the month''s amount, what takes earlier months back.';
COMMENT ON COLUMN report.month_variance.reason IS 'The main reason: the first of reasons.';
COMMENT ON COLUMN report.month_variance.reason_fr IS 'What it means, in French.';
COMMENT ON COLUMN report.month_variance.reason_en IS 'What it means, in English.';
COMMENT ON COLUMN report.month_variance.reasons IS
    'Every reason found (payroll.variance_reason), the most telling first; unexplained: the month''s own premium '
    'changed and nothing known tells why, as when the price billed is not that of the contract.';

GRANT SELECT ON report.month_variance TO payroll_manager, payroll_reader;
