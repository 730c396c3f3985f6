-- Dispenses in force, for some companies ($1) in their order.
SELECT c.place, d.employee_id, d.ground, d.valid_from, d.valid_to, d.proof
FROM unnest($1::text[]) WITH ORDINALITY AS c (company_id, place)
JOIN payroll.dispense AS d USING (company_id)
WHERE d.ended_at IS NULL
ORDER BY c.place, d.employee_id COLLATE "C", d.valid_from, d.ground COLLATE "C", d.dispense_id;
