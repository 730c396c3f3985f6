-- What may differ from the last load: found out (change_:table), or all that was sent.
CREATE TEMP VIEW changed_:table AS
SELECT :columns FROM :changed;
