-- What this run's contributions add up to, invoice by invoice. Added up before it is known whose they are, so that parallel
-- workers pass on sums and not rows.
CREATE TEMP TABLE made ON COMMIT DROP AS
SELECT company_id, invoice_id, n.amount_cents, n.allocated_cents, n.held_cents
FROM (SELECT company_id, invoice_id,
             sum(amount_cents) AS amount_cents,
             coalesce(sum(amount_cents) FILTER (WHERE status = 'ready'), 0) AS allocated_cents,
             coalesce(sum(amount_cents) FILTER (WHERE status = 'held'), 0) AS held_cents
      FROM now_contribution
      GROUP BY company_id, invoice_id) AS n
JOIN loaded AS c USING (company_id)
WHERE NOT c.closed;
