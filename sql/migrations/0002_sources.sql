-- What Alan and payroll say, as transform passed it on. Tables and columns are named as the records of
-- common/records.def. No foreign keys between them: a source may be late or wrong about what another one holds, and
-- that is reported as a discrepancy, not refused.

CREATE SCHEMA payroll;
COMMENT ON SCHEMA payroll IS 'Facts: what the sources say, what was made of it, and what people decided.';

CREATE TABLE payroll.company (
    company_id      text   NOT NULL,
    siren           text   NOT NULL,
    name            text,
    headcount       bigint,
    previous_sirens jsonb  NOT NULL DEFAULT '[]',
    establishments  jsonb  NOT NULL DEFAULT '[]',
    CONSTRAINT company_pkey PRIMARY KEY (company_id),
    CONSTRAINT company_siren_check CHECK (siren ~ '^[0-9]{9}$'),
    CONSTRAINT company_headcount_check CHECK (headcount >= 0),
    CONSTRAINT company_previous_sirens_check CHECK (jsonb_typeof(previous_sirens) = 'array'),
    CONSTRAINT company_establishments_check CHECK (jsonb_typeof(establishments) = 'array')
);
COMMENT ON TABLE payroll.company IS 'Companies whose payroll is served.';
COMMENT ON COLUMN payroll.company.company_id IS 'Identifier of the configuration.';
COMMENT ON COLUMN payroll.company.siren IS 'SIREN, 9 digits.';
COMMENT ON COLUMN payroll.company.name IS 'Name.';
COMMENT ON COLUMN payroll.company.headcount IS
    'Number of employees that decides on the forfait social; null: not known.';
COMMENT ON COLUMN payroll.company.previous_sirens IS 'Former SIRENs: [{siren, until}].';
COMMENT ON COLUMN payroll.company.establishments IS 'Establishments: [{siret, payroll_company_id}].';

CREATE TABLE payroll.source_sync (
    company_id   text NOT NULL,
    source       text NOT NULL,
    outcome      text NOT NULL,
    attempted_at timestamptz,
    synced_at    timestamptz,
    error        text,
    CONSTRAINT source_sync_pkey PRIMARY KEY (company_id, source),
    CONSTRAINT source_sync_outcome_check CHECK (outcome IN ('ok', 'failed', 'absent'))
);
COMMENT ON TABLE payroll.source_sync IS 'When each source was last read for a company.';
COMMENT ON COLUMN payroll.source_sync.company_id IS 'Company.';
COMMENT ON COLUMN payroll.source_sync.source IS 'Source, as named in the configuration: alan, payroll, bases.';
COMMENT ON COLUMN payroll.source_sync.outcome IS
    'Of the last attempt: ok, failed, or absent (an optional file that was not there).';
COMMENT ON COLUMN payroll.source_sync.attempted_at IS 'Last attempt.';
COMMENT ON COLUMN payroll.source_sync.synced_at IS 'Last success; null before the first one.';
COMMENT ON COLUMN payroll.source_sync.error IS 'Why the last attempt failed.';

