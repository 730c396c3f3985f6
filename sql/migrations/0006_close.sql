-- Closed payroll months: what they held, word for word, and who closed and reopened them.

-- Held money too, so that a closed month can be read without looking anything up that may have changed since.
-- No primary key: employment_id may be null. The unique key replaces it, as in payroll.contribution.
CREATE TABLE payroll.closed_row (
    company_id         text   NOT NULL,
    payroll_month      date   NOT NULL,
    line_id            text   NOT NULL,
    employment_id      text,
    cover_from         date   NOT NULL,
    cover_to           date   NOT NULL,
    cover_month        date   NOT NULL,
    status             text   NOT NULL,
    hold_code          text,
    kind               text   NOT NULL,
    invoice_id         text   NOT NULL,
    invoice_number     text,
    billing_month      date   NOT NULL,
    siren              text,
    siret              text,
    employee_id        text,
    matricule          text,
    nir                text,
    ntt                text,
    last_name          text,
    first_name         text,
    category           text,
    member_id          text,
    contract_id        text   NOT NULL,
    product            text,
    contract_reference text,
    insurer_code       text,
    delegate_code      text,
    component          text   NOT NULL,
    member_type        text   NOT NULL,
    option_code        text,
    population_code    text,
    affiliation_id     text,
    partners           bigint,
    children           bigint,
    others             bigint,
    headcount          bigint,
    forfait_social_ppm bigint,
    base_cents         bigint,
    amount_cents       bigint NOT NULL,
    employer_cents     bigint NOT NULL,
    employee_cents     bigint NOT NULL,
    CONSTRAINT closed_row_key
        UNIQUE NULLS NOT DISTINCT (company_id, payroll_month, line_id, employment_id, cover_from, status),
    CONSTRAINT closed_row_sum_check CHECK (employer_cents + employee_cents = amount_cents)
) PARTITION BY RANGE (payroll_month);
COMMENT ON TABLE payroll.closed_row IS
    'Contributions of closed months as they stood at the close, with names, references and numbers. By payroll month.';
COMMENT ON COLUMN payroll.closed_row.company_id IS 'Company.';
COMMENT ON COLUMN payroll.closed_row.payroll_month IS 'Month of the payslip that carries it, its first day.';
COMMENT ON COLUMN payroll.closed_row.line_id IS 'Invoice line.';
COMMENT ON COLUMN payroll.closed_row.employment_id IS
    'Contract of employment; null: held for somebody who is not matched, or a fee that the company bears.';
COMMENT ON COLUMN payroll.closed_row.cover_from IS 'First day of cover.';
COMMENT ON COLUMN payroll.closed_row.cover_to IS 'Last day of cover, in the same civil month.';
COMMENT ON COLUMN payroll.closed_row.cover_month IS 'Month of cover, its first day.';
COMMENT ON COLUMN payroll.closed_row.status IS 'ready: it went to payroll; held: it did not.';
COMMENT ON COLUMN payroll.closed_row.hold_code IS 'Discrepancy code that held it.';
COMMENT ON COLUMN payroll.closed_row.kind IS 'regular, regularisation (of an earlier month) or reversal.';
COMMENT ON COLUMN payroll.closed_row.invoice_id IS 'Invoice.';
COMMENT ON COLUMN payroll.closed_row.invoice_number IS 'Number printed on the invoice.';
COMMENT ON COLUMN payroll.closed_row.billing_month IS 'Month of the invoice, its first day.';
COMMENT ON COLUMN payroll.closed_row.siren IS
    'SIREN of the establishment; of the company where there is no establishment.';
COMMENT ON COLUMN payroll.closed_row.siret IS 'SIRET of the establishment of the contract of employment.';
COMMENT ON COLUMN payroll.closed_row.employee_id IS 'Payroll''s identifier of the person.';
COMMENT ON COLUMN payroll.closed_row.matricule IS 'Number of the employee inside the company.';
COMMENT ON COLUMN payroll.closed_row.nir IS 'Social security number. Not for payroll_reader.';
COMMENT ON COLUMN payroll.closed_row.ntt IS 'Temporary technical number. Not for payroll_reader.';
COMMENT ON COLUMN payroll.closed_row.last_name IS 'Last name.';
COMMENT ON COLUMN payroll.closed_row.first_name IS 'First name.';
COMMENT ON COLUMN payroll.closed_row.category IS 'Category of the contract of employment: executive or non_executive.';
COMMENT ON COLUMN payroll.closed_row.member_id IS 'Person billed; null: billed for the whole company.';
COMMENT ON COLUMN payroll.closed_row.contract_id IS 'Alan''s contract.';
COMMENT ON COLUMN payroll.closed_row.product IS 'health or provident; null: held, its contract is unknown.';
COMMENT ON COLUMN payroll.closed_row.contract_reference IS 'Contract reference declared in the DSN (S21.G00.15.001).';
COMMENT ON COLUMN payroll.closed_row.insurer_code IS 'Organism code declared in the DSN (S21.G00.15.002).';
COMMENT ON COLUMN payroll.closed_row.delegate_code IS 'Delegated manager''s code declared in the DSN.';
COMMENT ON COLUMN payroll.closed_row.component IS 'What the premium is reckoned on: fixed, pmss, gross, t1, t2 or tb.';
COMMENT ON COLUMN payroll.closed_row.member_type IS
    'Who is insured by it: employee, partner, child, family or option.';
