-- Whom a DSN is about: the numbers of report.dsn_rubric, whole for who may read them, masked for others.

-- S21.G00.30.001 has 13 characters, without the key (DSN data dictionary 2024). The same shape as in common/nir.c:
-- sex 1 or 2, since provisional numbers cannot be declared; unknown months 20, 30 to 42 and 50 to 99; departments 2A
-- and 2B; no commune nor order 000, not more than five 9s at the end. A wrong key does not matter to 13 characters.
CREATE OR REPLACE FUNCTION payroll.declared_nir(nir text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT upper(left(stripped, 13))
    FROM translate(nir, ' .-' || chr(160) || chr(8239), '') AS stripped
    WHERE stripped ~ ('^[12][0-9]{2}(0[1-9]|1[0-2]|20|3[0-9]|4[0-2]|[5-9][0-9])(0[1-9]|[1-9][0-9]|2[ABab])'
                      || '(?!000)[0-9]{3}(?!000)[0-9]{3}([0-9]{2})?$')
        AND left(stripped, 13) !~ '9{6}$'
$$;
COMMENT ON FUNCTION payroll.declared_nir(text) IS
    'The 13 characters of a social security number that a DSN declares; null: it cannot be declared.';
REVOKE ALL ON FUNCTION payroll.declared_nir(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.declared_nir(text) TO payroll_manager, payroll_reader;

CREATE OR REPLACE FUNCTION payroll.declared_identity(company_id text, payroll_month date, employee_id text)
RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    nir text;
    ntt text;
BEGIN
    -- As frozen where the month is closed, else as payroll has them now.
    SELECT r.nir, r.ntt INTO nir, ntt FROM payroll.closed_row AS r
    WHERE r.company_id = declared_identity.company_id AND r.payroll_month = declared_identity.payroll_month
        AND r.employee_id = declared_identity.employee_id
    LIMIT 1;
    IF NOT FOUND THEN
        SELECT e.nir, e.ntt INTO nir, ntt FROM payroll.employee AS e
        WHERE e.company_id = declared_identity.company_id AND e.employee_id = declared_identity.employee_id;
    END IF;
    RETURN ARRAY[payroll.declared_nir(nir), ntt];
END
$$;
COMMENT ON FUNCTION payroll.declared_identity(text, date, text) IS
    'NIR and NTT that a DSN declares for an employee, each null where there is none; for those who may read them.';
REVOKE ALL ON FUNCTION payroll.declared_identity(text, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.declared_identity(text, date, text) TO payroll_manager, payroll_reader;

-- SECURITY DEFINER: which of the two there is must not depend on who asks. Masked as payroll.employee does.
CREATE OR REPLACE FUNCTION payroll.masked_identity(company_id text, payroll_month date, employee_id text)
RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    identity text[] := payroll.declared_identity(company_id, payroll_month, employee_id);
BEGIN
    IF NOT payroll.may_see(company_id) THEN
        RETURN NULL;
    END IF;
    RETURN ARRAY[left(identity[1], 1) || ' ' || substr(identity[1], 2, 2) || ' ** ** *** ***',
                 left(identity[2], 1) || ' **********'];
END
$$;
COMMENT ON FUNCTION payroll.masked_identity(text, date, text) IS
    'NIR and NTT that a DSN declares for an employee, reduced to sex and year and to the first character.';
REVOKE ALL ON FUNCTION payroll.masked_identity(text, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.masked_identity(text, date, text) TO payroll_manager, payroll_reader;
