-- A closed month never changes, whoever writes: neither its facts nor its frozen rows. A statement that touches a row
-- of a closed month is refused as a whole. Rows are frozen before their month counts as closed, and given up after it
-- counts as open again.

CREATE OR REPLACE FUNCTION payroll.identity_columns() RETURNS text[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY['matricule', 'nir', 'ntt', 'last_name', 'first_name']
$$;
COMMENT ON FUNCTION payroll.identity_columns() IS 'The columns of frozen rows that tell who somebody is.';
REVOKE ALL ON FUNCTION payroll.identity_columns() FROM PUBLIC;

-- As a trigger per statement, which costs a bulk load far less than one per row. With the month as argument, for the
-- partition of a month, rows are not even looked at while no company has closed it.
CREATE OR REPLACE FUNCTION payroll.refuse_closed() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    closed record;
BEGIN
    IF TG_NARGS > 0 AND NOT EXISTS (SELECT FROM payroll.period AS p
                                    WHERE p.status = 'closed' AND p.payroll_month = TG_ARGV[0]::date) THEN
        RETURN NULL;
    END IF;
    -- Somebody may be taken out of frozen rows: their identity blanked, and nothing else changed.
    IF TG_OP = 'UPDATE' AND starts_with(TG_TABLE_NAME, 'closed_row') THEN
        IF NOT EXISTS (SELECT to_jsonb(n) - payroll.identity_columns() FROM new_row AS n
                       EXCEPT ALL SELECT to_jsonb(o) - payroll.identity_columns() FROM old_row AS o)
            AND NOT EXISTS (SELECT FROM new_row AS n
                            WHERE to_jsonb(n) ->> 'last_name' IS DISTINCT FROM '***'
                                OR jsonb_strip_nulls(to_jsonb(n)) ?| ARRAY['matricule', 'nir', 'ntt', 'first_name']) THEN
            RETURN NULL;
        END IF;
    END IF;
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        SELECT r.company_id, r.payroll_month INTO closed FROM old_row AS r
        JOIN payroll.period AS p ON p.company_id = r.company_id AND p.payroll_month = r.payroll_month
        WHERE p.status = 'closed' LIMIT 1;
    END IF;
    IF closed IS NULL AND TG_OP IN ('INSERT', 'UPDATE') THEN
        SELECT r.company_id, r.payroll_month INTO closed FROM new_row AS r
        JOIN payroll.period AS p ON p.company_id = r.company_id AND p.payroll_month = r.payroll_month
        WHERE p.status = 'closed' LIMIT 1;
    END IF;
    IF closed IS NULL AND TG_OP = 'TRUNCATE' THEN
        EXECUTE format('SELECT r.company_id, r.payroll_month FROM %s AS r JOIN payroll.period AS p '
                       'ON p.company_id = r.company_id AND p.payroll_month = r.payroll_month '
                       'WHERE p.status = ''closed'' LIMIT 1', TG_RELID::regclass) INTO closed;
    END IF;
    IF closed IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('payroll month %s of company %L is closed: no %s of %I',
                             to_char(closed.payroll_month, 'YYYY-MM'), closed.company_id, lower(TG_OP), TG_TABLE_NAME),
            HINT = format('Past payslips never change; corrections land in the open month. To undo the close: '
                          'SELECT payroll.reopen_period(%L, %L, ''why'')', closed.company_id, closed.payroll_month);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION payroll.refuse_closed() IS 'Refuses a statement that changes rows of a closed payroll month.';
REVOKE ALL ON FUNCTION payroll.refuse_closed() FROM PUBLIC;

-- A partition needs triggers of its own: the table's are for statements that name the table.
CREATE OR REPLACE FUNCTION payroll.guard_closed(guarded regclass, month date DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    argument text := coalesce(quote_literal(month::text), '');
BEGIN
    EXECUTE format('CREATE OR REPLACE TRIGGER closed_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS new_row '
                   'FOR EACH STATEMENT EXECUTE FUNCTION payroll.refuse_closed(%s)', guarded, argument);
    EXECUTE format('CREATE OR REPLACE TRIGGER closed_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_row '
                   'NEW TABLE AS new_row FOR EACH STATEMENT EXECUTE FUNCTION payroll.refuse_closed(%s)', guarded,
                   argument);
    EXECUTE format('CREATE OR REPLACE TRIGGER closed_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS old_row '
                   'FOR EACH STATEMENT EXECUTE FUNCTION payroll.refuse_closed(%s)', guarded, argument);
    EXECUTE format('CREATE OR REPLACE TRIGGER closed_truncate BEFORE TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION payroll.refuse_closed(%s)', guarded, argument);
END
$$;
COMMENT ON FUNCTION payroll.guard_closed(regclass, date) IS
    'Puts the triggers on a table that keep closed months as they are; month: the one month of a partition.';
REVOKE ALL ON FUNCTION payroll.guard_closed(regclass, date) FROM PUBLIC;

DO $$
DECLARE
    guarded record;
BEGIN
    FOR guarded IN
        SELECT c.oid::pg_catalog.regclass AS name,
               pg_catalog.substring(pg_catalog.pg_get_expr(c.relpartbound, c.oid),
                                    'FROM \(''([0-9-]+)''')::date AS month
        FROM pg_catalog.pg_class AS c
        LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid
        WHERE coalesce(i.inhparent, c.oid) = ANY (ARRAY[
                'payroll.contribution', 'payroll.closed_row', 'payroll.coverage',
                'payroll.invoice_control']::pg_catalog.regclass[])
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                            WHERE t.tgrelid = c.oid AND t.tgname = 'closed_truncate')
    LOOP
        PERFORM payroll.guard_closed(guarded.name, guarded.month);
    END LOOP;
END
$$;

-- A period changes only together with a line of its history. Insertion alone is free: a month that is loaded is written
-- down as open.
CREATE OR REPLACE FUNCTION payroll.refuse_untold() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM payroll.period_event AS e
                   WHERE e.company_id = OLD.company_id AND e.payroll_month = OLD.payroll_month
                       AND e.written_by = pg_current_xact_id()) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('payroll month %s of company %L is closed and reopened by functions only',
                             to_char(OLD.payroll_month, 'YYYY-MM'), OLD.company_id),
            HINT = 'payroll.close_period, payroll.reopen_period: they write down who did it and why.';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION payroll.refuse_untold() IS 'Refuses to change a period without a line in its history.';
REVOKE ALL ON FUNCTION payroll.refuse_untold() FROM PUBLIC;

CREATE OR REPLACE FUNCTION payroll.refuse_rewriting() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE object_not_in_prerequisite_state USING
        MESSAGE = format('%s of %I: what was decided stays on record', lower(TG_OP), TG_TABLE_NAME);
END
$$;
COMMENT ON FUNCTION payroll.refuse_rewriting() IS 'Refuses to rewrite what is on record.';
REVOKE ALL ON FUNCTION payroll.refuse_rewriting() FROM PUBLIC;

CREATE OR REPLACE TRIGGER period_change BEFORE UPDATE OR DELETE ON payroll.period
    FOR EACH ROW EXECUTE FUNCTION payroll.refuse_untold();
CREATE OR REPLACE TRIGGER period_truncate BEFORE TRUNCATE ON payroll.period
    FOR EACH STATEMENT EXECUTE FUNCTION payroll.refuse_rewriting();
CREATE OR REPLACE TRIGGER period_event_change BEFORE UPDATE OR DELETE OR TRUNCATE ON payroll.period_event
    FOR EACH STATEMENT EXECUTE FUNCTION payroll.refuse_rewriting();
