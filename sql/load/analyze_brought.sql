ANALYZE brought (company_id);
