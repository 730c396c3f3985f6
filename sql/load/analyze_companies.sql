ANALYZE this_company (company_id);
