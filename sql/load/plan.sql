-- Everything from here on joins whole sets, of tables that the planner knows nothing of yet.
SET LOCAL enable_nestloop = off;
