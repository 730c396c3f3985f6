ANALYZE this_company;
