-- How many companies were ever loaded.
SELECT count(*) FROM pipeline.company_load;
