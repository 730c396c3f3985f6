ANALYZE change_:table;
-- A few changes are found faster one by one.
SET LOCAL enable_nestloop = on;
