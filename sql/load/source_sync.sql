-- A source that failed keeps the instant of its last success; an older run does not overwrite a newer one.
WITH inserted AS (
    INSERT INTO payroll.source_sync (company_id, source, outcome, attempted_at, synced_at, error)
    SELECT company_id, source, outcome, attempted_at, synced_at, error
    FROM this_source AS n
    WHERE NOT EXISTS (SELECT FROM payroll.source_sync AS t
                      WHERE t.company_id = n.company_id AND t.source = n.source)
    RETURNING company_id
), updated AS (
    UPDATE payroll.source_sync AS t
    SET (outcome, attempted_at, synced_at, error)
        = (n.outcome, n.attempted_at, greatest(t.synced_at, n.synced_at), n.error)
    FROM this_source AS n
    WHERE t.company_id = n.company_id AND t.source = n.source
      AND (t.attempted_at <= n.attempted_at OR t.attempted_at IS NULL)
      AND (t.outcome, t.attempted_at, t.synced_at, t.error)
          IS DISTINCT FROM (n.outcome, n.attempted_at, greatest(t.synced_at, n.synced_at), n.error)
    RETURNING t.company_id
), deleted AS (
    DELETE FROM payroll.source_sync AS t
    USING this_company AS c
    WHERE t.company_id = c.company_id
      AND NOT EXISTS (SELECT FROM this_source AS n WHERE n.company_id = t.company_id AND n.source = t.source)
    RETURNING t.company_id
)
SELECT (SELECT count(*) FROM inserted), (SELECT count(*) FROM updated), (SELECT count(*) FROM deleted);
