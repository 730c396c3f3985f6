-- Whether this run was published before, and whether from this manifest.
SELECT manifest_sha256 = :'manifest' FROM pipeline.run
WHERE run_id = :'run_id' AND shard = :shard AND shards = :shards;
