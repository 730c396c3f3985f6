-- Members that a person said to be employees, for some companies ($1) in their order.
SELECT c.place, l.member_id, l.employee_id
FROM unnest($1::text[]) WITH ORDINALITY AS c (company_id, place)
JOIN payroll.link AS l USING (company_id)
WHERE l.ended_at IS NULL
ORDER BY c.place, l.member_id COLLATE "C";
