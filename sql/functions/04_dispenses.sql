-- Dispenses recorded by a person. A record is never changed: ending one early stamps it and, when it ran at all, adds
-- the shorter one in its place.

CREATE OR REPLACE FUNCTION payroll.record_dispense(company_id text, employee_id text, ground text, valid_from date,
                                                   valid_to date, proof text, note text)
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reason text := payroll.checked_note(note);
    document text := nullif(btrim(proof), '');
    other payroll.dispense;
BEGIN
    PERFORM payroll.check_company(company_id);
    PERFORM payroll.check_employee(company_id, employee_id);
    IF NOT EXISTS (SELECT FROM payroll.dispense_ground AS g WHERE g.ground = record_dispense.ground) THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('%L is no ground for a dispense', ground),
            HINT = (SELECT 'One of: ' || string_agg(g.ground, ', ' ORDER BY g.ground)
                    FROM payroll.dispense_ground AS g);
    END IF;
    IF valid_from IS NULL OR valid_to < valid_from THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('a dispense cannot run from %L to %L', valid_from, valid_to),
            HINT = 'valid_from is its first day; valid_to its last, or null while it has no end.';
    END IF;
    IF document ~ '^<[^<>]*>$' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('the proof is still %s', document),
            HINT = 'Name the document in its place, or say where it is kept; null while there is none.';
    END IF;
    IF octet_length(document) > 500 THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'proof is longer than 500 bytes',
            HINT = 'It names the document, or says where it is kept.';
    END IF;

    PERFORM pg_advisory_xact_lock(hashtextextended(format('payroll.dispense %L %L', company_id, employee_id), 0));
    SELECT * INTO other FROM payroll.dispense AS d
    WHERE d.company_id = record_dispense.company_id AND d.employee_id = record_dispense.employee_id
        AND d.ended_at IS NULL
        AND daterange(d.valid_from, d.valid_to, '[]')
            && daterange(record_dispense.valid_from, record_dispense.valid_to, '[]')
    ORDER BY d.valid_from
    LIMIT 1;
    IF FOUND THEN
        RAISE exclusion_violation USING
            MESSAGE = format('employee %L already has a dispense (%s) from %s to %s', employee_id, other.ground,
                             other.valid_from, coalesce(other.valid_to::text, 'no end')),
            HINT = format('End it first: SELECT payroll.end_dispense(%L, %L, %L, ''why'')', company_id, employee_id,
                          greatest(valid_from, other.valid_from) - 1);
    END IF;

    INSERT INTO payroll.dispense (company_id, employee_id, ground, valid_from, valid_to, proof, note, recorded_by)
    VALUES (record_dispense.company_id, record_dispense.employee_id, record_dispense.ground,
            record_dispense.valid_from, record_dispense.valid_to, document, reason, payroll.actor());
    RETURN format('employee %s is exempt (%s) from %s to %s', employee_id, ground, valid_from,
                  coalesce(valid_to::text, 'no end'));
END
$$;
COMMENT ON FUNCTION payroll.record_dispense(text, text, text, date, date, text, text) IS
    'Records that an employee declines the cover: company_id, employee_id, ground, valid_from, valid_to, proof, note.';
REVOKE ALL ON FUNCTION payroll.record_dispense(text, text, text, date, date, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.record_dispense(text, text, text, date, date, text, text) TO payroll_manager;

CREATE OR REPLACE FUNCTION payroll.end_dispense(company_id text, employee_id text, valid_to date, note text)
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reason text := payroll.checked_note(note);
    former payroll.dispense;
    in_force text;
BEGIN
    PERFORM payroll.check_company(company_id);
    IF valid_to IS NULL THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'valid_to is missing',
            HINT = 'It is the last day of the dispense; the day before its first day withdraws it altogether.';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(format('payroll.dispense %L %L', company_id, employee_id), 0));
    UPDATE payroll.dispense AS d
    SET ended_at = clock_timestamp(), ended_by = payroll.actor(), end_note = reason
    WHERE d.company_id = end_dispense.company_id AND d.employee_id = end_dispense.employee_id AND d.ended_at IS NULL
        AND d.valid_from <= end_dispense.valid_to + 1
        AND (d.valid_to IS NULL OR d.valid_to > end_dispense.valid_to)
    RETURNING * INTO former;
    IF NOT FOUND THEN
        SELECT string_agg(format('%s from %s to %s', d.ground, d.valid_from, coalesce(d.valid_to::text, 'no end')), ', '
                          ORDER BY d.valid_from)
        INTO in_force
        FROM payroll.dispense AS d
        WHERE d.company_id = end_dispense.company_id AND d.employee_id = end_dispense.employee_id
            AND d.ended_at IS NULL;
        RAISE no_data_found USING
            MESSAGE = format('employee %L of company %L has no dispense that could end on %s', employee_id, company_id,
                             valid_to),
            HINT = coalesce('In force: ' || in_force,
                            'None was recorded here; one that Alan or payroll holds is ended there.');
    END IF;
    IF former.valid_from <= valid_to THEN
        INSERT INTO payroll.dispense (company_id, employee_id, ground, valid_from, valid_to, proof, note, recorded_by)
        VALUES (former.company_id, former.employee_id, former.ground, former.valid_from, end_dispense.valid_to,
                former.proof, former.note, payroll.actor());
        RETURN format('the dispense of employee %s ends on %s', employee_id, valid_to);
    END IF;
    RETURN format('the dispense of employee %s from %s is withdrawn', employee_id, former.valid_from);
END
$$;
COMMENT ON FUNCTION payroll.end_dispense(text, text, date, text) IS
    'Ends the dispense of an employee, valid_to being its last day: company_id, employee_id, valid_to, note.';
REVOKE ALL ON FUNCTION payroll.end_dispense(text, text, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.end_dispense(text, text, date, text) TO payroll_manager;
