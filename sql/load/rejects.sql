-- The run's rejects, replaced where they differ. With --company, those of the companies loaded. Of somebody forgotten
-- the text is not kept.
WITH brought AS MATERIALIZED (
    SELECT n.stage, n.entity, n.company_id, n.reason, n.faults, n.source, n.line,
           CASE WHEN NOT EXISTS (SELECT FROM payroll.forgotten AS f
                                 WHERE (f.company_id = n.company_id OR n.company_id IS NULL)
                                     AND payroll.tells_of(n.raw, f.id)) THEN n.raw END AS raw
    FROM new_reject AS n
), old AS MATERIALIZED (
    SELECT reject_id, stage, entity, company_id, reason, faults, source, line, raw
    FROM pipeline.reject
    WHERE run_id = :'run_id' AND shard = :shard AND shards = :shards
      AND (:whole OR company_id IN (SELECT company_id FROM this_company))
), is_other AS MATERIALIZED (
    SELECT EXISTS (SELECT stage, entity, company_id, reason, faults, source, line, raw FROM old
                   EXCEPT ALL SELECT * FROM brought)
        OR EXISTS (SELECT * FROM brought
                   EXCEPT ALL SELECT stage, entity, company_id, reason, faults, source, line, raw FROM old) AS answer
), deleted AS (
    DELETE FROM pipeline.reject AS t
    USING old, is_other
    WHERE t.reject_id = old.reject_id AND is_other.answer
    RETURNING t.reject_id
), inserted AS (
    INSERT INTO pipeline.reject (run_id, shard, shards, stage, entity, company_id, reason, faults, source, line, raw)
    SELECT :'run_id', :shard, :shards, n.*
    FROM brought AS n, is_other
    WHERE is_other.answer
    RETURNING reject_id
)
SELECT (SELECT count(*) FROM inserted), 0, (SELECT count(*) FROM deleted);
