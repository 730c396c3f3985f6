-- The little that differs is found row by row; taking the table for small, the planner would read all of it each time.
ANALYZE new_:table (company_id);
SET LOCAL enable_nestloop = on;
SET LOCAL enable_hashjoin = off;
