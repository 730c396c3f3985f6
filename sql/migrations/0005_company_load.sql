-- What load remembers of each company, so that a night with equal data costs next to nothing.

CREATE TABLE pipeline.company_load (
    company_id    text    NOT NULL,
    payroll_month date    NOT NULL,
    closed        boolean NOT NULL,
    digest        text    NOT NULL,
    rows          bigint  NOT NULL,
    loaded_by     xid8    NOT NULL,
    CONSTRAINT company_load_pkey PRIMARY KEY (company_id),
    CONSTRAINT company_load_digest_check CHECK (digest ~ '^[0-9a-f]{64}$')
);
COMMENT ON TABLE pipeline.company_load IS
    'The last load of each company. One that brings the same facts again, while nobody else has touched them, is skipped.';
COMMENT ON COLUMN pipeline.company_load.company_id IS 'Company.';
COMMENT ON COLUMN pipeline.company_load.payroll_month IS 'Payroll month loaded, its first day.';
COMMENT ON COLUMN pipeline.company_load.closed IS 'Whether that month was closed then, so that its rows were left out.';
COMMENT ON COLUMN pipeline.company_load.digest IS 'SHA-256 of the company''s staged facts.';
COMMENT ON COLUMN pipeline.company_load.rows IS 'Rows of facts that the company had after the load.';
COMMENT ON COLUMN pipeline.company_load.loaded_by IS 'Transaction of that load: a fact written by a later one is somebody else''s.';
