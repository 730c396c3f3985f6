-- The run as published. finished_at tells this attempt from others: after a connection lost at COMMIT it is looked up.
INSERT INTO pipeline.run (run_id, shard, shards, period, as_of, manifest_sha256, status, counts, cents, started_at,
                          finished_at, stale_after, tool_version)
VALUES (:'run_id', :shard, :shards, :'period', :'as_of', :'manifest', :'status', :'counts', :'cents', :'started_at',
        clock_timestamp(), make_interval(secs => :stale_after), :'version')
ON CONFLICT (run_id, shard, shards) DO UPDATE
SET (period, as_of, manifest_sha256, status, counts, cents, started_at, finished_at, stale_after, tool_version)
    = (excluded.period, excluded.as_of, excluded.manifest_sha256, excluded.status, excluded.counts, excluded.cents,
       excluded.started_at, excluded.finished_at, excluded.stale_after, excluded.tool_version)
RETURNING finished_at;
