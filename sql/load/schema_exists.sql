SELECT to_regclass('pipeline.migration') IS NOT NULL;
