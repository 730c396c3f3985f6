-- What accounting and the social treatment of shares are reckoned with: accounts, chosen by people, and limits, set by
-- law; and the reasons for which somebody's amounts change.

-- Rows are never deleted nor changed but for the stamp that ends them, so that the journal of a closed month keeps the
-- accounts that it was closed with. No primary key on the company: null stands for every company without its own.
CREATE TABLE payroll.account (
    account_id  bigint GENERATED ALWAYS AS IDENTITY,
    company_id  text,
    kind        text NOT NULL,
    account     text NOT NULL,
    label       text NOT NULL,
    note        text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL,
    ended_at    timestamptz,
    ended_by    text,
    CONSTRAINT account_pkey PRIMARY KEY (account_id),
    CONSTRAINT account_kind_check CHECK (
        kind IN ('journal', 'health_employer', 'provident_employer', 'fee', 'employee', 'payable')),
    CONSTRAINT account_account_check CHECK (
        account ~ CASE kind WHEN 'journal' THEN '^[0-9A-Z]{1,10}$' ELSE '^[1-7][0-9]{2}[0-9A-Z]{0,17}$' END),
    CONSTRAINT account_label_check CHECK (label ~ '[[:alnum:]]' AND length(label) <= 100 AND label !~ '[[:cntrl:]|]'),
    CONSTRAINT account_ended_check CHECK (num_nulls(ended_at, ended_by) IN (0, 2))
);
COMMENT ON TABLE payroll.account IS
    'Accounts of report.journal_entry (payroll.set_account). In force: ended_at is null; a closed month keeps those '
    'that were in force when it was closed.';
COMMENT ON COLUMN payroll.account.account_id IS 'Number of the row.';
COMMENT ON COLUMN payroll.account.company_id IS 'Company; null: every company that has none of its own.';
COMMENT ON COLUMN payroll.account.kind IS
    'What it is for: journal (the journal itself), health_employer and provident_employer (the employer''s shares), '
    'fee (what the company bears that is no premium), employee (the employees'' shares, withheld) and payable (owed '
    'to Alan).';
COMMENT ON COLUMN payroll.account.account IS
    'Account number, its first three characters digits of the plan comptable; of kind journal, the journal''s code.';
COMMENT ON COLUMN payroll.account.label IS 'Its name.';
COMMENT ON COLUMN payroll.account.note IS 'Why.';
COMMENT ON COLUMN payroll.account.recorded_at IS 'Since when it is in force.';
COMMENT ON COLUMN payroll.account.recorded_by IS 'Who chose it.';
COMMENT ON COLUMN payroll.account.ended_at IS 'When another replaced it; null: in force.';
COMMENT ON COLUMN payroll.account.ended_by IS 'Who replaced it.';
CREATE UNIQUE INDEX account_in_force_key ON payroll.account (company_id, kind) NULLS NOT DISTINCT
    WHERE ended_at IS NULL;
INSERT INTO payroll.account (kind, account, label, note, recorded_at, recorded_by) VALUES
    ('journal', 'PAIE', 'Journal de paie', 'default', '2000-01-01Z', 'load --migrate'),
    ('health_employer', '6452', 'Cotisations aux mutuelles', 'default', '2000-01-01Z', 'load --migrate'),
    ('provident_employer', '6453', 'Cotisations aux caisses de retraite et de prévoyance', 'default', '2000-01-01Z',
        'load --migrate'),
    ('fee', '6228', 'Rémunérations d''intermédiaires et honoraires divers', 'default', '2000-01-01Z',
        'load --migrate'),
    ('employee', '421', 'Personnel, rémunérations dues', 'default', '2000-01-01Z', 'load --migrate'),
    ('payable', '4372', 'Mutuelles', 'default', '2000-01-01Z', 'load --migrate');

-- A year that no row covers has no limits: what depends on them is null and says why.
CREATE TABLE payroll.social_ceiling (
    valid_from   date   NOT NULL,
    valid_to     date   NOT NULL,
    annual_cents bigint NOT NULL,
    source       text   NOT NULL,
    CONSTRAINT social_ceiling_pkey PRIMARY KEY (valid_from),
    CONSTRAINT social_ceiling_valid_check CHECK (valid_to >= valid_from),
    CONSTRAINT social_ceiling_valid_excl EXCLUDE USING gist (daterange(valid_from, valid_to, '[]') WITH &&),
    CONSTRAINT social_ceiling_annual_check CHECK (annual_cents > 0)
);
COMMENT ON TABLE payroll.social_ceiling IS
    'Yearly ceiling of social security (PASS), twelve times the monthly one of rules.pmss; add a row when a new year '
    'is known.';
COMMENT ON COLUMN payroll.social_ceiling.valid_from IS 'First day.';
COMMENT ON COLUMN payroll.social_ceiling.valid_to IS 'Last day.';
COMMENT ON COLUMN payroll.social_ceiling.annual_cents IS 'PASS, in cents.';
COMMENT ON COLUMN payroll.social_ceiling.source IS 'Where it was read.';
INSERT INTO payroll.social_ceiling (valid_from, valid_to, annual_cents, source)
SELECT make_date(year, 1, 1), make_date(year, 12, 31), annual_cents, 'openfisca-france'
FROM (VALUES (2019, 4052400), (2020, 4113600), (2021, 4113600), (2022, 4113600), (2023, 4399200), (2024, 4636800),
             (2025, 4710000), (2026, 4806000)) AS pass (year, annual_cents);

