-- After a connection lost at COMMIT: did this attempt publish the run?
SELECT true FROM pipeline.run
WHERE run_id = $1 AND shard = $2::integer AND shards = $3::integer AND finished_at = $4::timestamptz;
