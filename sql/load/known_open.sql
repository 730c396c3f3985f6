-- In the order of the index.
DECLARE known_companies NO SCROLL CURSOR FOR
SELECT company_id, closed, digest, rows, kept FROM known ORDER BY company_id COLLATE "C";
