-- Migrations applied so far, oldest first; no row before the first one.
SELECT version, name, sha256 FROM pipeline.migration ORDER BY version;
