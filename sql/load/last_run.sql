-- The run published last of this month, by the same shard.
SELECT run_id FROM pipeline.run
WHERE period = :'period' AND shard = :shard AND shards = :shards
ORDER BY finished_at DESC
LIMIT 1;
