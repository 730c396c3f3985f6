-- The contributions that check_ready looks at: of companies that sent only what differs from a load that was checked,
-- those where something differs that decides them; of all others, every one.
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

-- Those that differ themselves, as they were merged: of one that is gone only its key is there, which is nobody's money. And,
-- where there is a reason to go through all, the others.
CREATE TEMP TABLE touched_contribution ON COMMIT DROP AS
SELECT * FROM changed_contribution
UNION ALL
SELECT t.*
FROM now_contribution AS t
WHERE (SELECT EXISTS (SELECT FROM touched_employment) OR EXISTS (SELECT FROM touched_member)
              OR EXISTS (SELECT FROM touched_company))
  AND ((t.company_id, t.employment_id) IN (SELECT company_id, employment_id FROM touched_employment)
       OR (t.company_id, t.member_id) IN (SELECT company_id, member_id FROM touched_member)
       OR t.company_id IN (SELECT company_id FROM touched_company))
  AND NOT EXISTS (SELECT FROM changed_contribution AS n WHERE :match);

ANALYZE touched_contribution (company_id, employment_id, member_id);
