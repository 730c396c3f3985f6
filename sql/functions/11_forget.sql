-- Forgetting people gone beyond the legal period. Identifiers and amounts stay; names, birth dates, numbers and what
-- was written about the person go, and do not come back with a source that still tells of them.

-- What a source tells of somebody forgotten is blanked as it arrives. Put on the tables by the first forgetting: until
-- then a load does without.
CREATE OR REPLACE FUNCTION payroll.blank_forgotten() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_TABLE_NAME = 'employee' THEN
        UPDATE payroll.employee AS e
        SET (matricule, nir, ntt, first_name, last_name, birth_name, birth_date)
            = (NULL, NULL, NULL, NULL, '***', NULL, NULL)
        FROM new_row AS n
        JOIN payroll.forgotten AS f ON f.company_id = n.company_id AND f.kind = 'employee' AND f.id = n.employee_id
        WHERE e.company_id = n.company_id AND e.employee_id = n.employee_id AND n.last_name <> '***';
    ELSIF TG_TABLE_NAME = 'member' THEN
        UPDATE payroll.member AS m SET (nir, first_name, last_name, birth_date) = (NULL, NULL, '***', NULL)
        FROM new_row AS n
        JOIN payroll.forgotten AS f ON f.company_id = n.company_id AND f.kind = 'member' AND f.id = n.member_id
        WHERE m.company_id = n.company_id AND m.member_id = n.member_id AND n.last_name IS DISTINCT FROM '***';
    ELSIF TG_TABLE_NAME = 'affiliation' THEN
        UPDATE payroll.affiliation AS a
        SET (nir, first_name, last_name, birth_name, birth_date, exemption_proof) = (NULL, NULL, '***', NULL, NULL, NULL)
        FROM new_row AS n
        JOIN payroll.forgotten AS f ON f.company_id = n.company_id AND f.kind = 'member' AND f.id = n.member_id
        WHERE a.company_id = n.company_id AND a.affiliation_id = n.affiliation_id
            AND n.last_name IS DISTINCT FROM '***';
    ELSE
        UPDATE payroll.discrepancy AS d
        SET candidates = payroll.without_forgotten(d.company_id, d.candidates)
        FROM new_row AS n
        WHERE d.company_id = n.company_id AND d.id = n.id AND n.candidates <> '[]'
            AND n.candidates <> payroll.without_forgotten(n.company_id, n.candidates);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION payroll.blank_forgotten() IS 'Keeps what a source tells of somebody forgotten out of the tables.';
REVOKE ALL ON FUNCTION payroll.blank_forgotten() FROM PUBLIC;

CREATE OR REPLACE FUNCTION payroll.without_forgotten(company_id text, candidates jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_agg(c.value ORDER BY c.ordinality), '[]')
    FROM jsonb_array_elements(candidates) WITH ORDINALITY AS c
    WHERE NOT EXISTS (SELECT FROM payroll.forgotten AS f
                      WHERE f.company_id = without_forgotten.company_id AND f.kind = 'employee'
                          AND f.id = c.value ->> 'employee_id')
