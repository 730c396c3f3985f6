-- Partitions of payroll.contribution and payroll.closed_row. load may not own the tables: it makes a month's partitions
-- through this function.

CREATE OR REPLACE FUNCTION payroll.ensure_partition(month date) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parent text;
    partition text;
    next_month date := month + interval '1 month';
BEGIN
    IF month IS NULL OR extract(day FROM month) <> 1 THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('a payroll month is given by its first day, not %L', month);
    END IF;
    FOREACH parent IN ARRAY ARRAY['contribution', 'closed_row'] LOOP
        partition := parent || '_' || to_char(month, 'YYYY_MM');
        CONTINUE WHEN to_regclass('payroll.' || partition) IS NOT NULL;
        -- Two loads that both need the month: the second waits for the first to commit, then finds the partition, by a
        -- query, since to_regclass would still answer from what this session remembers.
        PERFORM pg_advisory_xact_lock(hashtextextended('payroll.' || partition, 0));
        CONTINUE WHEN EXISTS (SELECT FROM pg_class
                              WHERE relnamespace = 'payroll'::regnamespace AND relname = partition);
        -- Made beside and then attached, which lets others read and write the other months meanwhile.
        -- Contributions change while their month is open: some room for that in every page. Frozen rows do not.
        EXECUTE format('CREATE TABLE payroll.%I (LIKE payroll.%I INCLUDING ALL) WITH (fillfactor = %s)', partition, parent,
                       CASE parent WHEN 'contribution' THEN 94 ELSE 100 END);
        EXECUTE format('COMMENT ON TABLE payroll.%I IS %L', partition,
                       CASE parent WHEN 'contribution' THEN 'Contributions' ELSE 'Frozen rows' END
                       || ' of payroll month ' || to_char(month, 'YYYY-MM') || '.');
        PERFORM payroll.guard_closed(format('payroll.%I', partition)::regclass, month);
        IF parent = 'contribution' THEN
            EXECUTE format('GRANT INSERT ON payroll.%I TO payroll_loader', partition);
        END IF;
        EXECUTE format('ALTER TABLE payroll.%I ATTACH PARTITION payroll.%I FOR VALUES FROM (%L) TO (%L)', parent,
                       partition, month, next_month);
    END LOOP;
END
$$;
COMMENT ON FUNCTION payroll.ensure_partition(date) IS
    'Makes the partitions of payroll.contribution and payroll.closed_row for a payroll month, given by its first day.';
REVOKE ALL ON FUNCTION payroll.ensure_partition(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.ensure_partition(date) TO payroll_loader;
