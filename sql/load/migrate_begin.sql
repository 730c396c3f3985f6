BEGIN;
-- One migration at a time, whoever starts it.
SELECT pg_advisory_xact_lock(hashtextextended('pipeline.migration', 0));