CREATE TABLE payroll.exemption_limit (
    name        text   NOT NULL,
    valid_from  date   NOT NULL,
    valid_to    date   NOT NULL,
    ceiling_ppm bigint NOT NULL,
    gross_ppm   bigint NOT NULL,
    maximum_ppm bigint NOT NULL,
    source      text   NOT NULL,
    CONSTRAINT exemption_limit_pkey PRIMARY KEY (name, valid_from),
    CONSTRAINT exemption_limit_name_check CHECK (name IN ('contributions', 'income_tax')),
    CONSTRAINT exemption_limit_valid_check CHECK (valid_to >= valid_from),
    CONSTRAINT exemption_limit_contributions_excl
        EXCLUDE USING gist (daterange(valid_from, valid_to, '[]') WITH &&) WHERE (name = 'contributions'),
    CONSTRAINT exemption_limit_income_tax_excl
        EXCLUDE USING gist (daterange(valid_from, valid_to, '[]') WITH &&) WHERE (name = 'income_tax'),
    CONSTRAINT exemption_limit_ppm_check CHECK (
        ceiling_ppm BETWEEN 0 AND 1000000 AND gross_ppm BETWEEN 0 AND 1000000 AND maximum_ppm BETWEEN 0 AND 1000000)
);
COMMENT ON TABLE payroll.exemption_limit IS
    'Up to what, over a year, shares are exempt: a part of the PASS and a part of gross pay, at most another part of '
    'the PASS.';
COMMENT ON COLUMN payroll.exemption_limit.name IS
    'contributions: the employer''s shares of both products, from social security contributions; income_tax: the '
    'employee''s shares of both and the employer''s of provident, from income tax.';
COMMENT ON COLUMN payroll.exemption_limit.valid_from IS 'First day.';
COMMENT ON COLUMN payroll.exemption_limit.valid_to IS 'Last day up to which it was verified.';
COMMENT ON COLUMN payroll.exemption_limit.ceiling_ppm IS 'Part of the PASS, in parts per million.';
COMMENT ON COLUMN payroll.exemption_limit.gross_ppm IS 'Part of yearly gross pay, in parts per million.';
COMMENT ON COLUMN payroll.exemption_limit.maximum_ppm IS 'The most, as a part of the PASS, in parts per million.';
COMMENT ON COLUMN payroll.exemption_limit.source IS 'Where it was read.';
INSERT INTO payroll.exemption_limit (name, valid_from, valid_to, ceiling_ppm, gross_ppm, maximum_ppm, source) VALUES
    ('contributions', '2019-01-01', '2026-12-31', 60000, 15000, 120000, 'CSS D242-1; mon-entreprise'),
    ('income_tax', '2019-01-01', '2026-12-31', 50000, 20000, 160000, 'CGI 83, 1° quater; mon-entreprise');

CREATE TABLE payroll.variance_reason (
    reason   text NOT NULL,
    label_fr text NOT NULL,
    label_en text NOT NULL,
    CONSTRAINT variance_reason_pkey PRIMARY KEY (reason)
);
COMMENT ON TABLE payroll.variance_reason IS
    'Why amounts differ from those of the month before (report.month_variance).';
COMMENT ON COLUMN payroll.variance_reason.reason IS 'Reason.';
COMMENT ON COLUMN payroll.variance_reason.label_fr IS 'What it means, in French.';
COMMENT ON COLUMN payroll.variance_reason.label_en IS 'What it means, in English.';
INSERT INTO payroll.variance_reason (reason, label_fr, label_en) VALUES
    ('first_month', 'premier mois de l''entreprise : rien à comparer',
        'first month of the company: nothing to compare'),
    ('hire', 'embauche', 'hired'),
    ('exit', 'départ', 'left the company'),
    ('released', 'montant bloqué le mois précédent, débloqué ce mois-ci', 'held the month before, released this month'),
    ('held', 'montant bloqué ce mois-ci : voir les écarts', 'held this month: see the discrepancies'),
    ('contract', 'autre contrat, ou contrat ajouté ou retiré', 'another contract, or one more or less'),
    ('option', 'changement de formule ou d''option', 'another option'),
    ('dependants', 'ayants droit ajoutés ou retirés', 'dependants added or removed'),
    ('cover_start', 'début de couverture', 'cover began'),
    ('cover_end', 'fin de couverture', 'cover ended'),
    ('price', 'nouveau tarif du contrat', 'new price of the contract'),
    ('share', 'nouvelle répartition entre employeur et salarié', 'new split between employer and employee'),
    ('base', 'assiette différente (salaire ou plafond)', 'another base (pay or ceiling)'),
    ('reversal', 'annulation d''un montant d''un mois antérieur', 'an amount of an earlier month taken back'),
    ('regularisation', 'régularisation d''un mois antérieur', 'an earlier month put right'),
    ('unexplained', 'sans explication : à vérifier', 'not explained: needs a look');
