DELETE FROM payroll.:table AS t
USING change_:table AS n
WHERE n.change = 'delete' AND :match AND :month AND :gone;
