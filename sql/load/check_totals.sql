-- The cents that are now there of what this run brought, in the months of its scope.
SELECT coalesce(sum(t.:sum), 0) FROM now_:table AS t JOIN loaded AS c USING (company_id) WHERE :member AND :in_months;
