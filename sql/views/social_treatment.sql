-- What the shares set off in contributions and taxes. The figures of the month are sums of report.payroll_ready, whose
-- forfait social is rounded row by row: a payslip adds up.
--
-- Limits are yearly, and so is what is held against them: it runs from January to the month of the row. The PASS counts
-- whole from January on, also for somebody hired or gone during the year (BOSS, assiette générale: the PASS is not cut
-- for these limits); gross pay counts as far as it is known. What is above the limit in one month may therefore be
-- below it in the next; December's is final. Where shares were given in a month whose pay is not known, nothing is
-- said: the ceiling would be too low. Months of employment with neither, as those before the first month held here,
-- are left out, and the note says so.

CREATE OR REPLACE VIEW report.social_treatment WITH (security_invoker = true) AS
SELECT
    t.company_id,
    t.payroll_month,
    t.employee_id,
    t.matricule,
    t.last_name,
    t.first_name,
    t.csg_base_cents,
    t.taxable_addback_cents,
    t.forfait_social_cents,
    t.forfait_social_note,
    t.year_gross_cents,
    t.exemption_used_cents,
    x.exemption_ceiling_cents,
    CASE WHEN x.exemption_ceiling_cents IS NOT NULL THEN
        greatest(t.exemption_used_cents - x.exemption_ceiling_cents, 0)
    END AS exemption_excess_cents,
    t.tax_used_cents,
    x.tax_ceiling_cents,
    CASE WHEN x.tax_ceiling_cents IS NOT NULL THEN greatest(t.tax_used_cents - x.tax_ceiling_cents, 0)
    END AS tax_excess_cents,
    coalesce(n.why_not, n.caveat) AS ceiling_note
FROM (
    SELECT
        company_id,
        payroll_month,
        employee_id,
        max(matricule) AS matricule,
        max(last_name) AS last_name,
        max(first_name) AS first_name,
        sum(csg_base_cents)::bigint AS csg_base_cents,
        sum(taxable_addback_cents)::bigint AS taxable_addback_cents,
        -- one row that is not known leaves the sum unknown
        CASE WHEN count(forfait_social_cents) = sum(rows) THEN sum(forfait_social_cents)::bigint END
            AS forfait_social_cents,
        max(forfait_social_note) AS forfait_social_note,
        sum(rows) AS rows,
        (sum(sum(gross_cents)) OVER year)::bigint AS year_gross_cents,
        (sum(sum(csg_base_cents)) OVER year)::bigint AS exemption_used_cents,
        (sum(sum(tax_used_cents)) OVER year)::bigint AS tax_used_cents,
        min(CASE WHEN sum(rows) > 0 AND sum(gross_cents) IS NULL THEN payroll_month END) OVER year AS unpaid_from
    FROM (
        SELECT
            company_id, payroll_month, employee_id, matricule, last_name, first_name, csg_base_cents,
            taxable_addback_cents, forfait_social_cents, forfait_social_note, 1 AS rows, NULL::bigint AS gross_cents,
            employee_cents + CASE product WHEN 'provident' THEN employer_cents ELSE 0 END AS tax_used_cents
        FROM report.payroll_ready
        UNION ALL
        SELECT
            b.company_id, b.month, m.employee_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, b.gross_cents, NULL
        FROM payroll.pay_base AS b
        JOIN payroll.employment AS m ON m.company_id = b.company_id AND m.employment_id = b.employment_id
    ) AS parts
    GROUP BY company_id, payroll_month, employee_id
    WINDOW year AS (PARTITION BY company_id, employee_id, date_trunc('year', payroll_month::timestamp)
                    ORDER BY payroll_month)
) AS t
-- months of employment, and those whose pay is known
LEFT JOIN (
    SELECT
        m.company_id,
        m.employee_id,
        -- a source may give an end before the beginning
        range_agg(CASE WHEN m.ends_on < m.starts_on THEN 'empty'::daterange
                       ELSE daterange(date_trunc('month', m.starts_on::timestamp)::date,
                                      (date_trunc('month', m.ends_on::timestamp) + interval '1 month')::date)
                  END) AS employed,
        range_agg(b.paid) AS paid
    FROM payroll.employment AS m
    LEFT JOIN (
        SELECT
            company_id, employment_id,
            range_agg(daterange(month, (month + interval '1 month')::date)) AS paid
        FROM payroll.pay_base
        GROUP BY company_id, employment_id
    ) AS b ON b.company_id = m.company_id AND b.employment_id = m.employment_id
    GROUP BY m.company_id, m.employee_id
) AS p ON p.company_id = t.company_id AND p.employee_id = t.employee_id
LEFT JOIN payroll.social_ceiling AS s ON t.payroll_month BETWEEN s.valid_from AND s.valid_to
LEFT JOIN payroll.exemption_limit AS c
    ON c.name = 'contributions' AND t.payroll_month BETWEEN c.valid_from AND c.valid_to
