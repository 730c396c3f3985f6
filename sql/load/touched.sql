-- The contributions that check_ready looks at: of companies that sent only what differs from a load that was checked,
-- those where something differs that decides them; of all others, every one. one_by_one: as in check_ready.
CREATE TEMP VIEW touched_line AS
SELECT DISTINCT company_id, line_id FROM changed_contribution;

CREATE TEMP VIEW touched_employment AS
SELECT company_id, employment_id FROM changed_employment
UNION ALL
SELECT company_id, employment_id FROM changed_coverage;

CREATE TEMP VIEW touched_member AS
SELECT company_id, member_id FROM changed_member
UNION ALL
SELECT company_id, member_id FROM portability;

CREATE TEMP VIEW touched_company AS
SELECT company_id FROM brought WHERE NOT based;

-- Those that differ themselves; and, where there is a reason to go through all, the others.
CREATE TEMP TABLE touched_contribution ON COMMIT DROP AS
SELECT t.*
FROM touched_line AS n
CROSS JOIN LATERAL (SELECT * FROM now_contribution AS t
                    WHERE t.company_id = n.company_id AND t.line_id = n.line_id :one_by_one) AS t
UNION ALL
SELECT t.*
FROM now_contribution AS t
WHERE (SELECT EXISTS (SELECT FROM touched_employment) OR EXISTS (SELECT FROM touched_member)
              OR EXISTS (SELECT FROM touched_company))
  AND ((t.company_id, t.employment_id) IN (SELECT company_id, employment_id FROM touched_employment)
       OR (t.company_id, t.member_id) IN (SELECT company_id, member_id FROM touched_member)
       OR t.company_id IN (SELECT company_id FROM touched_company))
  AND (t.company_id, t.line_id) NOT IN (SELECT company_id, line_id FROM touched_line);

ANALYZE touched_contribution (company_id, employment_id, member_id);