CREATE TABLE payroll.contract (
    company_id    text  NOT NULL,
    contract_id   text  NOT NULL,
    product       text  NOT NULL,
    reference     text  NOT NULL,
    insurer_code  text  NOT NULL,
    delegate_code text,
    siren         text,
    valid_from    date  NOT NULL,
    valid_to      date,
    status        text  NOT NULL,
    proration     text  NOT NULL,
    updated_at    timestamptz,
    terms         jsonb NOT NULL DEFAULT '[]',
    CONSTRAINT contract_pkey PRIMARY KEY (company_id, contract_id),
    CONSTRAINT contract_product_check CHECK (product IN ('health', 'provident')),
    CONSTRAINT contract_status_check CHECK (status IN ('active', 'pending', 'terminated')),
    CONSTRAINT contract_proration_check CHECK (proration IN ('none', 'calendar_days', 'thirtieths')),
    CONSTRAINT contract_terms_check CHECK (jsonb_typeof(terms) = 'array')
);
COMMENT ON TABLE payroll.contract IS 'Alan''s contracts.';
COMMENT ON COLUMN payroll.contract.company_id IS 'Company.';
COMMENT ON COLUMN payroll.contract.contract_id IS 'Alan''s identifier.';
COMMENT ON COLUMN payroll.contract.product IS 'health or provident.';
COMMENT ON COLUMN payroll.contract.reference IS 'Contract reference declared in the DSN (S21.G00.15.001).';
COMMENT ON COLUMN payroll.contract.insurer_code IS 'Organism code declared in the DSN (S21.G00.15.002).';
COMMENT ON COLUMN payroll.contract.delegate_code IS 'Delegated manager''s code declared in the DSN.';
COMMENT ON COLUMN payroll.contract.siren IS 'SIREN that Alan holds for the contract, as it came.';
COMMENT ON COLUMN payroll.contract.valid_from IS 'First day.';
COMMENT ON COLUMN payroll.contract.valid_to IS 'Last day; null: open.';
COMMENT ON COLUMN payroll.contract.status IS 'active, pending or terminated.';
COMMENT ON COLUMN payroll.contract.proration IS
    'How an incomplete month is charged: none, calendar_days or thirtieths.';
COMMENT ON COLUMN payroll.contract.updated_at IS 'Last change at Alan.';
COMMENT ON COLUMN payroll.contract.terms IS 'Prices and shares by option, population, category, member type and date.';

CREATE TABLE payroll.invoice (
    company_id    text   NOT NULL,
    invoice_id    text   NOT NULL,
    number        text   NOT NULL,
    type          text   NOT NULL,
    siren         text   NOT NULL,
    billing_month date   NOT NULL,
    issued_on     date   NOT NULL,
    due_on        date,
    currency      text   NOT NULL,
    total_cents   bigint NOT NULL,
    line_count    bigint NOT NULL,
    status        text   NOT NULL,
    updated_at    timestamptz,
    CONSTRAINT invoice_pkey PRIMARY KEY (company_id, invoice_id),
    CONSTRAINT invoice_type_check CHECK (type IN ('invoice', 'credit_note')),
    CONSTRAINT invoice_billing_month_check CHECK (extract(day FROM billing_month) = 1),
    CONSTRAINT invoice_currency_check CHECK (currency IN ('EUR')),
    CONSTRAINT invoice_line_count_check CHECK (line_count >= 0),
    CONSTRAINT invoice_status_check CHECK (status IN ('issued', 'paid', 'cancelled'))
);
COMMENT ON TABLE payroll.invoice IS 'Alan''s invoices and credit notes.';
COMMENT ON COLUMN payroll.invoice.company_id IS 'Company.';
COMMENT ON COLUMN payroll.invoice.invoice_id IS 'Alan''s identifier.';
COMMENT ON COLUMN payroll.invoice.number IS 'Number printed on the invoice.';
COMMENT ON COLUMN payroll.invoice.type IS 'invoice or credit_note.';
COMMENT ON COLUMN payroll.invoice.siren IS 'SIREN invoiced, as it came.';
COMMENT ON COLUMN payroll.invoice.billing_month IS 'Month billed, its first day.';
COMMENT ON COLUMN payroll.invoice.issued_on IS 'Date of issue.';
COMMENT ON COLUMN payroll.invoice.due_on IS 'Date due.';
COMMENT ON COLUMN payroll.invoice.currency IS 'EUR.';
COMMENT ON COLUMN payroll.invoice.total_cents IS 'Total that the invoice states; negative for a credit note.';
COMMENT ON COLUMN payroll.invoice.line_count IS 'Number of lines that the invoice announces.';
COMMENT ON COLUMN payroll.invoice.status IS 'issued, paid or cancelled.';
COMMENT ON COLUMN payroll.invoice.updated_at IS 'Last change at Alan.';

