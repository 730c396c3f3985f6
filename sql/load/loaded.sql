-- What was brought, as it was just remembered: parallel workers cannot look at temporary tables.
CREATE TEMP VIEW loaded AS
SELECT company_id, closed FROM pipeline.company_load WHERE loaded_by = :'transaction'::xid8;
