-- Some companies of a run that was published before were loaded again: its row stays that of the whole.
UPDATE pipeline.run SET finished_at = clock_timestamp()
WHERE run_id = :'run_id' AND shard = :shard AND shards = :shards
RETURNING finished_at;
