-- What changes from night to night finds room beside what it was, so that no index is written to: a few rows of a hundred
-- change, and a page holds about thirty.

ALTER TABLE payroll.affiliation SET (fillfactor = 94);
ALTER TABLE payroll.pay_base SET (fillfactor = 94);

DO $$
DECLARE
    partition regclass;
BEGIN
    FOR partition IN SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i
                     WHERE i.inhparent = 'payroll.contribution'::pg_catalog.regclass LOOP
        EXECUTE pg_catalog.format('ALTER TABLE %s SET (fillfactor = 94)', partition);
    END LOOP;
END
$$;
