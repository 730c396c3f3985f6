-- The same of contributions: made has their sums.
SELECT coalesce(sum(amount_cents), 0) FROM made;
