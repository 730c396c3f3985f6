-- Closing and reopening payroll months. The company's row is locked throughout, as every load locks it: a close and a
-- load of the same company, or two closes, come one after the other, and the second sees what the first one did.

CREATE OR REPLACE FUNCTION payroll.month_of(month date) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF month IS NULL OR extract(day FROM month) <> 1 THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('a payroll month is given by its first day, not %L', month);
    END IF;
    RETURN to_char(month, 'YYYY-MM');
END
$$;
COMMENT ON FUNCTION payroll.month_of(date) IS 'A month as 2026-04; an error when it is not given by its first day.';
REVOKE ALL ON FUNCTION payroll.month_of(date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION payroll.lock_company(company_id text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- The snapshot of a whole transaction may be older than what was committed while this waited.
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        RAISE invalid_transaction_state USING
            MESSAGE = format('this transaction is %s: it would not see what a load commits while it waits for it',
                             current_setting('transaction_isolation')),
            HINT = 'Ask in a transaction of its own, or one begun with BEGIN ISOLATION LEVEL READ COMMITTED.';
    END IF;
    PERFORM FROM payroll.company AS c WHERE c.company_id = lock_company.company_id FOR NO KEY UPDATE;
    PERFORM payroll.check_company(company_id);
END
$$;
COMMENT ON FUNCTION payroll.lock_company(text) IS
    'Waits until no load, close or reopening of the company is under way; what follows sees what they did.';
REVOKE ALL ON FUNCTION payroll.lock_company(text) FROM PUBLIC;

-- ---- the digest ----

-- SHA-256 over the SHA-256 of each row, in the order of line, employment, first day of cover and status by their bytes.
-- A row is a JSON array of the columns below in this order, UTF-8. No setting of the session has a part in it.
CREATE OR REPLACE FUNCTION payroll.closed_digest(company_ids text[], months date[])
RETURNS TABLE (company_id text, payroll_month date, digest text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
    SELECT w.company_id, w.payroll_month, encode(sha256(coalesce(string_agg(
        sha256(convert_to(json_build_array(
            r.company_id, r.payroll_month, r.line_id, r.employment_id, r.cover_from, r.cover_to, r.cover_month,
            r.status, r.hold_code, r.kind, r.invoice_id, r.invoice_number, r.billing_month, r.siren, r.siret, r.employee_id,
            r.matricule, r.nir, r.ntt, r.last_name, r.first_name, r.category, r.member_id, r.contract_id, r.product,
            r.contract_reference, r.insurer_code, r.delegate_code, r.component, r.member_type, r.option_code,
            r.population_code, r.affiliation_id, r.partners, r.children, r.others, r.headcount, r.forfait_social_ppm,
            r.base_cents, r.amount_cents, r.employer_cents, r.employee_cents)::text, 'UTF8')),
        ''::bytea ORDER BY r.line_id COLLATE "C", r.employment_id COLLATE "C" NULLS FIRST, r.cover_from,
                           r.status COLLATE "C") FILTER (WHERE r.line_id IS NOT NULL), ''::bytea)), 'hex')
    FROM unnest(company_ids, months) AS w (company_id, payroll_month)
    LEFT JOIN payroll.closed_row AS r
        ON r.company_id = w.company_id AND r.payroll_month = w.payroll_month AND r.payroll_month = ANY (months)
    GROUP BY w.company_id, w.payroll_month
$$;
COMMENT ON FUNCTION payroll.closed_digest(text[], date[]) IS
    'SHA-256 of the frozen rows of payroll months: company_ids and months, in pairs.';
REVOKE ALL ON FUNCTION payroll.closed_digest(text[], date[]) FROM PUBLIC;

-- ---- freezing ----

CREATE OR REPLACE FUNCTION payroll.freeze_months(company_ids text[], months date[], actor text, note text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
    PERFORM payroll.ensure_partition(m.month) FROM (SELECT DISTINCT w.month FROM unnest(months) AS w (month)) AS m;
    INSERT INTO payroll.closed_row (
        company_id, payroll_month, line_id, employment_id, cover_from, cover_to, cover_month, status, hold_code, kind,
        invoice_id, invoice_number, billing_month, siren, siret, employee_id, matricule, nir, ntt, last_name,
        first_name, category, member_id, contract_id, product, contract_reference, insurer_code, delegate_code,
        component, member_type, option_code, population_code, affiliation_id, partners, children, others, headcount, forfait_social_ppm,
        base_cents, amount_cents, employer_cents, employee_cents)
    SELECT
        l.company_id, l.payroll_month, l.line_id, l.employment_id, l.cover_from, l.cover_to, l.cover_month, l.status,
        l.hold_code, l.kind, l.invoice_id, l.invoice_number, l.billing_month, l.siren, l.siret, l.employee_id,
        l.matricule, e.nir, e.ntt, l.last_name, l.first_name, l.category, l.member_id, l.contract_id, l.product,
        l.contract_reference, l.insurer_code, l.delegate_code, l.component, l.member_type, l.option_code, l.population_code, a.affiliation_id,
        a.partners, a.children, a.others, l.headcount, l.forfait_social_ppm, l.base_cents, l.amount_cents,
        l.employer_cents, l.employee_cents
    FROM unnest(company_ids, months) AS w (company_id, payroll_month)
    JOIN payroll.live_line AS l ON l.company_id = w.company_id AND l.payroll_month = w.payroll_month
    LEFT JOIN payroll.employee AS e ON e.company_id = l.company_id AND e.employee_id = l.employee_id
    -- as in live_line, which looks each of its columns up by itself
    LEFT JOIN LATERAL (
        SELECT f.affiliation_id, f.partners, f.children, f.others FROM payroll.affiliation AS f
        WHERE f.company_id = l.company_id AND f.member_id = l.member_id AND f.contract_id = l.contract_id
            AND f.starts_on <= l.cover_to AND coalesce(f.ends_on >= l.cover_from, true)
        ORDER BY f.starts_on DESC, f.affiliation_id LIMIT 1) AS a ON true
    WHERE l.payroll_month = ANY (months);

    INSERT INTO payroll.period_event (company_id, payroll_month, actor, event, note, digest)
    SELECT d.company_id, d.payroll_month, freeze_months.actor, 'closed', freeze_months.note, d.digest
    FROM payroll.closed_digest(company_ids, months) AS d
    ORDER BY d.payroll_month, d.company_id;

    INSERT INTO payroll.period AS p (company_id, payroll_month, status, closed_at, closed_by, note, digest)
    SELECT e.company_id, e.payroll_month, 'closed', e.happened_at, e.actor, e.note, e.digest
    FROM payroll.period_event AS e
    JOIN unnest(company_ids, months) AS w (company_id, payroll_month)
        ON w.company_id = e.company_id AND w.payroll_month = e.payroll_month
    WHERE e.written_by = pg_current_xact_id() AND e.event_id = (
        SELECT max(z.event_id) FROM payroll.period_event AS z
        WHERE z.company_id = e.company_id AND z.payroll_month = e.payroll_month)
    ON CONFLICT (company_id, payroll_month) DO UPDATE
    SET (status, closed_at, closed_by, note, digest)
        = (excluded.status, excluded.closed_at, excluded.closed_by, excluded.note, excluded.digest);
END
$$;
COMMENT ON FUNCTION payroll.freeze_months(text[], date[], text, text) IS
    'Freezes the rows of open payroll months and closes them: company_ids and months in pairs, actor, note.';
REVOKE ALL ON FUNCTION payroll.freeze_months(text[], date[], text, text) FROM PUBLIC;

-- ---- closing ----

-- What keeps held money from being closed: the discrepancies that hold it and are not accepted, and money that is held
-- though no discrepancy names it any more. What is held and what credits it again makes nothing, even where a
-- discrepancy of another month, which reads but one of the two, holds it.
CREATE OR REPLACE FUNCTION payroll.holding(company_id text, month date)
RETURNS TABLE (id bigint, code text, subject text, held_cents bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH held AS MATERIALIZED (
        SELECT *
        FROM (
            SELECT t.*, m.cover_month,
                   sum(t.amount_cents) OVER (PARTITION BY t.hold_code, coalesce(t.employment_id, t.member_id),
                                                          t.contract_id, m.cover_month) AS sum_cents
            FROM payroll.contribution AS t
            CROSS JOIN LATERAL (SELECT date_trunc('month', t.cover_from::timestamp)::date) AS m (cover_month)
            WHERE t.company_id = holding.company_id AND t.payroll_month = holding.month AND t.status = 'held'
                AND t.amount_cents <> 0
        ) AS h
        WHERE h.sum_cents <> 0
    ), blamed AS MATERIALIZED (
        SELECT h.line_id, h.employment_id, h.cover_from, h.amount_cents, d.id, d.code, d.status,
               d.subject_type || ' ' || d.subject_id AS subject
        FROM held AS h
        JOIN payroll.discrepancy AS d
            ON d.company_id = h.company_id AND d.code = h.hold_code AND d.status <> 'resolved'
            AND coalesce(d.cover_month = h.cover_month, true)
            AND (d.member_id = h.member_id OR d.employment_id = h.employment_id OR d.line_id = h.line_id
                 -- names one of those who share a number
                 OR d.code = 'nir_duplicate'
                 OR d.subject_type IN ('contract', 'invoice') AND coalesce(d.contract_id = h.contract_id, true)
                     AND coalesce(d.invoice_id = h.invoice_id, true))
    )
    SELECT b.id, b.code, b.subject, sum(b.amount_cents)::bigint
    FROM blamed AS b
    WHERE b.status <> 'accepted'
    GROUP BY b.id, b.code, b.subject
    UNION ALL
    SELECT NULL, h.hold_code, 'invoice line ' || min(h.line_id COLLATE "C"), sum(h.amount_cents)::bigint
    FROM held AS h
    WHERE NOT EXISTS (SELECT FROM blamed AS b
                      WHERE b.line_id = h.line_id AND b.cover_from = h.cover_from
                          AND b.employment_id IS NOT DISTINCT FROM h.employment_id)
    GROUP BY h.hold_code, coalesce(h.employment_id, h.member_id), h.contract_id, h.cover_month
    ORDER BY 1, 2, 3
$$;
COMMENT ON FUNCTION payroll.holding(text, date) IS
    'What keeps a payroll month open: discrepancies that hold money and are not accepted; id null: none names it.';
REVOKE ALL ON FUNCTION payroll.holding(text, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION payroll.check_holding(company_id text, month date) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shown CONSTANT integer := 10;
    reasons text[];
    first_id bigint;
BEGIN
    SELECT array_agg(CASE WHEN h.id IS NULL THEN
                         format('%s (%s) holds %s and no discrepancy tells of it any more', h.subject, h.code,
                                payroll.euros(h.held_cents, 'en'))
                     ELSE format('discrepancy %s (%s, %s) holds %s', h.id, h.code, h.subject,
                                 payroll.euros(h.held_cents, 'en')) END
                     ORDER BY h.id, h.code, h.subject),
           min(h.id)
    INTO reasons, first_id
    FROM payroll.holding(company_id, month) AS h;
    IF reasons IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('payroll month %s of company %L cannot be closed: %s%s', to_char(month, 'YYYY-MM'),
                             company_id, array_to_string(reasons[1:shown], ', '),
                             CASE WHEN cardinality(reasons) > shown
                                  THEN format(', and %s more', cardinality(reasons) - shown) ELSE '' END),
            HINT = concat(
                'Put it right and run the month again',
                CASE WHEN first_id IS NOT NULL THEN
                    format(', or agree to it: SELECT payroll.accept_discrepancy(%s, ''why'')', first_id) END);
    END IF;
END
$$;
COMMENT ON FUNCTION payroll.check_holding(text, date) IS
    'An error that names what holds how much, unless each discrepancy that holds money of the month is accepted.';
REVOKE ALL ON FUNCTION payroll.check_holding(text, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION payroll.check_closable(company_id text, month date, as_of timestamptz) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text := format('payroll month %s of company %L', payroll.month_of(month), company_id);
    current_month date := date_trunc('month', as_of AT TIME ZONE 'UTC')::date;
    known payroll.period;
    earlier date;
    closed_later date;
BEGIN
    SELECT * INTO known FROM payroll.period AS p
    WHERE p.company_id = check_closable.company_id AND p.payroll_month = check_closable.month;
    IF known.status = 'closed' THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('%s is closed already, by %s on %s UTC', name, known.closed_by,
                             to_char(known.closed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')),
            HINT = 'report.period_status lists the months.';
    END IF;
    IF month > current_month THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('%s lies in the future: the current month is %s', name, to_char(current_month, 'YYYY-MM'));
    END IF;
    IF known.status IS NULL THEN
        RAISE no_data_found USING
            MESSAGE = format('%s is unknown: it was never loaded', name),
            HINT = 'report.period_status lists the months; run extract, transform and load for this one first.';
    END IF;
    SELECT min(p.payroll_month) INTO earlier FROM payroll.period AS p
    WHERE p.company_id = check_closable.company_id AND p.payroll_month < check_closable.month AND p.status = 'open';
    IF earlier IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('%s cannot be closed while %s is open: months are closed in their order', name,
                             to_char(earlier, 'YYYY-MM')),
            HINT = format('Close that one first: SELECT payroll.close_period(%L, %L, ''why'')', company_id, earlier);
    END IF;
    -- Its rows would give once more what that month gave, or take back what it took back.
    SELECT max(p.payroll_month) INTO closed_later
    FROM payroll.period AS p
    JOIN pipeline.month_read AS r ON r.company_id = p.company_id AND r.payroll_month = check_closable.month
    WHERE p.company_id = check_closable.company_id AND p.payroll_month < check_closable.month
        AND p.status = 'closed' AND date_trunc('second', p.closed_at) > r.began_at;   -- runs begin on a second
    IF closed_later IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('%s cannot be closed: it was last read before %s was closed', name,
                             to_char(closed_later, 'YYYY-MM')),
            HINT = 'Run extract, transform and load for it once more.';
    END IF;
    PERFORM payroll.check_holding(company_id, month);
END
$$;
COMMENT ON FUNCTION payroll.check_closable(text, date, timestamptz) IS
    'An error that says why a payroll month cannot be closed; as_of: the instant that stands for now.';
REVOKE ALL ON FUNCTION payroll.check_closable(text, date, timestamptz) FROM PUBLIC;

-- The same close asked for again, by the same person in the same words, is answered as it was: whoever was cut off before
-- the answer may ask once more.
CREATE OR REPLACE FUNCTION payroll.close_period_at(company_id text, month date, note text, as_of timestamptz)
RETURNS TABLE (rows bigint, amount_cents bigint, employer_cents bigint, employee_cents bigint, held_cents bigint,
               digest text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    reason text := payroll.checked_note(note);
BEGIN
    PERFORM payroll.month_of(month);
    PERFORM payroll.lock_company(company_id);
    IF NOT EXISTS (SELECT FROM payroll.period AS p
                   WHERE p.company_id = close_period_at.company_id AND p.payroll_month = close_period_at.month
                       AND p.status = 'closed' AND p.closed_by = payroll.actor() AND p.note = reason) THEN
        PERFORM payroll.check_closable(company_id, month, as_of);
        PERFORM payroll.freeze_months(ARRAY[company_id], ARRAY[month], payroll.actor(), reason);
    END IF;
    RETURN QUERY
        SELECT count(*) FILTER (WHERE r.status = 'ready'),
               coalesce(sum(r.amount_cents) FILTER (WHERE r.status = 'ready'), 0)::bigint,
               coalesce(sum(r.employer_cents) FILTER (WHERE r.status = 'ready'), 0)::bigint,
               coalesce(sum(r.employee_cents) FILTER (WHERE r.status = 'ready'), 0)::bigint,
               coalesce(sum(r.amount_cents) FILTER (WHERE r.status = 'held'), 0)::bigint,
               (SELECT p.digest FROM payroll.period AS p
                WHERE p.company_id = close_period_at.company_id AND p.payroll_month = close_period_at.month)
        FROM payroll.closed_row AS r
        WHERE r.company_id = close_period_at.company_id AND r.payroll_month = close_period_at.month;
END
$$;
COMMENT ON FUNCTION payroll.close_period_at(text, date, text, timestamptz) IS
    'Closes a payroll month for load --close: company_id, month, note, as_of (the instant that stands for now).';
REVOKE ALL ON FUNCTION payroll.close_period_at(text, date, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.close_period_at(text, date, text, timestamptz) TO payroll_loader;

CREATE OR REPLACE FUNCTION payroll.close_period(company_id text, month date, note text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    done record;
BEGIN
    -- A run may have been given a later instant than the clock's.
    SELECT * INTO done FROM payroll.close_period_at(company_id, month, note,
        (SELECT greatest(now(), max(r.as_of)) FROM pipeline.run AS r));
    RETURN format('payroll month %s of company %s is closed: '
                  '%s rows, employer %s, employees %s, held back %s, digest %s',
                  payroll.month_of(month), company_id, done.rows, payroll.euros(done.employer_cents, 'en'),
                  payroll.euros(done.employee_cents, 'en'), payroll.euros(done.held_cents, 'en'), done.digest);
END
$$;
COMMENT ON FUNCTION payroll.close_period(text, date, text) IS
    'Closes a payroll month, given by its first day, for good: company_id, month, note. Its rows never change again.';
REVOKE ALL ON FUNCTION payroll.close_period(text, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.close_period(text, date, text) TO payroll_manager;

-- What the payroll system closed is closed here as it stands, whatever is held: those payslips are out. Only months
-- that were loaded and are open; a load that brings one calls it under the lock of the companies.
CREATE OR REPLACE FUNCTION payroll.close_reported(company_ids text[], months date[], note text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    found_ids text[];
    found_months date[];
BEGIN
    SELECT array_agg(p.company_id), array_agg(p.payroll_month) INTO found_ids, found_months
    FROM payroll.period AS p
    JOIN (SELECT DISTINCT w.company_id, w.month FROM unnest(company_ids, months) AS w (company_id, month)) AS w
        ON w.company_id = p.company_id AND w.month = p.payroll_month
    WHERE p.status = 'open';
    IF found_ids IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM payroll.freeze_months(found_ids, found_months, 'payroll', note);
    RETURN cardinality(found_ids);
END
$$;
COMMENT ON FUNCTION payroll.close_reported(text[], date[], text) IS
    'Closes the open months among those that the payroll system reports closed: company_ids and months in pairs, note.';
REVOKE ALL ON FUNCTION payroll.close_reported(text[], date[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.close_reported(text[], date[], text) TO payroll_loader;

-- ---- reopening ----

CREATE OR REPLACE FUNCTION payroll.reopen_period(company_id text, month date, note text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reason text := payroll.checked_note(note);
    name text := format('payroll month %s of company %L', payroll.month_of(month), company_id);
    known payroll.period;
    later date;
    reported payroll.payroll_period;
BEGIN
    PERFORM payroll.lock_company(company_id);
    SELECT * INTO known FROM payroll.period AS p
    WHERE p.company_id = reopen_period.company_id AND p.payroll_month = reopen_period.month;
    IF known.status IS DISTINCT FROM 'closed' THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('%s is not closed', name),
            HINT = 'report.period_status lists the months.';
    END IF;
    SELECT max(p.payroll_month) INTO later FROM payroll.period AS p
    WHERE p.company_id = reopen_period.company_id AND p.payroll_month > reopen_period.month AND p.status = 'closed';
    IF later IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('%s cannot be reopened: only the last closed month can, which is %s', name,
                             to_char(later, 'YYYY-MM'));
    END IF;
    SELECT * INTO reported FROM payroll.payroll_period AS p
    WHERE p.company_id = reopen_period.company_id AND p.month = reopen_period.month AND p.status = 'closed';
    IF FOUND THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('%s cannot be reopened: the payroll system reports it closed%s', name,
                             ' since ' || to_char(reported.closed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')),
            HINT = 'Reopen it there; after the next load it can be reopened here. A correction needs no reopening: it '
                   'lands in the open month.';
    END IF;
    INSERT INTO payroll.period_event (company_id, payroll_month, actor, event, note, digest)
    VALUES (reopen_period.company_id, month, payroll.actor(), 'reopened', reason, known.digest);
    UPDATE payroll.period AS p
    SET status = 'open', closed_at = NULL, closed_by = NULL, note = reason, digest = NULL
    WHERE p.company_id = reopen_period.company_id AND p.payroll_month = reopen_period.month;
    DELETE FROM payroll.closed_row AS r
    WHERE r.company_id = reopen_period.company_id AND r.payroll_month = reopen_period.month;
    RETURN format('payroll month %s of company %s is open again; the next run of it may change it',
                  payroll.month_of(month), company_id);
END
$$;
COMMENT ON FUNCTION payroll.reopen_period(text, date, text) IS
    'Undoes the close of the last closed payroll month of a company: company_id, month (its first day), note.';
REVOKE ALL ON FUNCTION payroll.reopen_period(text, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.reopen_period(text, date, text) TO payroll_manager, payroll_loader;

-- ---- verifying ----

CREATE OR REPLACE FUNCTION payroll.verify_period(company_id text, month date) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    shown CONSTANT integer := 10;
    name text := format('payroll month %s of company %L', payroll.month_of(month), company_id);
    known payroll.period;
    found_digest text;
    lines text[];
BEGIN
    PERFORM payroll.check_company(company_id);
    SELECT * INTO known FROM payroll.period AS p
    WHERE p.company_id = verify_period.company_id AND p.payroll_month = verify_period.month;
    IF known.status IS DISTINCT FROM 'closed' THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('%s is not closed: there is nothing to verify', name),
            HINT = 'report.period_status lists the months.';
    END IF;
    SELECT d.digest INTO found_digest FROM payroll.closed_digest(ARRAY[company_id], ARRAY[month]) AS d;
    SELECT array_agg(DISTINCT coalesce(r.line_id, t.line_id) ORDER BY coalesce(r.line_id, t.line_id)) INTO lines
    FROM (SELECT * FROM payroll.closed_row AS f
          WHERE f.company_id = verify_period.company_id AND f.payroll_month = verify_period.month) AS r
    FULL JOIN (SELECT * FROM payroll.contribution AS f
               WHERE f.company_id = verify_period.company_id AND f.payroll_month = verify_period.month) AS t
        ON t.line_id = r.line_id AND coalesce(t.employment_id, '') = coalesce(r.employment_id, '')
        AND t.cover_from = r.cover_from AND t.status = r.status
    WHERE (r.cover_to, r.hold_code, r.kind, r.invoice_id, r.billing_month, r.member_id, r.contract_id, r.product,
           r.component, r.member_type, r.option_code, r.population_code, r.base_cents, r.amount_cents, r.employer_cents,
           r.employee_cents)
        IS DISTINCT FROM
          (t.cover_to, t.hold_code, t.kind, t.invoice_id, t.billing_month, t.member_id, t.contract_id, t.product,
           t.component, t.member_type, t.option_code, t.population_code, t.base_cents, t.amount_cents, t.employer_cents,
           t.employee_cents);
    IF found_digest = known.digest AND lines IS NULL THEN
        RETURN 'ok';
    END IF;
    RETURN concat_ws('; ',
        CASE WHEN found_digest IS DISTINCT FROM known.digest THEN
            format('the frozen rows are not those of the close: their digest is %s, that of the close %s', found_digest,
                   coalesce(known.digest, 'missing')) END,
        CASE WHEN lines IS NOT NULL THEN
            format('contributions and frozen rows differ in %s lines: %s%s', cardinality(lines),
                   array_to_string(lines[1:shown], ', '),
                   CASE WHEN cardinality(lines) > shown THEN ', …' ELSE '' END) END);
END
$$;
COMMENT ON FUNCTION payroll.verify_period(text, date) IS
    'Reckons the digest of a closed payroll month anew: ok, or what differs: company_id, month (its first day).';
REVOKE ALL ON FUNCTION payroll.verify_period(text, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.verify_period(text, date) TO payroll_manager, payroll_loader;
