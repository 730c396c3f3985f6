-- Empty tables are filled before their indexes (payroll.suspend_indexes).

CREATE TABLE pipeline.suspended (
    suspended_id bigint   GENERATED ALWAYS AS IDENTITY,
    relation     regclass NOT NULL,
    command      text     NOT NULL,
    CONSTRAINT suspended_pkey PRIMARY KEY (suspended_id)
);
COMMENT ON TABLE pipeline.suspended IS
    'Indexes and guards that a load does without while it fills tables that were empty; nobody else ever sees a row here.';
COMMENT ON COLUMN pipeline.suspended.suspended_id IS 'In the order of making them again.';
COMMENT ON COLUMN pipeline.suspended.relation IS 'Table.';
COMMENT ON COLUMN pipeline.suspended.command IS 'The statement that makes it again.';
