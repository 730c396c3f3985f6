-- One entry of the catalogue. Codes of former releases stay: discrepancies may refer to them.
INSERT INTO payroll.discrepancy_code AS t (code, step, severity, title_fr, title_en, remedy_fr, remedy_en)
VALUES ($1, $2::bigint, $3, $4, $5, $6, $7)
ON CONFLICT (code) DO UPDATE
SET (step, severity, title_fr, title_en, remedy_fr, remedy_en)
    = (excluded.step, excluded.severity, excluded.title_fr, excluded.title_en, excluded.remedy_fr, excluded.remedy_en)
WHERE (t.step, t.severity, t.title_fr, t.title_en, t.remedy_fr, t.remedy_en)
      IS DISTINCT FROM
      (excluded.step, excluded.severity, excluded.title_fr, excluded.title_en, excluded.remedy_fr, excluded.remedy_en)
RETURNING t.code;