LEFT JOIN payroll.exemption_limit AS i
    ON i.name = 'income_tax' AND t.payroll_month BETWEEN i.valid_from AND i.valid_to
-- OFFSET 0 has both made once, not once for every figure that hangs on them
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN s.annual_cents IS NULL THEN
                 'no PASS known for ' || to_char(t.payroll_month, 'YYYY') || ': add it to payroll.social_ceiling'
             WHEN num_nulls(c.name, i.name) > 0 THEN
                 'no limit known for ' || to_char(t.payroll_month, 'YYYY-MM') || ': add it to payroll.exemption_limit'
             WHEN p.employed IS NULL THEN 'contract of employment not known'
             WHEN t.unpaid_from IS NOT NULL THEN 'pay of ' || to_char(t.unpaid_from, 'YYYY-MM') || ' not known'
        END AS why_not,
        'incomplete: pay of ' || to_char(lower(u.unpaid), 'YYYY-MM') || ' not known' AS caveat
    FROM (SELECT p.employed * datemultirange(daterange(date_trunc('year', t.payroll_month::timestamp)::date,
                                                       (t.payroll_month + interval '1 month')::date))
                 - coalesce(p.paid, '{}') AS unpaid) AS u
    OFFSET 0
) AS n
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN n.why_not IS NULL THEN
            round(least(s.annual_cents::numeric * c.ceiling_ppm + t.year_gross_cents::numeric * c.gross_ppm,
                        s.annual_cents::numeric * c.maximum_ppm) / 1000000)::bigint
        END AS exemption_ceiling_cents,
        CASE WHEN n.why_not IS NULL THEN
            round(least(s.annual_cents::numeric * i.ceiling_ppm + t.year_gross_cents::numeric * i.gross_ppm,
                        s.annual_cents::numeric * i.maximum_ppm) / 1000000)::bigint
        END AS tax_ceiling_cents
) AS x
WHERE t.rows > 0;

COMMENT ON VIEW report.social_treatment IS
    'What the shares set off in contributions and taxes: one row per payroll month and employee.';
COMMENT ON COLUMN report.social_treatment.company_id IS 'Company.';
COMMENT ON COLUMN report.social_treatment.payroll_month IS 'Month of the payslip, its first day.';
COMMENT ON COLUMN report.social_treatment.employee_id IS 'Payroll''s identifier of the person.';
COMMENT ON COLUMN report.social_treatment.matricule IS 'Number of the employee inside the company.';
COMMENT ON COLUMN report.social_treatment.last_name IS 'Last name.';
COMMENT ON COLUMN report.social_treatment.first_name IS 'First name.';
COMMENT ON COLUMN report.social_treatment.csg_base_cents IS
    'Part of the CSG and CRDS base: the employer''s share of both products, whole.';
COMMENT ON COLUMN report.social_treatment.taxable_addback_cents IS
    'Added back to taxable pay: the employer''s share of health.';
COMMENT ON COLUMN report.social_treatment.forfait_social_cents IS
    'Forfait social: the sum of that of report.payroll_ready; null: not known, forfait_social_note tells why.';
COMMENT ON COLUMN report.social_treatment.forfait_social_note IS 'Why forfait_social_cents is null.';
COMMENT ON COLUMN report.social_treatment.year_gross_cents IS
    'Gross pay from January to this month, as far as it is known; null: none is.';
COMMENT ON COLUMN report.social_treatment.exemption_used_cents IS
    'Employer''s shares of both products from January to this month.';
COMMENT ON COLUMN report.social_treatment.exemption_ceiling_cents IS
    'Up to what they are exempt from social security contributions, by the gross pay of the year so far (CSS D242-1); '
    'null: not known, ceiling_note tells why.';
COMMENT ON COLUMN report.social_treatment.exemption_excess_cents IS
    'What exceeds it in the year so far, which is pay: this payslip takes what the month before did not; null: not '
    'known.';
COMMENT ON COLUMN report.social_treatment.tax_used_cents IS
    'Employee''s shares of both products and employer''s share of provident from January to this month.';
COMMENT ON COLUMN report.social_treatment.tax_ceiling_cents IS
    'Up to what they are exempt from income tax, by the gross pay of the year so far (CGI 83); null: not known.';
COMMENT ON COLUMN report.social_treatment.tax_excess_cents IS
    'What exceeds it in the year so far, which is taxable; null: not known.';
COMMENT ON COLUMN report.social_treatment.ceiling_note IS
    'Why the ceilings and what exceeds them are null: a year without figures, or shares in a month whose pay is not '
    'known. Beginning with "incomplete": the first month of employment that they were reckoned without.';

GRANT SELECT ON report.social_treatment TO payroll_manager, payroll_reader;
