ANALYZE change_:table (company_id);
-- A few changes are found faster one by one.
SET LOCAL enable_nestloop = on;
