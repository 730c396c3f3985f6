-- The contributions that check_ready looks at: of companies that sent only what differs from a load that was checked,
-- those where something differs that decides them; of all others, every one. In one pass.
CREATE TEMP TABLE touched_contribution ON COMMIT DROP AS
SELECT t.*
FROM now_contribution AS t
WHERE (t.company_id, t.employment_id) IN (
          SELECT company_id, employment_id FROM changed_contribution
          UNION ALL
          SELECT company_id, employment_id FROM changed_employment
          UNION ALL
          SELECT company_id, employment_id FROM changed_coverage)
   OR (t.company_id, t.member_id) IN (
          SELECT company_id, member_id FROM changed_member
          UNION ALL
          SELECT company_id, member_id FROM portability)
   OR t.company_id IN (SELECT company_id FROM brought WHERE NOT based);

ANALYZE touched_contribution (company_id, employment_id, member_id);