CREATE TABLE payroll.employee (
    company_id  text NOT NULL,
    employee_id text NOT NULL,
    matricule   text,
    nir         text,
    ntt         text,
    first_name  text,
    last_name   text NOT NULL,
    birth_name  text,
    birth_date  date,
    -- Masked as common/nir.c does: sex and year, and those only when the number begins with three digits.
    nir_masked  text GENERATED ALWAYS AS (
        CASE
            WHEN nir IS NULL THEN NULL
            WHEN left(translate(nir, ' .-' || chr(160) || chr(8239), ''), 3) ~ '^[0-9]{3}$' THEN
                left(translate(nir, ' .-' || chr(160) || chr(8239), ''), 1) || ' '
                || substr(translate(nir, ' .-' || chr(160) || chr(8239), ''), 2, 2) || ' ** ** *** *** **'
            ELSE '* ** ** ** *** *** **'
        END) STORED,
    ntt_masked  text GENERATED ALWAYS AS (CASE WHEN ntt IS NOT NULL THEN left(ntt, 1) || ' **********' END) STORED,
    CONSTRAINT employee_pkey PRIMARY KEY (company_id, employee_id)
);
COMMENT ON TABLE payroll.employee IS 'People in payroll.';
COMMENT ON COLUMN payroll.employee.company_id IS 'Company.';
COMMENT ON COLUMN payroll.employee.employee_id IS 'Payroll''s identifier of the person.';
COMMENT ON COLUMN payroll.employee.matricule IS 'Number of the employee inside the company.';
COMMENT ON COLUMN payroll.employee.nir IS 'Social security number, as it came. Not for payroll_reader.';
COMMENT ON COLUMN payroll.employee.ntt IS 'Temporary technical number. Not for payroll_reader.';
COMMENT ON COLUMN payroll.employee.first_name IS 'First name.';
COMMENT ON COLUMN payroll.employee.last_name IS 'Last name.';
COMMENT ON COLUMN payroll.employee.birth_name IS 'Name at birth.';
COMMENT ON COLUMN payroll.employee.birth_date IS 'Date of birth.';
COMMENT ON COLUMN payroll.employee.nir_masked IS 'Social security number reduced to sex and year.';
COMMENT ON COLUMN payroll.employee.ntt_masked IS 'Temporary technical number reduced to its first character.';

CREATE TABLE payroll.employment (
    company_id             text   NOT NULL,
    employment_id          text   NOT NULL,
    employee_id            text   NOT NULL,
    siret                  text   NOT NULL,
    starts_on              date   NOT NULL,
    ends_on                date,
    status                 text,
    category               text,
    health_contract_ids    text[] NOT NULL DEFAULT '{}',
    provident_contract_ids text[] NOT NULL DEFAULT '{}',
    exempt                 boolean,
    CONSTRAINT employment_pkey PRIMARY KEY (company_id, employment_id),
    CONSTRAINT employment_status_check CHECK (status IN ('active', 'pending', 'ended')),
    CONSTRAINT employment_category_check CHECK (category IN ('all', 'executive', 'non_executive'))
);
COMMENT ON TABLE payroll.employment IS 'Contracts of employment.';
COMMENT ON COLUMN payroll.employment.company_id IS 'Company.';
COMMENT ON COLUMN payroll.employment.employment_id IS 'Payroll''s identifier of the contract of employment.';
COMMENT ON COLUMN payroll.employment.employee_id IS 'Whose it is (payroll.employee).';
COMMENT ON COLUMN payroll.employment.siret IS
    'SIRET of the establishment, 14 digits: the DSN in which its rows are declared.';
