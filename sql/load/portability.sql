-- Former employees who stay covered without paying: under which contract, from when to when. Found once, or where parallel
-- workers have much to look at, which a temporary table keeps them from, by each of them.
CREATE TEMP :portability AS
SELECT company_id, member_id, contract_id,
       min(starts_on) AS starts_on, max(coalesce(ends_on, 'infinity')) AS ends_on
FROM now_affiliation
WHERE (company_id, member_id, contract_id) IN (SELECT company_id, member_id, contract_id FROM now_affiliation
                                               WHERE status = 'portability')
GROUP BY company_id, member_id, contract_id
HAVING every(status = 'portability');
