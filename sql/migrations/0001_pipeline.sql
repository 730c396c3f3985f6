-- What was run, what could not be used, and which migrations made this schema.

CREATE SCHEMA pipeline;
COMMENT ON SCHEMA pipeline IS 'Runs, rejected records and schema migrations.';
CREATE SCHEMA report;
COMMENT ON SCHEMA report IS 'Views: the interface of the data team.';

CREATE TABLE pipeline.migration (
    version    integer     NOT NULL,
    name       text        NOT NULL,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    applied_by text        NOT NULL DEFAULT session_user,
    CONSTRAINT migration_pkey PRIMARY KEY (version),
    CONSTRAINT migration_name_key UNIQUE (name),
    CONSTRAINT migration_version_check CHECK (version > 0),
    CONSTRAINT migration_sha256_check CHECK (sha256 ~ '^[0-9a-f]{64}$')
);
COMMENT ON TABLE pipeline.migration IS
    'One row per migration applied; the highest version is the version of the schema.';
COMMENT ON COLUMN pipeline.migration.version IS 'Number at the head of the file''s name.';
COMMENT ON COLUMN pipeline.migration.name IS 'File name.';
COMMENT ON COLUMN pipeline.migration.sha256 IS 'SHA-256 of the file as it was applied.';
COMMENT ON COLUMN pipeline.migration.applied_at IS 'When it was applied.';
COMMENT ON COLUMN pipeline.migration.applied_by IS 'Database user who applied it.';

CREATE TABLE pipeline.run (
    run_id          text        NOT NULL,
    shard           integer     NOT NULL DEFAULT 0,
    shards          integer     NOT NULL DEFAULT 1,
    period          date        NOT NULL,
    as_of           timestamptz NOT NULL,
    manifest_sha256 text        NOT NULL,
    status          text        NOT NULL,
    counts          jsonb       NOT NULL DEFAULT '{}',
    cents           jsonb       NOT NULL DEFAULT '{}',
    started_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    stale_after     interval    NOT NULL DEFAULT interval '36 hours',
    tool_version    text,
    CONSTRAINT run_pkey PRIMARY KEY (run_id, shard, shards),
    CONSTRAINT run_shard_check CHECK (shards > 0 AND shard >= 0 AND shard < shards),
    CONSTRAINT run_period_check CHECK (extract(day FROM period) = 1),
    CONSTRAINT run_manifest_sha256_check CHECK (manifest_sha256 ~ '^[0-9a-f]{64}$'),
    CONSTRAINT run_status_check CHECK (status IN ('ok', 'partial')),
    CONSTRAINT run_stale_after_check CHECK (stale_after > interval '0')
);
COMMENT ON TABLE pipeline.run IS
    'One row per shard of a run that was published, written in the transaction that published it.';
COMMENT ON COLUMN pipeline.run.run_id IS 'Names the run, as in the staging directory.';
COMMENT ON COLUMN pipeline.run.shard IS 'Which part of the companies, from 0.';
COMMENT ON COLUMN pipeline.run.shards IS 'In how many parts the companies were cut.';
COMMENT ON COLUMN pipeline.run.period IS 'Payroll month, its first day.';
COMMENT ON COLUMN pipeline.run.as_of IS 'The instant that stood for now.';
COMMENT ON COLUMN pipeline.run.manifest_sha256 IS 'SHA-256 of the transform manifest that was loaded.';
COMMENT ON COLUMN pipeline.run.status IS 'ok, or partial when a company failed or a record was rejected.';
COMMENT ON COLUMN pipeline.run.counts IS 'Records by entity, companies, and rows inserted, updated and deleted.';
COMMENT ON COLUMN pipeline.run.cents IS 'Totals by entity, in cents, equal to those of the manifest.';
COMMENT ON COLUMN pipeline.run.started_at IS 'When load began.';
COMMENT ON COLUMN pipeline.run.finished_at IS 'When load was about to commit.';
COMMENT ON COLUMN pipeline.run.stale_after IS
    'Age beyond which a source counted as stale in this run (rules.stale_after).';
COMMENT ON COLUMN pipeline.run.tool_version IS 'Version of load.';
CREATE INDEX run_started_at_idx ON pipeline.run (started_at DESC);

CREATE TABLE pipeline.reject (
    reject_id  bigint  GENERATED ALWAYS AS IDENTITY,
    run_id     text    NOT NULL,
    shard      integer NOT NULL DEFAULT 0,
    shards     integer NOT NULL DEFAULT 1,
    stage      text    NOT NULL,
    entity     text    NOT NULL,
    company_id text,
    reason     text    NOT NULL,
    faults     text[]  NOT NULL DEFAULT '{}',
    source     text    NOT NULL,
    line       bigint,
    raw        text,
    CONSTRAINT reject_pkey PRIMARY KEY (reject_id),
    CONSTRAINT reject_run_fkey FOREIGN KEY (run_id, shard, shards) REFERENCES pipeline.run ON DELETE CASCADE,
    CONSTRAINT reject_stage_check CHECK (stage IN ('extract', 'transform', 'load')),
    CONSTRAINT reject_reason_check CHECK (reason IN (
        'malformed_json', 'not_an_object', 'duplicate_key', 'missing_field', 'wrong_type', 'bad_amount', 'bad_date',
        'out_of_range', 'too_long', 'unknown_value', 'duplicate_id', 'unknown_company')),
    CONSTRAINT reject_line_check CHECK (line > 0)
);
COMMENT ON TABLE pipeline.reject IS 'Records that a run could not use.';
COMMENT ON COLUMN pipeline.reject.reject_id IS 'Number of the row.';
COMMENT ON COLUMN pipeline.reject.run_id IS 'The run; its rejects go with it.';
COMMENT ON COLUMN pipeline.reject.shard IS 'The run''s shard.';
COMMENT ON COLUMN pipeline.reject.shards IS 'The run''s number of shards.';
COMMENT ON COLUMN pipeline.reject.stage IS 'Stage that rejected it: extract, transform or load.';
COMMENT ON COLUMN pipeline.reject.entity IS 'Entity it should have been.';
COMMENT ON COLUMN pipeline.reject.company_id IS 'Company, where it is known.';
COMMENT ON COLUMN pipeline.reject.reason IS 'Reason code of the first fault.';
COMMENT ON COLUMN pipeline.reject.faults IS 'Every fault found.';
COMMENT ON COLUMN pipeline.reject.source IS 'File or request it came from.';
COMMENT ON COLUMN pipeline.reject.line IS 'Line or record number in the source, from 1.';
COMMENT ON COLUMN pipeline.reject.raw IS
    'The record as it came. May hold a social security number: not for payroll_reader.';
CREATE INDEX reject_run_idx ON pipeline.reject (run_id, shard, shards);
CREATE INDEX reject_company_idx ON pipeline.reject (company_id);
