-- The run's rejects, replaced where they differ. With --company, those of the companies loaded.
WITH old AS MATERIALIZED (
    SELECT reject_id, stage, entity, company_id, reason, faults, source, line, raw
    FROM pipeline.reject
    WHERE run_id = :'run_id' AND shard = :shard AND shards = :shards
      AND (:whole OR company_id IN (SELECT company_id FROM this_company))
), is_other AS MATERIALIZED (
    SELECT EXISTS (SELECT stage, entity, company_id, reason, faults, source, line, raw FROM old
                   EXCEPT ALL SELECT * FROM new_reject)
        OR EXISTS (SELECT * FROM new_reject
                   EXCEPT ALL SELECT stage, entity, company_id, reason, faults, source, line, raw FROM old) AS answer
), deleted AS (
    DELETE FROM pipeline.reject AS t
    USING old, is_other
    WHERE t.reject_id = old.reject_id AND is_other.answer
    RETURNING t.reject_id
), inserted AS (
    INSERT INTO pipeline.reject (run_id, shard, shards, stage, entity, company_id, reason, faults, source, line, raw)
    SELECT :'run_id', :shard, :shards, n.*
    FROM new_reject AS n, is_other
    WHERE is_other.answer
    RETURNING reject_id
)
SELECT (SELECT count(*) FROM inserted), 0, (SELECT count(*) FROM deleted);
