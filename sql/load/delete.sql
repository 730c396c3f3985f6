-- Whether a row that is gone is still in use has no index to tell.
SET LOCAL enable_hashjoin = on;
DELETE FROM payroll.:table AS t
USING change_:table AS n
WHERE n.change = 'delete' AND :match AND :month AND :gone;
