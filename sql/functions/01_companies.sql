-- Roles that see some companies only. Row-level security is turned on by the first restriction and off with the last:
-- where nobody is restricted it costs nothing, neither a plan nor a load.

-- Null: every company. Restricted is who is, or may become, a restricted role; failing that, whoever logged in, whom
-- SET ROLE does not free. Owners of the tables and loaders are not: they need every company.
CREATE OR REPLACE FUNCTION payroll.visible_companies(who name) RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT array_agg(DISTINCT c.company_id) FILTER (WHERE c.company_id IS NOT NULL) || '{}'::text[]
    FROM (
        SELECT r.company_ids, a.place, min(a.place) OVER () AS first_place
        FROM unnest(ARRAY[who, session_user]) WITH ORDINALITY AS a (role, place)
        JOIN payroll.role_restriction AS r ON pg_has_role(a.role, r.role::oid, 'MEMBER')
        WHERE r.ended_at IS NULL
            AND NOT pg_has_role(a.role, (SELECT k.relowner FROM pg_class AS k
                                         WHERE k.oid = 'payroll.company'::regclass), 'MEMBER')
            AND NOT pg_has_role(who, 'payroll_loader', 'USAGE')
    ) AS s
    LEFT JOIN unnest(s.company_ids) AS c (company_id) ON true
    WHERE s.place = s.first_place
    HAVING count(*) > 0
$$;
COMMENT ON FUNCTION payroll.visible_companies(name) IS
    'The companies that a role sees, as whoever logged in acts under it; null: all of them.';
REVOKE ALL ON FUNCTION payroll.visible_companies(name) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.visible_companies(name) TO payroll_manager, payroll_reader;

-- Inside SECURITY DEFINER functions, which row-level security does not hold back.
CREATE OR REPLACE FUNCTION payroll.may_see(company_id text) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    visible text[];
BEGIN
    IF NOT EXISTS (SELECT FROM payroll.role_restriction AS r WHERE r.ended_at IS NULL) THEN
        RETURN true;
    END IF;
    visible := payroll.visible_companies(coalesce(nullif(current_setting('role'), 'none'), session_user)::name);
    RETURN coalesce(company_id = ANY (visible), visible IS NULL);
END
$$;
COMMENT ON FUNCTION payroll.may_see(text) IS
    'Whether the caller of a function that runs with its owner''s rights sees a company; null: sees every company.';
REVOKE ALL ON FUNCTION payroll.may_see(text) FROM PUBLIC;

-- Every table that tells of companies, those of later migrations too. The subqueries are worked out once per query.
CREATE OR REPLACE FUNCTION payroll.guard_companies() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    restricted boolean := EXISTS (SELECT FROM payroll.role_restriction AS r WHERE r.ended_at IS NULL);
    everything CONSTANT text := '(SELECT payroll.visible_companies(current_user) IS NULL)';
    one_company CONSTANT text := everything
        || ' OR company_id = ANY ((SELECT payroll.visible_companies(current_user))::text[])';
    guarded record;
BEGIN
    FOR guarded IN
        SELECT c.oid::regclass AS name, c.relrowsecurity,
               CASE c.oid
                   -- accounts of every company without its own
                   WHEN 'payroll.account'::regclass THEN 'company_id IS NULL OR ' || one_company
                   -- its counts are of all companies together
                   WHEN 'pipeline.run'::regclass THEN everything
                   WHEN 'payroll.role_restriction'::regclass THEN
                       everything || ' OR pg_has_role(role::oid, ''MEMBER'')'
                   ELSE one_company
               END AS condition
        FROM pg_class AS c
        WHERE c.relnamespace IN ('payroll'::regnamespace, 'pipeline'::regnamespace) AND c.relkind IN ('r', 'p')
            AND NOT c.relispartition
            AND (c.oid IN ('pipeline.run'::regclass, 'payroll.role_restriction'::regclass)
                 OR EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'company_id'))
    LOOP
        CONTINUE WHEN NOT restricted AND NOT guarded.relrowsecurity;
        EXECUTE format('DROP POLICY IF EXISTS companies ON %s', guarded.name);
        EXECUTE format('DROP POLICY IF EXISTS loader ON %s', guarded.name);
        IF restricted THEN
            EXECUTE format('CREATE POLICY companies ON %s FOR SELECT TO payroll_manager, payroll_reader USING (%s)',
                           guarded.name, guarded.condition);
            EXECUTE format('CREATE POLICY loader ON %s TO payroll_loader USING (true) WITH CHECK (true)', guarded.name);
            EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', guarded.name);
        ELSE
            EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', guarded.name);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION payroll.guard_companies() IS
    'Puts row-level security on every table that tells of companies, or takes it off when no role is restricted.';