$$;
COMMENT ON FUNCTION payroll.without_forgotten(text, jsonb) IS 'The candidates of a discrepancy but for people forgotten.';
REVOKE ALL ON FUNCTION payroll.without_forgotten(text, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION payroll.guard_forgotten() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    guarded text;
BEGIN
    FOREACH guarded IN ARRAY ARRAY['employee', 'member', 'affiliation', 'discrepancy'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_trigger AS t
                              WHERE t.tgrelid = ('payroll.' || guarded)::regclass AND t.tgname = 'forgotten_update');
        EXECUTE format('CREATE TRIGGER forgotten_insert AFTER INSERT ON payroll.%I REFERENCING NEW TABLE AS new_row '
                       'FOR EACH STATEMENT EXECUTE FUNCTION payroll.blank_forgotten()', guarded);
        EXECUTE format('CREATE TRIGGER forgotten_update AFTER UPDATE ON payroll.%I REFERENCING NEW TABLE AS new_row '
                       'FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) '
                       'EXECUTE FUNCTION payroll.blank_forgotten()', guarded);
    END LOOP;
END
$$;
COMMENT ON FUNCTION payroll.guard_forgotten() IS 'Puts the triggers on the tables that sources write people to.';
REVOKE ALL ON FUNCTION payroll.guard_forgotten() FROM PUBLIC;

-- Whoever it is on both sides: an employee with the members that were theirs, or a member that was nobody's. A member
-- that is somebody else now, or was in other closed months, is not taken for this person.
CREATE OR REPLACE FUNCTION payroll.members_of(company_id text, person_id text) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(array_agg(DISTINCT m.member_id), '{}')
    FROM (
        SELECT b.member_id FROM payroll.member AS b
        WHERE b.company_id = members_of.company_id AND person_id IN (b.employee_id, b.member_id)
        UNION ALL
        SELECT l.member_id FROM payroll.link AS l
        WHERE l.company_id = members_of.company_id AND l.employee_id = person_id AND l.ended_at IS NULL
        UNION ALL
        SELECT r.member_id FROM payroll.closed_row AS r
        WHERE r.company_id = members_of.company_id AND person_id IN (r.employee_id, r.member_id)
        UNION ALL
        SELECT a.member_id FROM payroll.affiliation AS a
        WHERE a.company_id = members_of.company_id AND a.member_id = person_id
    ) AS m
    WHERE m.member_id = person_id
        OR NOT EXISTS (SELECT FROM payroll.member AS b
                       WHERE b.company_id = members_of.company_id AND b.member_id = m.member_id
                           AND b.employee_id IS DISTINCT FROM person_id)
            AND NOT EXISTS (SELECT FROM payroll.closed_row AS r
                            WHERE r.company_id = members_of.company_id AND r.member_id = m.member_id
                                AND r.employee_id <> person_id)
$$;
COMMENT ON FUNCTION payroll.members_of(text, text) IS 'The members at Alan that are an employee, or the member of that id.';
REVOKE ALL ON FUNCTION payroll.members_of(text, text) FROM PUBLIC;

-- The last day that the law counts from; an error while something about the person is still going on.
CREATE OR REPLACE FUNCTION payroll.last_day_of(company_id text, person_id text, members text[]) RETURNS date
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text := format('%L of company %L', person_id, company_id);
    going_on text;
    last_day date;
BEGIN
    SELECT string_agg(w.what, ', ' ORDER BY w.what), max(w.day) INTO going_on, last_day
    FROM (
        SELECT CASE WHEN m.ends_on IS NULL THEN format('employment %s has no end', m.employment_id) END, m.ends_on
        FROM payroll.employment AS m
        WHERE m.company_id = last_day_of.company_id AND m.employee_id = person_id
        UNION ALL
        SELECT CASE WHEN a.ends_on IS NULL AND a.status <> 'ended' THEN
                   format('affiliation %s has no end', a.affiliation_id) END, a.ends_on
        FROM payroll.affiliation AS a
        WHERE a.company_id = last_day_of.company_id AND a.member_id = ANY (members)
        UNION ALL
        SELECT CASE WHEN p.status = 'open' THEN
                   format('payroll month %s is open', to_char(t.payroll_month, 'YYYY-MM')) END,
               (t.payroll_month + interval '1 month')::date - 1
        FROM (SELECT DISTINCT c.payroll_month FROM payroll.contribution AS c
              LEFT JOIN payroll.employment AS m ON m.company_id = c.company_id AND m.employment_id = c.employment_id
              WHERE c.company_id = last_day_of.company_id
                  AND (m.employee_id = person_id OR c.member_id = ANY (members))) AS t
        LEFT JOIN payroll.period AS p ON p.company_id = last_day_of.company_id AND p.payroll_month = t.payroll_month
        UNION ALL
        SELECT NULL, (max(r.payroll_month) + interval '1 month')::date - 1 FROM payroll.closed_row AS r
        WHERE r.company_id = last_day_of.company_id AND (r.employee_id = person_id OR r.member_id = ANY (members))
        UNION ALL
        SELECT format('discrepancy %s is %s', d.id, replace(d.status, '_', ' ')), NULL
        FROM payroll.discrepancy AS d
        WHERE d.company_id = last_day_of.company_id AND d.status IN ('open', 'in_progress')
            AND (d.employee_id = person_id OR d.member_id = ANY (members))
    ) AS w (what, day);
    IF going_on IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('%s cannot be forgotten: %s', name, going_on);
    END IF;
    RETURN last_day;
END
$$;
COMMENT ON FUNCTION payroll.last_day_of(text, text, text[]) IS
    'Last day of employment, cover and payslips of a person; an error while one of them goes on.';
REVOKE ALL ON FUNCTION payroll.last_day_of(text, text, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION payroll.check_forgettable(company_id text, person_id text, members text[]) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last_day date := payroll.last_day_of(company_id, person_id, members);
    period payroll.retention;
    kept_until date;
BEGIN
    SELECT * INTO period FROM payroll.retention AS r
    WHERE r.name = 'payslip' AND r.valid_from <= current_date ORDER BY r.valid_from DESC LIMIT 1;
    kept_until := last_day + period.years * interval '1 year';
    IF last_day IS NULL THEN
        RAISE no_data_found USING
            MESSAGE = format('nothing tells when %L of company %L was last employed or covered', person_id, company_id),
            HINT = 'An employee_id or member_id, as report.identity_check and report.employee_ledger have them.';
    END IF;
    IF kept_until IS NULL THEN
        RAISE no_data_found USING MESSAGE = 'payroll.retention does not tell how long payslips are kept';
    END IF;
    IF kept_until >= current_date THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('%L of company %L is kept until %s: %s years after %s', person_id, company_id, kept_until,
                             period.years, last_day),
            HINT = period.source;
    END IF;
END
$$;
COMMENT ON FUNCTION payroll.check_forgettable(text, text, text[]) IS
    'An error while the legal period of a person has not ended.';
REVOKE ALL ON FUNCTION payroll.check_forgettable(text, text, text[]) FROM PUBLIC;

-- Frozen rows lose the person, and their months get the digest of what is left, told in their history. A digest that
-- could stand for the former rows too would have to keep a hash of the number, which is found by trying all numbers.
CREATE OR REPLACE FUNCTION payroll.forget_frozen(company_id text, person_id text, note text) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    months date[] := ARRAY(SELECT DISTINCT r.payroll_month FROM payroll.closed_row AS r
                           WHERE r.company_id = forget_frozen.company_id AND r.employee_id = person_id ORDER BY 1);
    month date;
    blanked bigint;
BEGIN
    FOREACH month IN ARRAY months LOOP
        IF payroll.verify_period(company_id, month) <> 'ok' THEN
            RAISE object_not_in_prerequisite_state USING
                MESSAGE = format('payroll month %s of company %L is not as it was closed: %s', to_char(month, 'YYYY-MM'),
                                 company_id, payroll.verify_period(company_id, month));
        END IF;
    END LOOP;
    UPDATE payroll.closed_row AS r
    SET (matricule, nir, ntt, last_name, first_name) = (NULL, NULL, NULL, '***', NULL)
    WHERE r.company_id = forget_frozen.company_id AND r.employee_id = person_id AND r.payroll_month = ANY (months);
    GET DIAGNOSTICS blanked = ROW_COUNT;
    INSERT INTO payroll.period_event (company_id, payroll_month, actor, event, note, digest)
    SELECT d.company_id, d.payroll_month, payroll.actor(), 'forgotten', forget_frozen.note, d.digest
    FROM payroll.closed_digest(array_fill(company_id, ARRAY[cardinality(months)]), months) AS d
    ORDER BY d.payroll_month;
    UPDATE payroll.period AS p SET digest = e.digest
    FROM payroll.period_event AS e
    WHERE p.company_id = forget_frozen.company_id AND p.payroll_month = ANY (months) AND p.status = 'closed'
        AND e.company_id = p.company_id AND e.payroll_month = p.payroll_month AND e.event = 'forgotten'
        AND e.written_by = pg_current_xact_id();
    RETURN blanked;
END
$$;
COMMENT ON FUNCTION payroll.forget_frozen(text, text, text) IS
    'Takes a person out of the frozen rows of closed months, and gives these their new digest.';
REVOKE ALL ON FUNCTION payroll.forget_frozen(text, text, text) FROM PUBLIC;

-- Whether a rejected record names somebody by this identifier: as a whole word of JSON or of a spreadsheet.
CREATE OR REPLACE FUNCTION payroll.tells_of(raw text, id text) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT strpos(raw, id) > 0 AND raw ~ ('(^|[^[:alnum:]])' || regexp_replace(id, '([^[:alnum:]])', '\\\1', 'g')
                                          || '($|[^[:alnum:]])')
$$;
COMMENT ON FUNCTION payroll.tells_of(text, text) IS 'Whether the text of a rejected record holds an identifier.';
REVOKE ALL ON FUNCTION payroll.tells_of(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.tells_of(text, text) TO payroll_loader;

-- Raw records that were rejected: by number, identifier or both names. What later nights reject is told by identifier
-- alone (sql/load/rejects.sql): no name and no number is left to tell it by.
CREATE OR REPLACE FUNCTION payroll.forget_rejects(company_id text, person_id text, members text[]) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH told AS MATERIALIZED (
        SELECT e.nir, e.ntt, e.first_name, e.last_name FROM payroll.employee AS e
        WHERE e.company_id = forget_rejects.company_id AND e.employee_id = person_id
        UNION
        SELECT r.nir, r.ntt, r.first_name, r.last_name FROM payroll.closed_row AS r
        WHERE r.company_id = forget_rejects.company_id AND r.employee_id = person_id
        UNION
        SELECT m.nir, NULL, m.first_name, m.last_name FROM payroll.member AS m
        WHERE m.company_id = forget_rejects.company_id AND m.member_id = ANY (members)
        UNION
        SELECT a.nir, NULL, a.first_name, a.last_name FROM payroll.affiliation AS a
        WHERE a.company_id = forget_rejects.company_id AND a.member_id = ANY (members)
    )
    UPDATE pipeline.reject AS j SET raw = NULL
    WHERE j.raw IS NOT NULL AND (j.company_id = forget_rejects.company_id OR j.company_id IS NULL)
        AND (EXISTS (SELECT FROM told AS t
                     WHERE strpos(translate(j.raw, ' .-' || chr(160) || chr(8239), ''),
                                  nullif(left(translate(t.nir, ' .-' || chr(160) || chr(8239), ''), 13), '')) > 0
                         OR strpos(j.raw, nullif(t.ntt, '')) > 0
                         OR strpos(j.raw, nullif(t.last_name, '')) > 0 AND strpos(j.raw, nullif(t.first_name, '')) > 0)
             OR EXISTS (SELECT FROM unnest(members || person_id) AS i (id) WHERE payroll.tells_of(j.raw, i.id)))
$$;
COMMENT ON FUNCTION payroll.forget_rejects(text, text, text[]) IS 'Drops rejected records that tell of a person.';
REVOKE ALL ON FUNCTION payroll.forget_rejects(text, text, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION payroll.forget_person(company_id text, person_id text, note text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reason text := payroll.checked_note(note);
    members text[];
    frozen bigint;
BEGIN
    PERFORM payroll.lock_company(company_id);
    members := payroll.members_of(company_id, person_id);
    IF EXISTS (SELECT FROM payroll.member AS m
               WHERE m.company_id = forget_person.company_id AND m.member_id = person_id
                   AND m.employee_id <> person_id) THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('member %L is employee %L', person_id,
                             (SELECT m.employee_id FROM payroll.member AS m
                              WHERE m.company_id = forget_person.company_id AND m.member_id = person_id)),
            HINT = 'Name the employee: the member is forgotten with them.';
    END IF;
    PERFORM payroll.check_forgettable(company_id, person_id, members);
    PERFORM payroll.forget_rejects(company_id, person_id, members);
    frozen := payroll.forget_frozen(company_id, person_id, reason);
    PERFORM payroll.guard_forgotten();
    INSERT INTO payroll.forgotten (company_id, kind, id, note, forgotten_by)
    SELECT forget_person.company_id, w.kind, w.id, reason, payroll.actor()
    FROM (SELECT 'member' AS kind, unnest(members) AS id
          UNION ALL SELECT 'employee', person_id WHERE person_id <> ALL (members)) AS w
    ON CONFLICT DO NOTHING;

    UPDATE payroll.employee AS e SET last_name = e.last_name
    WHERE e.company_id = forget_person.company_id AND e.employee_id = person_id;
    UPDATE payroll.member AS m SET last_name = m.last_name
    WHERE m.company_id = forget_person.company_id AND m.member_id = ANY (members);
    UPDATE payroll.affiliation AS a SET last_name = a.last_name
    WHERE a.company_id = forget_person.company_id AND a.member_id = ANY (members);
    UPDATE payroll.discrepancy AS d SET candidates = payroll.without_forgotten(d.company_id, d.candidates)
    WHERE d.company_id = forget_person.company_id AND d.candidates <> '[]';
    UPDATE payroll.discrepancy AS d SET (candidates, expected, actual) = ('[]', NULL, NULL)
    WHERE d.company_id = forget_person.company_id AND (d.employee_id = person_id OR d.member_id = ANY (members));
    UPDATE payroll.discrepancy_event AS v SET note = '***'
    FROM payroll.discrepancy AS d
    WHERE v.company_id = forget_person.company_id AND v.note IS NOT NULL
        AND d.company_id = v.company_id AND d.id = v.discrepancy_id
        AND (d.employee_id = person_id OR d.member_id = ANY (members));
    UPDATE payroll.link AS l SET note = '***', end_note = CASE WHEN l.end_note IS NOT NULL THEN '***' END
    WHERE l.company_id = forget_person.company_id AND (l.employee_id = person_id OR l.member_id = ANY (members));
    UPDATE payroll.dispense AS s
    SET note = '***', proof = NULL, end_note = CASE WHEN s.end_note IS NOT NULL THEN '***' END
    WHERE s.company_id = forget_person.company_id AND s.employee_id = person_id;
    RETURN format('%s of company %s is forgotten: names, birth dates and numbers are gone from %s frozen rows and from '
                  'everything else, amounts stay', person_id, company_id, frozen);
END
$$;
COMMENT ON FUNCTION payroll.forget_person(text, text, text) IS
    'Removes names, birth date and numbers of somebody gone beyond the legal period: company_id, employee_id (or '
    'member_id of somebody who was no employee), note. Amounts stay.';
REVOKE ALL ON FUNCTION payroll.forget_person(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.forget_person(text, text, text) TO payroll_manager;
