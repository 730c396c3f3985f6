UPDATE payroll.company AS t
SET (siren, name, headcount, previous_sirens, establishments)
    = (n.siren, n.name, n.headcount, n.previous_sirens, n.establishments)
FROM this_company AS n
WHERE n.loads AND t.company_id = n.company_id
  AND (t.siren, t.name, t.headcount, t.previous_sirens, t.establishments)
      IS DISTINCT FROM (n.siren, n.name, n.headcount, n.previous_sirens, n.establishments);
