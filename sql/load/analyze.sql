ANALYZE new_:table;
