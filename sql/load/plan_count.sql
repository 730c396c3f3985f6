-- Counting tables that the planner takes for small, it would sort them first.
SET LOCAL enable_sort = off;
SET LOCAL enable_nestloop = off;
