-- Who is who, decided by a person. The next run honours it: held lines become ready, the discrepancy resolves itself.

CREATE OR REPLACE FUNCTION payroll.link_member(company_id text, member_id text, employee_id text, note text)
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reason text := payroll.checked_note(note);
    person payroll.member;
    former payroll.link;
    left_on date;
    billed_from date;
BEGIN
    PERFORM payroll.check_company(company_id);
    SELECT * INTO person FROM payroll.member AS m
    WHERE m.company_id = link_member.company_id AND m.member_id = link_member.member_id;
    IF NOT FOUND THEN
        RAISE no_data_found USING
            MESSAGE = format('company %L has no member %L at Alan', company_id, member_id),
            HINT = 'report.identity_check lists employees and members.';
    END IF;
    PERFORM payroll.check_employee(company_id, employee_id);

    SELECT * INTO former FROM payroll.link AS l
    WHERE l.company_id = link_member.company_id AND l.member_id = link_member.member_id AND l.ended_at IS NULL;
    IF FOUND THEN
        RAISE unique_violation USING
            MESSAGE = format('member %L is already linked to employee %L, by %s on %s', member_id, former.employee_id,
                             former.recorded_by, to_char(former.recorded_at, 'YYYY-MM-DD')),
            HINT = format('Take that link back first: SELECT payroll.unlink_member(%L, %L, ''why'')', company_id,
                          member_id);
    END IF;
    -- Numbers go before links, so such a link would do nothing.
    IF person.matched_by IN ('nir', 'ntt') AND person.employee_id <> link_member.employee_id THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('the number of member %L is that of employee %L', member_id, person.employee_id),
            HINT = 'Have the wrong number corrected, at Alan or in payroll: a link does not override equal numbers.';
    END IF;

    -- Nothing of this member could ever go on a payslip of theirs.
    SELECT max(coalesce(m.ends_on, 'infinity')) INTO left_on FROM payroll.employment AS m
    WHERE m.company_id = link_member.company_id AND m.employee_id = link_member.employee_id;
    SELECT date_trunc('month', min(t.cover_from)::timestamp)::date INTO billed_from FROM payroll.contribution AS t
    WHERE t.company_id = link_member.company_id AND t.member_id = link_member.member_id;
    IF left_on < billed_from THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('employee %L left on %s, and member %L is billed from %s on', employee_id, left_on, member_id,
                             to_char(billed_from, 'YYYY-MM')),
            HINT = 'Have Alan end the cover and credit it, or link the member to somebody who was employed then.';
    END IF;

    INSERT INTO payroll.link (company_id, member_id, employee_id, note, recorded_by)
    VALUES (link_member.company_id, link_member.member_id, link_member.employee_id, reason, payroll.actor());
    RETURN format('member %s is employee %s from the next run on', member_id, employee_id);
END
$$;
COMMENT ON FUNCTION payroll.link_member(text, text, text, text) IS
    'Says that a member at Alan is an employee in payroll: company_id, member_id, employee_id, note.';
REVOKE ALL ON FUNCTION payroll.link_member(text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.link_member(text, text, text, text) TO payroll_manager;

CREATE OR REPLACE FUNCTION payroll.unlink_member(company_id text, member_id text, note text)
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reason text := payroll.checked_note(note);
    former_employee_id text;
BEGIN
    PERFORM payroll.check_company(company_id);
    UPDATE payroll.link AS l
    SET ended_at = clock_timestamp(), ended_by = payroll.actor(), end_note = reason
    WHERE l.company_id = unlink_member.company_id AND l.member_id = unlink_member.member_id AND l.ended_at IS NULL
    RETURNING l.employee_id INTO former_employee_id;
    IF NOT FOUND THEN
        RAISE no_data_found USING
            MESSAGE = format('member %L of company %L is not linked', member_id, company_id),
            HINT = 'A member matched by number has no link: report.identity_check tells which is which.';
    END IF;
    RETURN format('member %s is no longer linked to employee %s from the next run on', member_id, former_employee_id);
END
$$;
COMMENT ON FUNCTION payroll.unlink_member(text, text, text) IS
    'Takes the link of a member back: company_id, member_id, note. The link stays on record.';
REVOKE ALL ON FUNCTION payroll.unlink_member(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.unlink_member(text, text, text) TO payroll_manager;
