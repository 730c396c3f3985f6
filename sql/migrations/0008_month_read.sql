-- Closing a month changes what the next one has to correct: rows made before know nothing of it.

CREATE TABLE pipeline.month_read (
    company_id    text        NOT NULL,
    payroll_month date        NOT NULL,
    began_at      timestamptz NOT NULL,
    CONSTRAINT month_read_pkey PRIMARY KEY (company_id, payroll_month)
);
COMMENT ON TABLE pipeline.month_read IS
    'When the extract began that a company''s rows of a payroll month come from: what was closed later is not in them.';
COMMENT ON COLUMN pipeline.month_read.company_id IS 'Company.';
COMMENT ON COLUMN pipeline.month_read.payroll_month IS 'Payroll month, its first day.';
COMMENT ON COLUMN pipeline.month_read.began_at IS 'Beginning of the extract of the last load.';