REVOKE ALL ON FUNCTION payroll.guard_companies() FROM PUBLIC;

-- For the owner of the tables alone: nobody is granted it.
CREATE OR REPLACE FUNCTION payroll.restrict_role(role name, company_ids text[], note text) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reason text := payroll.checked_note(note);
    restricted regrole := to_regrole(quote_ident(role));
    wanted text[] := ARRAY(SELECT DISTINCT c FROM unnest(company_ids) AS c ORDER BY c);
BEGIN
    IF restricted IS NULL THEN
        RAISE undefined_object USING
            MESSAGE = format('there is no role %L', role);
    END IF;
    IF pg_has_role(restricted::oid, 'payroll_loader', 'USAGE') THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('role %I loads and cannot be restricted', role),
            HINT = 'load needs every company; give it --company, or a configuration of its own.';
    END IF;
    PERFORM payroll.check_company(c) FROM unnest(wanted) AS c;
    PERFORM pg_advisory_xact_lock(hashtextextended('payroll.role_restriction', 0));
    UPDATE payroll.role_restriction AS r SET ended_at = clock_timestamp(), ended_by = payroll.actor()
    WHERE r.role = restricted AND r.ended_at IS NULL;
    IF company_ids IS NOT NULL THEN
        INSERT INTO payroll.role_restriction (role, company_ids, note, recorded_by)
        VALUES (restricted, wanted, reason, payroll.actor());
    END IF;
    PERFORM payroll.guard_companies();
    RETURN CASE WHEN company_ids IS NULL THEN format('role %I sees every company', role)
                ELSE format('role %I sees %s companies', role, cardinality(wanted)) END;
END
$$;
COMMENT ON FUNCTION payroll.restrict_role(name, text[], text) IS
    'Has a role and its members see these companies only: role, company_ids ({}: none, null: all again), note. '
    'For the owner of the tables.';
REVOKE ALL ON FUNCTION payroll.restrict_role(name, text[], text) FROM PUBLIC;

-- What reports need of runs, whose counts a restricted role does not see.
CREATE OR REPLACE FUNCTION payroll.last_run() RETURNS TABLE (as_of timestamptz, stale_after interval)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.as_of, r.stale_after FROM pipeline.run AS r ORDER BY r.started_at DESC LIMIT 1
$$;
COMMENT ON FUNCTION payroll.last_run() IS 'The instant that stood for now in the latest run, and its rules.stale_after.';
REVOKE ALL ON FUNCTION payroll.last_run() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.last_run() TO payroll_manager, payroll_reader;

CREATE OR REPLACE FUNCTION payroll.run_period(run_id text, shard integer, shards integer) RETURNS date
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.period FROM pipeline.run AS r
    WHERE r.run_id = run_period.run_id AND r.shard = run_period.shard AND r.shards = run_period.shards
$$;
COMMENT ON FUNCTION payroll.run_period(text, integer, integer) IS 'Payroll month of a run: run_id, shard, shards.';
REVOKE ALL ON FUNCTION payroll.run_period(text, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.run_period(text, integer, integer) TO payroll_manager, payroll_reader;

DO $$BEGIN PERFORM payroll.guard_companies(); END$$;
