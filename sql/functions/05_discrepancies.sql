-- What a person says of a discrepancy. Only a run resolves one, when it no longer sees it.

CREATE OR REPLACE FUNCTION payroll.move_discrepancy(id bigint, allowed text[], wanted text, event text, note text)
RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reason text := payroll.checked_note(note);
    found_row payroll.discrepancy;
BEGIN
    SELECT * INTO found_row FROM payroll.discrepancy AS d WHERE d.id = move_discrepancy.id FOR UPDATE;
    IF NOT FOUND OR NOT payroll.may_see(found_row.company_id) THEN
        RAISE no_data_found USING
            MESSAGE = format('there is no discrepancy %s', coalesce(id::text, 'null')),
            HINT = 'Column id of report.discrepancy_inbox.';
    END IF;
    IF found_row.status <> ALL (allowed) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('discrepancy %s (%s) is %s', id, found_row.code, replace(found_row.status, '_', ' ')),
            HINT = CASE found_row.status
                WHEN 'resolved' THEN 'It is gone; should it come back, the next run opens it again.'
                WHEN wanted THEN 'Nothing to do.'
                ELSE format('Reopen it first: SELECT payroll.reopen_discrepancy(%s, ''why'')', id)
            END;
    END IF;
    UPDATE payroll.discrepancy AS d SET status = wanted
    WHERE d.company_id = found_row.company_id AND d.id = found_row.id;
    INSERT INTO payroll.discrepancy_event (company_id, discrepancy_id, actor, event, note)
    VALUES (found_row.company_id, found_row.id, payroll.actor(), move_discrepancy.event, reason);
    RETURN format('discrepancy %s (%s) is %s', id, found_row.code, replace(wanted, '_', ' '));
END
$$;
COMMENT ON FUNCTION payroll.move_discrepancy(bigint, text[], text, text, text) IS
    'Moves a discrepancy from one of the allowed statuses to the wanted one and writes the event down.';
REVOKE ALL ON FUNCTION payroll.move_discrepancy(bigint, text[], text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION payroll.accept_discrepancy(id bigint, note text) RETURNS text
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT payroll.move_discrepancy(id, ARRAY['open', 'in_progress'], 'accepted', 'accepted', note)
$$;
COMMENT ON FUNCTION payroll.accept_discrepancy(bigint, text) IS
    'Says that a discrepancy is known and agreed to: id, note. It leaves the inbox, and what it holds stays held.';
REVOKE ALL ON FUNCTION payroll.accept_discrepancy(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.accept_discrepancy(bigint, text) TO payroll_manager;

CREATE OR REPLACE FUNCTION payroll.progress_discrepancy(id bigint, note text) RETURNS text
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT payroll.move_discrepancy(id, ARRAY['open'], 'in_progress', 'progressed', note)
$$;
COMMENT ON FUNCTION payroll.progress_discrepancy(bigint, text) IS
    'Says that somebody is at work on a discrepancy, Alan for example: id, note. It resolves itself when it is gone.';
REVOKE ALL ON FUNCTION payroll.progress_discrepancy(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.progress_discrepancy(bigint, text) TO payroll_manager;

CREATE OR REPLACE FUNCTION payroll.reopen_discrepancy(id bigint, note text) RETURNS text
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT payroll.move_discrepancy(id, ARRAY['in_progress', 'accepted'], 'open', 'reopened', note)
$$;
COMMENT ON FUNCTION payroll.reopen_discrepancy(bigint, text) IS
    'Takes back that a discrepancy was accepted or in progress: id, note.';
REVOKE ALL ON FUNCTION payroll.reopen_discrepancy(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.reopen_discrepancy(bigint, text) TO payroll_manager;
