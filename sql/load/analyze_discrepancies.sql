ANALYZE new_discrepancy;
