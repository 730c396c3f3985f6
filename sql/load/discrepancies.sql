-- The life of discrepancies. Identity: company, code, subject, contract, cover month.
--   not known yet                       opened
--   known                               written where it differs; returned when it was resolved; reopened when it was
--                                       accepted and its amounts are no longer those that were accepted
--   not seen again                      resolved, when it belongs to this payroll month, to an earlier one that is closed
--                                       and was read again (from :window on), or is a standing condition (tied to no
--                                       cover month, invoice or held money) of an earlier one
-- What a later payroll month has seen is that month's: an earlier month's run leaves it alone.
-- A load sees every discrepancy of its month that it does not resolve, so the month tells when that was
-- (pipeline.month_read, written behind this). A row is told when it is resolved, or when this run is older.
WITH told AS NOT MATERIALIZED (
    SELECT d.*, CASE WHEN m.seen_at >= d.last_seen_at THEN m.seen_at ELSE d.last_seen_at END AS seen_at,
           CASE WHEN m.seen_at >= d.last_seen_at THEN m.seen_run ELSE d.last_seen_run END AS seen_run
    FROM payroll.discrepancy AS d
    JOIN this_company AS c USING (company_id)
    LEFT JOIN pipeline.month_read AS m
      ON m.company_id = d.company_id AND m.payroll_month = d.payroll_month AND d.status <> 'resolved'
    WHERE c.loads
), known AS MATERIALIZED (
    SELECT d.id, d.seen_at, d.seen_run, n.*,
           d.status = 'resolved' AS is_back,
           d.status = 'accepted' AND (d.expected_cents, d.actual_cents, d.delta_cents, d.held_cents)
               IS DISTINCT FROM (n.expected_cents, n.actual_cents, n.delta_cents, n.held_cents) AS is_other,
           (d.severity, d.step, d.employee_id, d.employment_id, d.member_id, d.invoice_id, d.line_id, d.side,
            d.expected_cents, d.actual_cents, d.delta_cents, d.expected, d.actual, d.line_count, d.held_cents,
            d.candidates, d.payroll_month)
               IS DISTINCT FROM
           (n.severity, n.step, n.employee_id, n.employment_id, n.member_id, n.invoice_id, n.line_id, n.side,
            n.expected_cents, n.actual_cents, n.delta_cents, n.expected, n.actual, n.line_count, n.held_cents,
            n.candidates, n.payroll_month) AS is_changed,
           d.status <> 'resolved' AND d.payroll_month > n.payroll_month AS is_later,
           d.seen_at > d.last_seen_at AND d.seen_at > :'as_of' AS is_older
    FROM new_discrepancy AS n
    JOIN told AS d
      ON d.company_id = n.company_id AND d.code = n.code AND d.subject_type = n.subject_type
     AND d.subject_id = n.subject_id AND coalesce(d.contract_id, '') = coalesce(n.contract_id, '')
     AND coalesce(d.cover_month, 'infinity') = coalesce(n.cover_month, 'infinity')
), gone AS MATERIALIZED (
    SELECT d.company_id, d.id, d.seen_at, d.seen_run
    FROM told AS d
    WHERE d.status <> 'resolved'
      AND (d.payroll_month = :'period'
           OR d.payroll_month < :'period' AND d.cover_month IS NULL AND d.invoice_id IS NULL AND d.line_id IS NULL
              AND d.held_cents = 0
           OR d.payroll_month >= :'window' AND d.payroll_month < :'period' AND EXISTS (
                  SELECT FROM payroll.period AS p
                  WHERE p.company_id = d.company_id AND p.payroll_month = d.payroll_month AND p.status = 'closed'))
      AND NOT EXISTS (SELECT FROM known AS k WHERE k.company_id = d.company_id AND k.id = d.id)
), opened AS (
    INSERT INTO payroll.discrepancy (
        company_id, payroll_month, code, severity, step, subject_type, subject_id, contract_id, cover_month,
        employee_id, employment_id, member_id, invoice_id, line_id, side, expected_cents, actual_cents, delta_cents,
        expected, actual, line_count, held_cents, candidates, status, first_seen_at, last_seen_at, first_seen_run,
        last_seen_run)
    SELECT n.company_id, n.payroll_month, n.code, n.severity, n.step, n.subject_type, n.subject_id, n.contract_id,
           n.cover_month, n.employee_id, n.employment_id, n.member_id, n.invoice_id, n.line_id, n.side,
           n.expected_cents, n.actual_cents, n.delta_cents, n.expected, n.actual, n.line_count, n.held_cents, n.candidates,
           'open', :'as_of', :'as_of', :'run_id', :'run_id'
    FROM new_discrepancy AS n
    WHERE NOT EXISTS (
        SELECT FROM known AS k
        WHERE k.company_id = n.company_id AND k.code = n.code AND k.subject_type = n.subject_type
          AND k.subject_id = n.subject_id AND coalesce(k.contract_id, '') = coalesce(n.contract_id, '')
          AND coalesce(k.cover_month, 'infinity') = coalesce(n.cover_month, 'infinity'))
    ORDER BY n.company_id, n.code, n.subject_id, n.cover_month
    RETURNING company_id, id
), refreshed AS (
    UPDATE payroll.discrepancy AS d
    SET (payroll_month, severity, step, employee_id, employment_id, member_id, invoice_id, line_id, side,
         expected_cents, actual_cents, delta_cents, expected, actual, line_count, held_cents, candidates)
        = (k.payroll_month, k.severity, k.step, k.employee_id, k.employment_id, k.member_id, k.invoice_id, k.line_id,
           k.side, k.expected_cents, k.actual_cents, k.delta_cents, k.expected, k.actual, k.line_count, k.held_cents,
           k.candidates),
        status = CASE WHEN k.is_back OR k.is_other THEN 'open' ELSE d.status END,
        last_seen_at = greatest(k.seen_at, :'as_of'),
        last_seen_run = CASE WHEN k.seen_at > :'as_of' THEN k.seen_run ELSE :'run_id' END,
        resolved_at = NULL,
        resolved_by_run = NULL
    FROM known AS k
    WHERE d.company_id = k.company_id AND d.id = k.id AND NOT k.is_later
      AND (k.is_changed OR k.is_back OR k.is_older)
    RETURNING d.company_id, d.id, k.is_back, k.is_other, k.is_changed
), resolved AS (
    UPDATE payroll.discrepancy AS d
    SET status = 'resolved', resolved_at = :'as_of', resolved_by_run = :'run_id', last_seen_at = g.seen_at,
        last_seen_run = g.seen_run
    FROM gone AS g
    WHERE d.company_id = g.company_id AND d.id = g.id
    RETURNING d.company_id, d.id
), events AS (
    INSERT INTO payroll.discrepancy_event (company_id, discrepancy_id, actor, event, note)
    SELECT company_id, id, 'run ' || :'run_id', event, note
    FROM (SELECT company_id, id, 'opened' AS event, NULL AS note FROM opened
          UNION ALL
          SELECT company_id, id, 'returned', NULL FROM refreshed WHERE is_back
          UNION ALL
          SELECT company_id, id, 'reopened', 'amounts changed since it was accepted' FROM refreshed WHERE is_other
          UNION ALL
          SELECT company_id, id, 'resolved', NULL FROM resolved) AS happened
    ORDER BY company_id, id
    RETURNING event
)
SELECT (SELECT count(*) FROM opened),
       (SELECT count(*) FROM refreshed WHERE is_back),
       (SELECT count(*) FROM refreshed WHERE is_other),
       (SELECT count(*) FROM refreshed WHERE is_changed AND NOT is_back AND NOT is_other),
       (SELECT count(*) FROM resolved);
