INSERT INTO pipeline.migration (version, name, sha256) VALUES ($1::integer, $2, $3);
