ANALYZE brought;
