-- The little that differs is found row by row.
ANALYZE new_:table;
SET LOCAL enable_nestloop = on;
