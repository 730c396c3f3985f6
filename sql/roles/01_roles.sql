-- Roles belong to the cluster: another database may have made them already. They cannot log in; people and programs are
-- made members of them.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['payroll_loader', 'payroll_manager', 'payroll_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN
                    NULL; -- made by another database of the cluster at the same moment
                WHEN insufficient_privilege THEN
                    RAISE insufficient_privilege USING
                        MESSAGE = pg_catalog.format('role %s does not exist and %s may not create roles', wanted,
                                                    current_user),
                        HINT = pg_catalog.format('Have an administrator run: CREATE ROLE %I NOLOGIN', wanted);
            END;
        END IF;
    END LOOP;
END
$$;
