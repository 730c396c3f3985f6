ANALYZE change_:table;
