-- People gone for longer than the law has their payslips kept.

CREATE TABLE payroll.retention (
    name       text    NOT NULL,
    valid_from date    NOT NULL,
    years      integer NOT NULL,
    source     text    NOT NULL,
    CONSTRAINT retention_pkey PRIMARY KEY (name, valid_from),
    CONSTRAINT retention_name_check CHECK (name IN ('payslip')),
    CONSTRAINT retention_years_check CHECK (years BETWEEN 1 AND 100)
);
COMMENT ON TABLE payroll.retention IS 'How long the law has records kept; the latest row that has begun counts.';
COMMENT ON COLUMN payroll.retention.name IS 'What is kept: payslip, the copies of payslips and what they were made from.';
COMMENT ON COLUMN payroll.retention.valid_from IS 'First day on which this period applies.';
COMMENT ON COLUMN payroll.retention.years IS 'Years after the last payslip, cover or employment.';
COMMENT ON COLUMN payroll.retention.source IS 'Where it was read.';
INSERT INTO payroll.retention VALUES
    ('payslip', '2016-12-01', 5, 'Code du travail L3243-4: the employer keeps copies of payslips for five years');

CREATE TABLE payroll.forgotten (
    company_id   text NOT NULL,
    kind         text NOT NULL,
    id           text NOT NULL,
    note         text NOT NULL,
    forgotten_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    forgotten_by text NOT NULL,
    CONSTRAINT forgotten_pkey PRIMARY KEY (company_id, kind, id),
    CONSTRAINT forgotten_kind_check CHECK (kind IN ('employee', 'member'))
);
COMMENT ON TABLE payroll.forgotten IS
    'People whose names, birth dates and numbers were removed, by the identifiers that stay with their amounts.';
COMMENT ON COLUMN payroll.forgotten.company_id IS 'Company.';
COMMENT ON COLUMN payroll.forgotten.kind IS 'employee: id is payroll''s; member: id is Alan''s.';
COMMENT ON COLUMN payroll.forgotten.id IS 'Identifier of the employee or member.';
COMMENT ON COLUMN payroll.forgotten.note IS 'Why.';
COMMENT ON COLUMN payroll.forgotten.forgotten_at IS 'When.';
COMMENT ON COLUMN payroll.forgotten.forgotten_by IS 'Database user who did it.';

ALTER TABLE payroll.period_event DROP CONSTRAINT period_event_event_check;
ALTER TABLE payroll.period_event ADD CONSTRAINT period_event_event_check
    CHECK (event IN ('closed', 'reopened', 'forgotten'));
COMMENT ON COLUMN payroll.period_event.event IS
    'closed, reopened, or forgotten: somebody''s names and numbers were taken out of the frozen rows.';
COMMENT ON COLUMN payroll.period_event.digest IS
    'SHA-256 of the frozen rows: those made by a close, those given up by a reopening, those left without somebody.';