COMMENT ON COLUMN payroll.employment.starts_on IS 'First day.';
COMMENT ON COLUMN payroll.employment.ends_on IS 'Last day; null: open.';
COMMENT ON COLUMN payroll.employment.status IS 'active, pending or ended.';
COMMENT ON COLUMN payroll.employment.category IS 'executive or non_executive; all where payroll does not tell.';
COMMENT ON COLUMN payroll.employment.health_contract_ids IS
    'Health contracts assigned in payroll (payroll.payroll_contract).';
COMMENT ON COLUMN payroll.employment.provident_contract_ids IS
    'Provident contracts assigned in payroll (payroll.payroll_contract).';
COMMENT ON COLUMN payroll.employment.exempt IS 'Marked exempt (dispensé) in payroll; null: payroll does not tell.';
CREATE INDEX employment_employee_idx ON payroll.employment (company_id, employee_id);

CREATE TABLE payroll.payroll_contract (
    company_id          text   NOT NULL,
    payroll_contract_id text   NOT NULL,
    product             text   NOT NULL,
    reference           text   NOT NULL,
    option_code         text,
    population_code     text,
    employment_ids      text[] NOT NULL DEFAULT '{}',
    CONSTRAINT payroll_contract_pkey PRIMARY KEY (company_id, payroll_contract_id),
    CONSTRAINT payroll_contract_product_check CHECK (product IN ('health', 'provident'))
);
COMMENT ON TABLE payroll.payroll_contract IS 'Health and provident contracts as payroll holds them.';
COMMENT ON COLUMN payroll.payroll_contract.company_id IS 'Company.';
COMMENT ON COLUMN payroll.payroll_contract.payroll_contract_id IS 'Payroll''s identifier.';
COMMENT ON COLUMN payroll.payroll_contract.product IS 'health or provident.';
COMMENT ON COLUMN payroll.payroll_contract.reference IS
    'Contract reference declared in the DSN, which pairs it with Alan''s.';
COMMENT ON COLUMN payroll.payroll_contract.option_code IS 'Option code declared in the DSN.';
COMMENT ON COLUMN payroll.payroll_contract.population_code IS 'Population code declared in the DSN.';
COMMENT ON COLUMN payroll.payroll_contract.employment_ids IS 'Contracts of employment affiliated to it.';

CREATE TABLE payroll.pay_base (
    company_id    text   NOT NULL,
    employment_id text   NOT NULL,
    month         date   NOT NULL,
    gross_cents   bigint NOT NULL,
    t1_cents      bigint,
    t2_cents      bigint,
    CONSTRAINT pay_base_pkey PRIMARY KEY (company_id, employment_id, month),
    CONSTRAINT pay_base_month_check CHECK (extract(day FROM month) = 1)
);
COMMENT ON TABLE payroll.pay_base IS 'Monthly pay on which percentage premiums are reckoned.';
COMMENT ON COLUMN payroll.pay_base.company_id IS 'Company.';
COMMENT ON COLUMN payroll.pay_base.employment_id IS 'Contract of employment.';
COMMENT ON COLUMN payroll.pay_base.month IS 'Month, its first day.';
COMMENT ON COLUMN payroll.pay_base.gross_cents IS 'Gross pay.';
COMMENT ON COLUMN payroll.pay_base.t1_cents IS 'Part up to the social security ceiling, where payroll gives it.';
COMMENT ON COLUMN payroll.pay_base.t2_cents IS 'Part from one to eight ceilings, where payroll gives it.';

CREATE TABLE payroll.payroll_period (
    company_id text NOT NULL,
    month      date NOT NULL,
    status     text NOT NULL,
    closed_at  timestamptz,
    CONSTRAINT payroll_period_pkey PRIMARY KEY (company_id, month),
    CONSTRAINT payroll_period_month_check CHECK (extract(day FROM month) = 1),
    CONSTRAINT payroll_period_status_check CHECK (status IN ('open', 'closed'))
);
COMMENT ON TABLE payroll.payroll_period IS
    'What the payroll system says of its months. What is closed here is in payroll.period.';
