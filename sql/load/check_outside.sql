-- The cents of what it brought of other months: those months may hold more.
SELECT coalesce(sum(t.:sum), 0) FROM new_:table AS t WHERE NOT t.past AND NOT (:in_months);
