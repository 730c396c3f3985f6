-- What check_totals asks, of contributions: made has their sums already.
SELECT coalesce(sum(amount_cents), 0) FROM made;
