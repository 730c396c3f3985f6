INSERT INTO payroll.:table (:columns)
SELECT :columns FROM change_:table WHERE change = 'insert';
