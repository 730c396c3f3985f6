SELECT count(*) FILTER (WHERE change = 'insert'),
       count(*) FILTER (WHERE change = 'update'),
       count(*) FILTER (WHERE change = 'delete')
FROM change_:table;
