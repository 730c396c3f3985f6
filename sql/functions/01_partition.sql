-- Partitions of payroll.contribution. load may not own the table: it makes a month's partition through this function.

CREATE OR REPLACE FUNCTION payroll.ensure_partition(month date) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    partition text := 'contribution_' || to_char(month, 'YYYY_MM');
    next_month date := month + interval '1 month';
BEGIN
    IF month IS NULL OR extract(day FROM month) <> 1 THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('a payroll month is given by its first day, not %L', month);
    END IF;
    IF to_regclass('payroll.' || partition) IS NOT NULL THEN
        RETURN;
    END IF;
    -- Two loads that both need the month: the second waits for the first to commit, then finds the partition, by a
    -- query, since to_regclass would still answer from what this session remembers.
    PERFORM pg_advisory_xact_lock(hashtextextended('payroll.' || partition, 0));
    IF EXISTS (SELECT FROM pg_class WHERE relnamespace = 'payroll'::regnamespace AND relname = partition) THEN
        RETURN;
    END IF;
    -- Made beside and then attached, which lets others read and write the other months meanwhile.
    EXECUTE format('CREATE TABLE payroll.%I (LIKE payroll.contribution INCLUDING ALL)', partition);
    EXECUTE format('COMMENT ON TABLE payroll.%I IS %L', partition,
                   'Contributions of payroll month ' || to_char(month, 'YYYY-MM') || '.');
    EXECUTE format('ALTER TABLE payroll.contribution ATTACH PARTITION payroll.%I FOR VALUES FROM (%L) TO (%L)',
                   partition, month, next_month);
END
$$;
COMMENT ON FUNCTION payroll.ensure_partition(date) IS
    'Makes the partition of payroll.contribution for a payroll month, given by its first day, where it is missing.';
REVOKE ALL ON FUNCTION payroll.ensure_partition(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.ensure_partition(date) TO payroll_loader;
