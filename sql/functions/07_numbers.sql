-- Whole social security numbers for report.identity_check, which must not name a column that payroll_reader may not
-- read: these run with the rights of the caller and fail for whoever has none.

CREATE OR REPLACE FUNCTION payroll.member_nir(company_id text, member_id text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT m.nir FROM payroll.member AS m
            WHERE m.company_id = member_nir.company_id AND m.member_id = member_nir.member_id);
END
$$;
COMMENT ON FUNCTION payroll.member_nir(text, text) IS
    'Social security number of a member at Alan, for those who may read it.';
REVOKE ALL ON FUNCTION payroll.member_nir(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.member_nir(text, text) TO payroll_manager, payroll_reader;

CREATE OR REPLACE FUNCTION payroll.employee_nir(company_id text, employee_id text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT e.nir FROM payroll.employee AS e
            WHERE e.company_id = employee_nir.company_id AND e.employee_id = employee_nir.employee_id);
END
$$;
COMMENT ON FUNCTION payroll.employee_nir(text, text) IS
    'Social security number of an employee, for those who may read it.';
REVOKE ALL ON FUNCTION payroll.employee_nir(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.employee_nir(text, text) TO payroll_manager, payroll_reader;

CREATE OR REPLACE FUNCTION payroll.employee_ntt(company_id text, employee_id text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT e.ntt FROM payroll.employee AS e
            WHERE e.company_id = employee_ntt.company_id AND e.employee_id = employee_ntt.employee_id);
END
$$;
COMMENT ON FUNCTION payroll.employee_ntt(text, text) IS
    'Temporary technical number of an employee, for those who may read it.';
REVOKE ALL ON FUNCTION payroll.employee_ntt(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.employee_ntt(text, text) TO payroll_manager, payroll_reader;