COMMENT ON COLUMN payroll.closed_row.option_code IS 'Option code declared in the DSN (S21.G00.70.004).';
COMMENT ON COLUMN payroll.closed_row.population_code IS 'Population code declared in the DSN (S21.G00.70.005).';
COMMENT ON COLUMN payroll.closed_row.affiliation_id IS 'Affiliation at Alan that covered it.';
COMMENT ON COLUMN payroll.closed_row.partners IS 'Partners insured under that affiliation.';
COMMENT ON COLUMN payroll.closed_row.children IS 'Children insured under it (S21.G00.70.007).';
COMMENT ON COLUMN payroll.closed_row.others IS 'Other people insured under it.';
COMMENT ON COLUMN payroll.closed_row.headcount IS 'Headcount of the company; null: not known.';
COMMENT ON COLUMN payroll.closed_row.forfait_social_ppm IS
    'Rate of the forfait social that applied, in parts per million; 0: too few staff; null: not known.';
COMMENT ON COLUMN payroll.closed_row.base_cents IS 'What a rate was applied to.';
COMMENT ON COLUMN payroll.closed_row.amount_cents IS 'Whole premium, signed.';
COMMENT ON COLUMN payroll.closed_row.employer_cents IS 'Part that the employer paid.';
COMMENT ON COLUMN payroll.closed_row.employee_cents IS 'Part that the employee paid.';
CREATE INDEX closed_row_employee_idx ON payroll.closed_row (company_id, employee_id);
CREATE INDEX closed_row_employment_idx ON payroll.closed_row (company_id, employment_id);

CREATE TABLE payroll.period_event (
    company_id    text   NOT NULL,
    payroll_month date   NOT NULL,
    event_id      bigint GENERATED ALWAYS AS IDENTITY,
    happened_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor         text   NOT NULL,
    event         text   NOT NULL,
    note          text   NOT NULL,
    digest        text   NOT NULL,
    written_by    xid8   NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT period_event_pkey PRIMARY KEY (company_id, payroll_month, event_id),
    CONSTRAINT period_event_payroll_month_check CHECK (extract(day FROM payroll_month) = 1),
    CONSTRAINT period_event_event_check CHECK (event IN ('closed', 'reopened')),
    CONSTRAINT period_event_digest_check CHECK (digest ~ '^[0-9a-f]{64}$')
);
COMMENT ON TABLE payroll.period_event IS 'History of payroll months: who closed and reopened them, when and why.';
COMMENT ON COLUMN payroll.period_event.company_id IS 'Company.';
COMMENT ON COLUMN payroll.period_event.payroll_month IS 'Payroll month, its first day.';
COMMENT ON COLUMN payroll.period_event.event_id IS 'Number of the event.';
COMMENT ON COLUMN payroll.period_event.happened_at IS 'When.';
COMMENT ON COLUMN payroll.period_event.actor IS 'Who: a database user, or payroll, where the payroll system closed it.';
COMMENT ON COLUMN payroll.period_event.event IS 'closed or reopened.';
COMMENT ON COLUMN payroll.period_event.note IS 'Why.';
COMMENT ON COLUMN payroll.period_event.digest IS
    'SHA-256 of the frozen rows: those made by a close, those given up by a reopening.';
COMMENT ON COLUMN payroll.period_event.written_by IS
    'Transaction that wrote it: a period changes only in one that says so here.';

-- Which months were loaded is known from here on: load writes each down as open.
COMMENT ON TABLE payroll.period IS 'Payroll months that were loaded: open, or closed here.';
COMMENT ON COLUMN payroll.period.note IS 'Why it was closed, or reopened.';
COMMENT ON COLUMN payroll.period.closed_by IS
    'Who closed it: a database user, or payroll, where the payroll system did.';
INSERT INTO payroll.period (company_id, payroll_month, status)
SELECT company_id, payroll_month, 'open' FROM payroll.contribution
UNION
SELECT company_id, payroll_month, 'open' FROM payroll.coverage
UNION
SELECT company_id, payroll_month, 'open' FROM payroll.invoice_control
UNION
SELECT company_id, payroll_month, 'open' FROM pipeline.company_load
ON CONFLICT DO NOTHING;
