-- What people decided, and the figures that law sets. Rows of people's decisions are never deleted nor changed but for
-- the stamp that ends them: in force are the rows with ended_at null.

CREATE TABLE payroll.link (
    company_id  text   NOT NULL,
    link_id     bigint GENERATED ALWAYS AS IDENTITY,
    member_id   text   NOT NULL,
    employee_id text   NOT NULL,
    note        text   NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text   NOT NULL,
    ended_at    timestamptz,
    ended_by    text,
    end_note    text,
    CONSTRAINT link_pkey PRIMARY KEY (company_id, link_id),
    CONSTRAINT link_ended_check CHECK (num_nulls(ended_at, ended_by, end_note) IN (0, 3))
);
COMMENT ON TABLE payroll.link IS
    'Members of Alan that a person said to be employees in payroll. In force: ended_at is null.';
COMMENT ON COLUMN payroll.link.company_id IS 'Company.';
COMMENT ON COLUMN payroll.link.link_id IS 'Number of the link.';
COMMENT ON COLUMN payroll.link.member_id IS 'Person at Alan.';
COMMENT ON COLUMN payroll.link.employee_id IS 'The same person in payroll.';
COMMENT ON COLUMN payroll.link.note IS 'Why.';
COMMENT ON COLUMN payroll.link.recorded_at IS 'When it was made.';
COMMENT ON COLUMN payroll.link.recorded_by IS 'Who made it.';
COMMENT ON COLUMN payroll.link.ended_at IS 'When it was taken back; null: in force.';
COMMENT ON COLUMN payroll.link.ended_by IS 'Who took it back.';
COMMENT ON COLUMN payroll.link.end_note IS 'Why it was taken back.';
CREATE UNIQUE INDEX link_in_force_key ON payroll.link (company_id, member_id) WHERE ended_at IS NULL;

CREATE TABLE payroll.dispense_ground (
    ground      text    NOT NULL,
    needs_proof boolean NOT NULL,
    label_fr    text    NOT NULL,
    label_en    text    NOT NULL,
    CONSTRAINT dispense_ground_pkey PRIMARY KEY (ground)
);
COMMENT ON TABLE payroll.dispense_ground IS
    'Grounds on which an employee may decline the health cover (CSS D911-2, R242-1-6).';
COMMENT ON COLUMN payroll.dispense_ground.ground IS 'Ground.';
COMMENT ON COLUMN payroll.dispense_ground.needs_proof IS
    'Whether a document must be kept: without one, dispense_unproven is raised.';
COMMENT ON COLUMN payroll.dispense_ground.label_fr IS 'What it means, in French.';
COMMENT ON COLUMN payroll.dispense_ground.label_en IS 'What it means, in English.';
INSERT INTO payroll.dispense_ground (ground, needs_proof, label_fr, label_en) VALUES
    ('c2s', true, 'bénéficiaire de la complémentaire santé solidaire', 'holder of the complémentaire santé solidaire'),
    ('individual', true, 'contrat individuel en cours, jusqu''à sa prochaine échéance',
        'own contract, until its next renewal'),
    ('other_collective', true, 'couvert par un autre régime collectif obligatoire, à justifier chaque année',
        'covered by another compulsory scheme, to be proven every year'),
    ('short_contract', true, 'CDD ou mission avec une couverture de 3 mois ou moins, et contrat personnel',
        'fixed term or mission with cover of 3 months or less, and own contract'),
    ('short_time', true, '15 heures par semaine ou moins, et contrat personnel',
        '15 hours a week or less, and own contract'),
    ('act_before', false, 'embauché avant la mise en place du régime par l''employeur seul',
        'hired before a scheme set up by the employer alone'),
    ('act_fixed_term_12', true, 'CDD de 12 mois ou plus, couvert par ailleurs', 'fixed term of 12 months or more'),
    ('act_fixed_term', false, 'CDD de moins de 12 mois', 'fixed term under 12 months'),
    ('act_ten_percent', false, 'temps partiel ou apprenti dont la part atteindrait 10 % du salaire',
        'part time or apprentice whose share would reach 10 % of pay');

CREATE TABLE payroll.dispense (
    company_id  text   NOT NULL,
    dispense_id bigint GENERATED ALWAYS AS IDENTITY,
    employee_id text   NOT NULL,
    ground      text   NOT NULL,
    valid_from  date   NOT NULL,
    valid_to    date,
    proof       text,
    note        text   NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text   NOT NULL,
    ended_at    timestamptz,
    ended_by    text,
    end_note    text,
    CONSTRAINT dispense_pkey PRIMARY KEY (company_id, dispense_id),
    CONSTRAINT dispense_ground_fkey FOREIGN KEY (ground) REFERENCES payroll.dispense_ground,
    CONSTRAINT dispense_valid_check CHECK (valid_to >= valid_from),
    CONSTRAINT dispense_ended_check CHECK (num_nulls(ended_at, ended_by, end_note) IN (0, 3))
);
COMMENT ON TABLE payroll.dispense IS
    'Employees who decline the health cover. In force: ended_at is null; one ended early is replaced by a shorter one.';
