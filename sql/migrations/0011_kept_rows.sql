-- How much of what a company's last load left was not brought by it.

ALTER TABLE pipeline.company_load ADD COLUMN kept bigint;
COMMENT ON COLUMN pipeline.company_load.kept IS
    'Rows among them that are gone from the source but still in use; null: not known.';
