-- What the functions of the payroll manager share. Nobody is granted these: they run inside the others.

-- The one who logged in, whom a SECURITY DEFINER function and SET ROLE do not hide: "marie", or "app as marie" after
-- SET ROLE marie.
CREATE OR REPLACE FUNCTION payroll.actor() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN current_setting('role') IN ('none', session_user::text) THEN session_user::text
                ELSE session_user || ' as ' || current_setting('role') END
$$;
COMMENT ON FUNCTION payroll.actor() IS 'The database user who is acting, for the record.';
REVOKE ALL ON FUNCTION payroll.actor() FROM PUBLIC;

CREATE OR REPLACE FUNCTION payroll.checked_note(note text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF note IS NULL OR note !~ '[[:alnum:]]' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'the note is empty',
            HINT = 'Say why in a few words: the note is kept with your name and the time.';
    END IF;
    -- report.discrepancy_inbox writes <word> where only a person knows.
    IF note ~ '^\s*<[^<>]*>\s*$' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('the note is still %s', btrim(note)),
            HINT = 'Say why in a few words in its place.';
    END IF;
    IF length(note) > 1000 THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('the note has %s characters, at most 1000 are kept', length(note));
    END IF;
    RETURN btrim(note, E' \t\r\n');
END
$$;
COMMENT ON FUNCTION payroll.checked_note(text) IS 'The note without blanks around it; an error when it says nothing.';
REVOKE ALL ON FUNCTION payroll.checked_note(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION payroll.check_company(company_id text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM payroll.company AS c WHERE c.company_id = check_company.company_id)
        OR NOT payroll.may_see(company_id) THEN
        RAISE no_data_found USING
            MESSAGE = format('unknown company %L', check_company.company_id),
            HINT = 'report.sync_status lists the companies.';
    END IF;
END
$$;
COMMENT ON FUNCTION payroll.check_company(text) IS 'An error when there is no such company, or the caller does not see it.';
REVOKE ALL ON FUNCTION payroll.check_company(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION payroll.check_employee(company_id text, employee_id text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM payroll.employee AS e
                   WHERE e.company_id = check_employee.company_id AND e.employee_id = check_employee.employee_id) THEN
        RAISE no_data_found USING
            MESSAGE = format('company %L has no employee %L', check_employee.company_id, check_employee.employee_id),
            HINT = 'report.identity_check lists employees and members; an employee hired since the last run is there '
                   'after the next one.';
    END IF;
END
$$;
COMMENT ON FUNCTION payroll.check_employee(text, text) IS 'An error when the company has no such employee.';
REVOKE ALL ON FUNCTION payroll.check_employee(text, text) FROM PUBLIC;
