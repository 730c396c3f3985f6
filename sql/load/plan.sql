-- Everything from here on joins whole sets, of tables that the planner knows nothing of yet. It would take them for
-- small and merge them by company alone, which never ends for a large company; a hash join uses all of the keys.
SET LOCAL enable_nestloop = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_hashjoin = on;
SET LOCAL enable_sort = on;
