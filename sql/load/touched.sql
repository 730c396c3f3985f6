-- The contributions that check_ready looks at: of companies that sent only what differs from a load that was checked,
-- those of contracts of employment where something differs that decides it; of all others, every one.
CREATE TEMP TABLE touched_contribution ON COMMIT DROP AS
SELECT t.*
FROM now_contribution AS t
JOIN (
    SELECT company_id, employment_id FROM changed_contribution
    UNION
    SELECT company_id, employment_id FROM changed_employment
    UNION
    SELECT company_id, employment_id FROM changed_coverage
    UNION
    SELECT t.company_id, t.employment_id
    FROM now_contribution AS t
    JOIN changed_member AS m USING (company_id, member_id)
    UNION
    SELECT t.company_id, t.employment_id
    FROM now_contribution AS t
    JOIN portability AS p USING (company_id, member_id, contract_id)
    UNION
    SELECT t.company_id, t.employment_id
    FROM now_contribution AS t
    JOIN brought AS c USING (company_id)
    WHERE NOT c.based
) AS e USING (company_id, employment_id);

ANALYZE touched_contribution;