COMMENT ON COLUMN payroll.payroll_period.company_id IS 'Company.';
COMMENT ON COLUMN payroll.payroll_period.month IS 'Payroll month, its first day.';
COMMENT ON COLUMN payroll.payroll_period.status IS 'open or closed.';
COMMENT ON COLUMN payroll.payroll_period.closed_at IS 'When the payroll system closed it.';

CREATE TABLE payroll.affiliation (
    company_id       text NOT NULL,
    affiliation_id   text NOT NULL,
    member_id        text NOT NULL,
    contract_id      text NOT NULL,
    status           text NOT NULL,
    nir              text,
    first_name       text,
    last_name        text,
    birth_name       text,
    birth_date       date,
    option_code      text,
    population_code  text,
    category         text,
    partners         bigint,
    children         bigint,
    others           bigint,
    starts_on        date NOT NULL,
    ends_on          date,
    exemption_ground text,
    exemption_from   date,
    exemption_to     date,
    exemption_proof  text,
    updated_at       timestamptz,
    CONSTRAINT affiliation_pkey PRIMARY KEY (company_id, affiliation_id),
    CONSTRAINT affiliation_status_check CHECK (
        status IN ('active', 'pending', 'exempt', 'suspended', 'portability', 'ended')),
    CONSTRAINT affiliation_category_check CHECK (category IN ('all', 'executive', 'non_executive'))
);
COMMENT ON TABLE payroll.affiliation IS 'Whom Alan covers under which contract, or holds as exempt.';
COMMENT ON COLUMN payroll.affiliation.company_id IS 'Company.';
COMMENT ON COLUMN payroll.affiliation.affiliation_id IS 'Alan''s identifier.';
COMMENT ON COLUMN payroll.affiliation.member_id IS 'Person (payroll.member).';
COMMENT ON COLUMN payroll.affiliation.contract_id IS 'Contract (payroll.contract).';
COMMENT ON COLUMN payroll.affiliation.status IS 'active, pending, exempt, suspended, portability or ended.';
COMMENT ON COLUMN payroll.affiliation.nir IS 'Social security number, as it came. Not for payroll_reader.';
COMMENT ON COLUMN payroll.affiliation.first_name IS 'First name.';
COMMENT ON COLUMN payroll.affiliation.last_name IS 'Last name.';
COMMENT ON COLUMN payroll.affiliation.birth_name IS 'Name at birth.';
COMMENT ON COLUMN payroll.affiliation.birth_date IS 'Date of birth.';
COMMENT ON COLUMN payroll.affiliation.option_code IS 'Option code declared in the DSN.';
COMMENT ON COLUMN payroll.affiliation.population_code IS 'Population code declared in the DSN.';
COMMENT ON COLUMN payroll.affiliation.category IS 'all, executive or non_executive.';
COMMENT ON COLUMN payroll.affiliation.partners IS 'Partners covered.';
COMMENT ON COLUMN payroll.affiliation.children IS 'Children covered.';
COMMENT ON COLUMN payroll.affiliation.others IS 'Others covered.';
COMMENT ON COLUMN payroll.affiliation.starts_on IS 'First day of cover.';
COMMENT ON COLUMN payroll.affiliation.ends_on IS 'Last day of cover; null: open.';
COMMENT ON COLUMN payroll.affiliation.exemption_ground IS 'Ground of the dispense held by Alan.';
COMMENT ON COLUMN payroll.affiliation.exemption_from IS 'First day of that dispense.';
COMMENT ON COLUMN payroll.affiliation.exemption_to IS 'Last day of that dispense; null: open.';
COMMENT ON COLUMN payroll.affiliation.exemption_proof IS 'Proof that Alan holds for it.';
COMMENT ON COLUMN payroll.affiliation.updated_at IS 'Last change at Alan.';
CREATE INDEX affiliation_member_idx ON payroll.affiliation (company_id, member_id);
