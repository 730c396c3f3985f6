-- Money ready for a payslip that must not be on it: nobody's, somebody's who was not matched with certainty, an exempt
-- employee's, a former employee's in portability. A reversal takes back what an earlier payslip had, whoever it was.
-- looked_at: now_contribution, or those of them where anything changed; where these are few, one_by_one is OFFSET 0, which
-- keeps the planner from joining whole tables. IS TRUE keeps it, who takes contributions that came just now for few, from
-- hashing them all. In two halves, each of which lets parallel workers pass on nothing but what is wrong.
WITH ready AS NOT MATERIALIZED (
    SELECT t.*
    FROM :looked_at AS t
    WHERE (t.company_id IN (SELECT company_id FROM loaded WHERE NOT closed)) IS TRUE
      AND t.status = 'ready' AND t.kind <> 'reversal' AND t.employment_id IS NOT NULL
)
SELECT n.company_id,
       'line ' || n.line_id || ': ready, but ' ||
       CASE WHEN e.employment_id IS NULL THEN 'employment ' || n.employment_id || ' is not among the employments'
            WHEN n.member_id IS NOT NULL AND m.employee_id IS DISTINCT FROM e.employee_id THEN
                'member ' || n.member_id || ' is not matched with the employee'
            ELSE 'employment ' || n.employment_id || ' is exempt' END
FROM ready AS n
LEFT JOIN LATERAL (SELECT * FROM now_employment AS e
                   WHERE e.company_id = n.company_id AND e.employment_id = n.employment_id :one_by_one) AS e ON true
LEFT JOIN LATERAL (SELECT * FROM now_member AS m
                   WHERE m.company_id = n.company_id AND m.member_id = n.member_id :one_by_one) AS m ON true
LEFT JOIN LATERAL (SELECT * FROM now_coverage AS x
                   WHERE x.company_id = n.company_id AND x.employment_id = n.employment_id
                     AND x.reason = 'exempt' :one_by_one) AS x
       ON n.product = 'health' AND n.kind = 'regular'
      AND coalesce(x.since <= n.cover_from, true) AND coalesce(x.until >= n.cover_to, true)
WHERE e.employment_id IS NULL
   OR n.member_id IS NOT NULL AND m.employee_id IS DISTINCT FROM e.employee_id
   OR x.employment_id IS NOT NULL
UNION ALL
SELECT n.company_id, 'line ' || n.line_id || ': ready, but member ' || n.member_id || ' is in portability'
FROM ready AS n
JOIN portability AS p
       ON p.company_id = n.company_id AND p.member_id = n.member_id AND p.contract_id = n.contract_id
      AND p.starts_on <= n.cover_from AND p.ends_on >= n.cover_to
WHERE n.kind = 'regular' AND n.amount_cents > 0
ORDER BY 1, 2
LIMIT 20;
