-- Whether this run was published before, and whether its row may stay: of the same manifest, and not of a few of its
-- companies (--company) when this load takes them all.
SELECT manifest_sha256 = :'manifest' AND NOT (:whole AND counts ? 'only') FROM pipeline.run
WHERE run_id = :'run_id' AND shard = :shard AND shards = :shards;
