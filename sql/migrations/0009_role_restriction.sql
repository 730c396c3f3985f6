-- Which companies a database role may see.

CREATE TABLE payroll.role_restriction (
    restriction_id bigint GENERATED ALWAYS AS IDENTITY,
    role           regrole NOT NULL,
    company_ids    text[]  NOT NULL,
    note           text    NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by    text    NOT NULL,
    ended_at       timestamptz,
    ended_by       text,
    CONSTRAINT role_restriction_pkey PRIMARY KEY (restriction_id),
    CONSTRAINT role_restriction_ended_check CHECK (num_nulls(ended_at, ended_by) IN (0, 2))
);
COMMENT ON TABLE payroll.role_restriction IS
    'Roles that see some companies only, as payroll.restrict_role sets it. A role without a row in force sees all.';
COMMENT ON COLUMN payroll.role_restriction.restriction_id IS 'Number of the row.';
COMMENT ON COLUMN payroll.role_restriction.role IS 'Database role: its members are restricted with it.';
COMMENT ON COLUMN payroll.role_restriction.company_ids IS 'The companies that it sees; none when empty.';
COMMENT ON COLUMN payroll.role_restriction.note IS 'Why.';
COMMENT ON COLUMN payroll.role_restriction.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN payroll.role_restriction.recorded_by IS 'Database user who recorded it.';
COMMENT ON COLUMN payroll.role_restriction.ended_at IS 'When it was replaced or lifted; null: in force.';
COMMENT ON COLUMN payroll.role_restriction.ended_by IS 'Who replaced or lifted it.';
CREATE UNIQUE INDEX role_restriction_in_force_key ON payroll.role_restriction (role) WHERE ended_at IS NULL;
