-- Companies seen for the first time. Another load that has just inserted one is waited for.
INSERT INTO payroll.company (company_id, siren, name, headcount, previous_sirens, establishments)
SELECT company_id, siren, name, headcount, previous_sirens, establishments
FROM this_company AS n
WHERE NOT EXISTS (SELECT FROM payroll.company AS t WHERE t.company_id = n.company_id)
ORDER BY company_id
ON CONFLICT DO NOTHING;