COMMENT ON COLUMN payroll.dispense.company_id IS 'Company.';
COMMENT ON COLUMN payroll.dispense.dispense_id IS 'Number of the dispense.';
COMMENT ON COLUMN payroll.dispense.employee_id IS 'Employee.';
COMMENT ON COLUMN payroll.dispense.ground IS 'Ground (payroll.dispense_ground).';
COMMENT ON COLUMN payroll.dispense.valid_from IS 'First day.';
COMMENT ON COLUMN payroll.dispense.valid_to IS 'Last day; null: open.';
COMMENT ON COLUMN payroll.dispense.proof IS 'Document kept, or where it is kept.';
COMMENT ON COLUMN payroll.dispense.note IS 'Why.';
COMMENT ON COLUMN payroll.dispense.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN payroll.dispense.recorded_by IS 'Who recorded it.';
COMMENT ON COLUMN payroll.dispense.ended_at IS
    'When this record was withdrawn or replaced by a shorter one; null: in force.';
COMMENT ON COLUMN payroll.dispense.ended_by IS 'Who ended it.';
COMMENT ON COLUMN payroll.dispense.end_note IS 'Why it was ended.';
CREATE INDEX dispense_employee_idx ON payroll.dispense (company_id, employee_id) WHERE ended_at IS NULL;

CREATE TABLE payroll.period (
    company_id    text NOT NULL,
    payroll_month date NOT NULL,
    status        text NOT NULL,
    closed_at     timestamptz,
    closed_by     text,
    note          text,
    digest        text,
    CONSTRAINT period_pkey PRIMARY KEY (company_id, payroll_month),
    CONSTRAINT period_payroll_month_check CHECK (extract(day FROM payroll_month) = 1),
    CONSTRAINT period_status_check CHECK (status IN ('open', 'closed')),
    CONSTRAINT period_closed_check CHECK (
        (status = 'closed') = (closed_at IS NOT NULL) AND (status = 'closed') = (closed_by IS NOT NULL))
);
COMMENT ON TABLE payroll.period IS 'Payroll months closed or reopened here. A month without a row is open.';
COMMENT ON COLUMN payroll.period.company_id IS 'Company.';
COMMENT ON COLUMN payroll.period.payroll_month IS 'Payroll month, its first day.';
COMMENT ON COLUMN payroll.period.status IS 'open or closed.';
COMMENT ON COLUMN payroll.period.closed_at IS 'When it was closed.';
COMMENT ON COLUMN payroll.period.closed_by IS 'Who closed it.';
COMMENT ON COLUMN payroll.period.note IS 'Why.';
COMMENT ON COLUMN payroll.period.digest IS 'SHA-256 of the payroll-ready rows as they stood at the close.';

-- A month that no row covers has no rate: what depends on it is null and says why, rather than carry last year's on.
CREATE TABLE payroll.social_rate (
    name              text   NOT NULL,
    valid_from        date   NOT NULL,
    valid_to          date   NOT NULL,
    rate_ppm          bigint NOT NULL,
    minimum_headcount bigint NOT NULL,
    source            text   NOT NULL,
    CONSTRAINT social_rate_pkey PRIMARY KEY (name, valid_from),
    CONSTRAINT social_rate_name_check CHECK (name IN ('forfait_social')),
    CONSTRAINT social_rate_valid_check CHECK (valid_to >= valid_from),
    CONSTRAINT social_rate_forfait_social_excl
        EXCLUDE USING gist (daterange(valid_from, valid_to, '[]') WITH &&) WHERE (name = 'forfait_social'),
    CONSTRAINT social_rate_rate_ppm_check CHECK (rate_ppm BETWEEN 0 AND 1000000),
    CONSTRAINT social_rate_minimum_headcount_check CHECK (minimum_headcount >= 0)
);
COMMENT ON TABLE payroll.social_rate IS 'Levies on the employer''s share, by date; add a row when a new year is known.';
COMMENT ON COLUMN payroll.social_rate.name IS 'forfait_social.';
COMMENT ON COLUMN payroll.social_rate.valid_from IS 'First day.';
COMMENT ON COLUMN payroll.social_rate.valid_to IS 'Last day up to which it was verified.';
COMMENT ON COLUMN payroll.social_rate.rate_ppm IS 'Rate, in parts per million.';
COMMENT ON COLUMN payroll.social_rate.minimum_headcount IS 'Headcount from which it is due.';
COMMENT ON COLUMN payroll.social_rate.source IS 'Where it was read.';
INSERT INTO payroll.social_rate (name, valid_from, valid_to, rate_ppm, minimum_headcount, source) VALUES
    ('forfait_social', '2016-01-01', '2026-12-31', 80000, 11, 'CSS L137-15, L137-16; openfisca-france');
