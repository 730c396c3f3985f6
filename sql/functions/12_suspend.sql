-- An index that is made once its table is full takes a fraction of what every row's own entry takes. load may not own the
-- tables: it has this done here, in the transaction that fills them. What was taken away is made again in that transaction
-- or the transaction does not commit.

CREATE OR REPLACE FUNCTION payroll.tree_of(relation regclass) RETURNS SETOF regclass
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT relation UNION SELECT relid FROM pg_partition_tree(relation)
$$;
COMMENT ON FUNCTION payroll.tree_of(regclass) IS 'A table and its partitions.';
REVOKE ALL ON FUNCTION payroll.tree_of(regclass) FROM PUBLIC;

-- Whether CREATE INDEX makes again all there is about its indexes. What somebody else has added to one (a comment, a
-- tablespace, options, replication) would be lost.
CREATE OR REPLACE FUNCTION payroll.has_plain_indexes(relation regclass) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT NOT EXISTS (
        SELECT FROM pg_index AS i
        JOIN pg_class AS c ON c.oid = i.indexrelid
        LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid
        WHERE i.indrelid IN (SELECT payroll.tree_of(relation))
            AND (NOT i.indisvalid OR i.indisreplident OR i.indisclustered OR c.reloptions IS NOT NULL
                 OR c.reltablespace <> 0 OR obj_description(c.oid, 'pg_class') IS NOT NULL
                 OR obj_description(k.oid, 'pg_constraint') IS NOT NULL))
$$;
COMMENT ON FUNCTION payroll.has_plain_indexes(regclass) IS
    'Whether a table''s indexes have nothing that their definitions do not tell.';
REVOKE ALL ON FUNCTION payroll.has_plain_indexes(regclass) FROM PUBLIC;

CREATE OR REPLACE FUNCTION payroll.suspend_one(wanted regclass) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT i.indexrelid::regclass AS name, k.conname,
               CASE WHEN k.oid IS NOT NULL THEN
                        format('ALTER TABLE %s ADD CONSTRAINT %I %s', wanted, k.conname, pg_get_constraintdef(k.oid))
                    WHEN c.relkind = 'I' THEN replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON ')
                    ELSE pg_get_indexdef(c.oid) END AS command
        FROM pg_index AS i
        JOIN pg_class AS c ON c.oid = i.indexrelid
        LEFT JOIN pg_constraint AS k
               ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
        WHERE i.indrelid = wanted
        ORDER BY i.indexrelid
    LOOP
        INSERT INTO pipeline.suspended (relation, command) VALUES (wanted, part.command);
        IF part.conname IS NULL THEN
            EXECUTE format('DROP INDEX %s', part.name);
        ELSE
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', wanted, part.conname);
        END IF;
    END LOOP;
    -- It has every row that is inserted kept until the statement ends; restore_indexes has the rows looked at instead.
    FOR part IN SELECT t.tgrelid::regclass AS name FROM pg_trigger AS t
                WHERE t.tgname = 'closed_insert' AND t.tgenabled = 'O'
                    AND t.tgrelid IN (SELECT payroll.tree_of(wanted)) LOOP
        INSERT INTO pipeline.suspended (relation, command)
        VALUES (wanted, format('ALTER TABLE %s ENABLE TRIGGER closed_insert', part.name));
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER closed_insert', part.name);
    END LOOP;
END
$$;
COMMENT ON FUNCTION payroll.suspend_one(regclass) IS 'Takes a table''s indexes away, and its guard of closed months.';
REVOKE ALL ON FUNCTION payroll.suspend_one(regclass) FROM PUBLIC;

-- A table that somebody else is using is left as it is: nobody is waited for, and a second load that is filling it too
-- takes the slower way.
CREATE OR REPLACE FUNCTION payroll.suspend_indexes(wanted regclass[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation regclass;
    filled boolean;
    n bigint := 0;
BEGIN
    FOR relation IN SELECT w FROM unnest(wanted) AS w
                    JOIN pg_class AS c ON c.oid = w
                    WHERE c.relnamespace = 'payroll'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                        AND payroll.has_plain_indexes(w) LOOP
        BEGIN
            EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE NOWAIT', relation);
            EXECUTE format('SELECT EXISTS (SELECT FROM %s)', relation) INTO filled;
            IF filled THEN
                RAISE lock_not_available; -- which gives the lock back
            END IF;
            PERFORM payroll.suspend_one(relation);
            n := n + 1;
        EXCEPTION
            WHEN lock_not_available OR dependent_objects_still_exist OR insufficient_privilege THEN
                NULL;
        END;
    END LOOP;
    RETURN n;
END
$$;
COMMENT ON FUNCTION payroll.suspend_indexes(regclass[]) IS
    'Takes the indexes of those tables away that are empty and in nobody else''s use, until restore_indexes in the same '
    'transaction: how many. They are locked to its end.';
REVOKE ALL ON FUNCTION payroll.suspend_indexes(regclass[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.suspend_indexes(regclass[]) TO payroll_loader;

CREATE OR REPLACE FUNCTION payroll.restore_indexes() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation regclass;
    command text;
BEGIN
    FOR command IN SELECT s.command FROM pipeline.suspended AS s ORDER BY s.suspended_id LOOP
        EXECUTE command;
    END LOOP;
    -- A row of a closed month is refused by the guard against updates, which says so.
    FOR relation IN SELECT DISTINCT s.relation FROM pipeline.suspended AS s
                    JOIN pg_attribute AS a ON a.attrelid = s.relation AND a.attname = 'payroll_month' LOOP
        EXECUTE format('UPDATE %s SET company_id = company_id WHERE (company_id, payroll_month) IN '
                       '(SELECT company_id, payroll_month FROM payroll.period WHERE status = ''closed'')', relation);
    END LOOP;
    DELETE FROM pipeline.suspended;
END
$$;
COMMENT ON FUNCTION payroll.restore_indexes() IS
    'Makes what suspend_indexes took away again, and checks what came meanwhile as that would have.';
REVOKE ALL ON FUNCTION payroll.restore_indexes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.restore_indexes() TO payroll_loader;

CREATE OR REPLACE FUNCTION pipeline.refuse_suspended() RETURNS trigger
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM pipeline.suspended AS s WHERE s.suspended_id = NEW.suspended_id) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('indexes of %s are taken away', NEW.relation),
            HINT = 'SELECT payroll.restore_indexes() before the transaction ends.';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pipeline.refuse_suspended() IS 'Refuses to commit while indexes are taken away.';
REVOKE ALL ON FUNCTION pipeline.refuse_suspended() FROM PUBLIC;

DROP TRIGGER IF EXISTS suspended_restored ON pipeline.suspended;
CREATE CONSTRAINT TRIGGER suspended_restored AFTER INSERT ON pipeline.suspended
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pipeline.refuse_suspended();
