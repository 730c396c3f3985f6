-- What transform made of the sources: who is who, who pays what, what is wrong.

CREATE TABLE payroll.member (
    company_id  text NOT NULL,
    member_id   text NOT NULL,
    nir         text,
    first_name  text,
    last_name   text,
    birth_date  date,
    employee_id text,
    matched_by  text NOT NULL,
    -- The same expression as in payroll.employee.
    nir_masked  text GENERATED ALWAYS AS (
        CASE
            WHEN nir IS NULL THEN NULL
            WHEN left(translate(nir, ' .-' || chr(160) || chr(8239), ''), 3) ~ '^[0-9]{3}$' THEN
                left(translate(nir, ' .-' || chr(160) || chr(8239), ''), 1) || ' '
                || substr(translate(nir, ' .-' || chr(160) || chr(8239), ''), 2, 2) || ' ** ** *** *** **'
            ELSE '* ** ** ** *** *** **'
        END) STORED,
    CONSTRAINT member_pkey PRIMARY KEY (company_id, member_id),
    CONSTRAINT member_matched_by_check CHECK (matched_by IN ('none', 'nir', 'ntt', 'link')),
    CONSTRAINT member_match_check CHECK ((matched_by = 'none') = (employee_id IS NULL))
);
COMMENT ON TABLE payroll.member IS 'People on Alan''s side, and who they are in payroll.';
COMMENT ON COLUMN payroll.member.company_id IS 'Company.';
COMMENT ON COLUMN payroll.member.member_id IS 'Alan''s identifier of the person.';
COMMENT ON COLUMN payroll.member.nir IS 'Social security number, as it came. Not for payroll_reader.';
COMMENT ON COLUMN payroll.member.first_name IS 'First name.';
COMMENT ON COLUMN payroll.member.last_name IS 'Last name.';
COMMENT ON COLUMN payroll.member.birth_date IS 'Date of birth.';
COMMENT ON COLUMN payroll.member.employee_id IS 'The same person in payroll; null: not matched.';
COMMENT ON COLUMN payroll.member.matched_by IS 'What decided it: nir, ntt, a link made by a person, or none.';
COMMENT ON COLUMN payroll.member.nir_masked IS 'Social security number reduced to sex and year.';
CREATE INDEX member_employee_idx ON payroll.member (company_id, employee_id);

-- No primary key: employment_id is null for what is held for somebody unknown and for fees. The unique key replaces it.
-- status is part of it: what is held now may stand beside the reversal of what a closed month gave.
CREATE TABLE payroll.contribution (
    company_id      text   NOT NULL,
    payroll_month   date   NOT NULL,
    invoice_id      text   NOT NULL,
    line_id         text   NOT NULL,
    employment_id   text,
    member_id       text,
    contract_id     text   NOT NULL,
    billing_month   date   NOT NULL,
    product         text,
    component       text   NOT NULL,
    member_type     text   NOT NULL,
    option_code     text,
    population_code text,
    cover_from      date   NOT NULL,
    cover_to        date   NOT NULL,
    kind            text   NOT NULL,
    base_cents      bigint,
    amount_cents    bigint NOT NULL,
    employer_cents  bigint NOT NULL,
    employee_cents  bigint NOT NULL,
    status          text   NOT NULL,
    hold_code       text,
    CONSTRAINT contribution_key
        UNIQUE NULLS NOT DISTINCT (company_id, payroll_month, line_id, employment_id, cover_from, status),
    CONSTRAINT contribution_payroll_month_check CHECK (extract(day FROM payroll_month) = 1),
    CONSTRAINT contribution_billing_month_check CHECK (extract(day FROM billing_month) = 1),
    CONSTRAINT contribution_product_check CHECK (product IN ('health', 'provident')),
    CONSTRAINT contribution_component_check CHECK (component IN ('fixed', 'pmss', 'gross', 't1', 't2', 'tb')),
    CONSTRAINT contribution_member_type_check CHECK (
        member_type IN ('employee', 'partner', 'child', 'family', 'option')),
    CONSTRAINT contribution_cover_check CHECK (
        cover_to - cover_from BETWEEN 0 AND 30 AND extract(month FROM cover_from) = extract(month FROM cover_to)),
    CONSTRAINT contribution_kind_check CHECK (kind IN ('regular', 'regularisation', 'reversal')),
    CONSTRAINT contribution_status_check CHECK (status IN ('ready', 'held')),
    CONSTRAINT contribution_sum_check CHECK (employer_cents + employee_cents = amount_cents),
    CONSTRAINT contribution_hold_check CHECK ((status = 'held') = (hold_code IS NOT NULL)),
    CONSTRAINT contribution_ready_check CHECK (status <> 'ready' OR employment_id IS NULL OR product IS NOT NULL),
    CONSTRAINT contribution_fee_check CHECK (status <> 'ready' OR employment_id IS NOT NULL OR employee_cents = 0)
) PARTITION BY RANGE (payroll_month);
COMMENT ON TABLE payroll.contribution IS
    'One portion of one invoice line, given to one contract of employment or held back. Partitioned by payroll month.';
COMMENT ON COLUMN payroll.contribution.company_id IS 'Company.';
COMMENT ON COLUMN payroll.contribution.payroll_month IS 'Month of the payslip that carries it, its first day.';
COMMENT ON COLUMN payroll.contribution.invoice_id IS 'Invoice.';
COMMENT ON COLUMN payroll.contribution.line_id IS 'Invoice line.';
COMMENT ON COLUMN payroll.contribution.employment_id IS
    'Contract of employment; null: held for somebody who is not matched, or a fee that the company bears.';
COMMENT ON COLUMN payroll.contribution.member_id IS 'Person billed; null: billed for the whole company.';
COMMENT ON COLUMN payroll.contribution.contract_id IS 'Alan''s contract.';
COMMENT ON COLUMN payroll.contribution.billing_month IS 'Month of the invoice, its first day.';
COMMENT ON COLUMN payroll.contribution.product IS 'health or provident; null: held, its contract is unknown.';
COMMENT ON COLUMN payroll.contribution.component IS 'What the premium is reckoned on: fixed, pmss, gross, t1, t2 or tb.';
COMMENT ON COLUMN payroll.contribution.member_type IS
    'Who is insured by it: employee, partner, child, family or option.';
COMMENT ON COLUMN payroll.contribution.option_code IS 'Option code declared in the DSN.';
COMMENT ON COLUMN payroll.contribution.population_code IS 'Population code declared in the DSN.';
COMMENT ON COLUMN payroll.contribution.cover_from IS 'First day of cover.';
COMMENT ON COLUMN payroll.contribution.cover_to IS 'Last day of cover, in the same civil month.';
COMMENT ON COLUMN payroll.contribution.kind IS 'regular, regularisation (of an earlier month) or reversal.';
COMMENT ON COLUMN payroll.contribution.base_cents IS 'What a rate was applied to.';
COMMENT ON COLUMN payroll.contribution.amount_cents IS 'Whole premium, signed.';
COMMENT ON COLUMN payroll.contribution.employer_cents IS 'Part that the employer pays.';
COMMENT ON COLUMN payroll.contribution.employee_cents IS 'Part that the employee pays.';
COMMENT ON COLUMN payroll.contribution.status IS 'ready for payroll, or held.';
COMMENT ON COLUMN payroll.contribution.hold_code IS 'Discrepancy code that holds it.';
CREATE INDEX contribution_employment_idx ON payroll.contribution (company_id, employment_id);

CREATE TABLE payroll.coverage (
    company_id    text NOT NULL,
    payroll_month date NOT NULL,
    employment_id text NOT NULL,
    employee_id   text NOT NULL,
    reason        text NOT NULL,
    since         date,
    until         date,
    ground        text,
    CONSTRAINT coverage_pkey PRIMARY KEY (company_id, payroll_month, employment_id),
    CONSTRAINT coverage_payroll_month_check CHECK (extract(day FROM payroll_month) = 1),
    CONSTRAINT coverage_reason_check CHECK (reason IN ('exempt', 'pending', 'not_assigned', 'not_affiliated'))
);
COMMENT ON TABLE payroll.coverage IS
    'Contracts of employment active in the month that are not plainly covered for health, and why.';
COMMENT ON COLUMN payroll.coverage.company_id IS 'Company.';
COMMENT ON COLUMN payroll.coverage.payroll_month IS 'Payroll month, its first day.';
COMMENT ON COLUMN payroll.coverage.employment_id IS 'Contract of employment.';
COMMENT ON COLUMN payroll.coverage.employee_id IS 'Whose it is.';
COMMENT ON COLUMN payroll.coverage.reason IS 'exempt, pending, not_assigned (in payroll) or not_affiliated (at Alan).';
COMMENT ON COLUMN payroll.coverage.since IS 'Since when.';
COMMENT ON COLUMN payroll.coverage.until IS 'Last day of the dispense; null: open.';
COMMENT ON COLUMN payroll.coverage.ground IS 'Ground of the dispense.';

CREATE TABLE payroll.invoice_control (
    company_id       text   NOT NULL,
    payroll_month    date   NOT NULL,
    invoice_id       text   NOT NULL,
    billing_month    date   NOT NULL,
    line_count       bigint NOT NULL,
    total_cents      bigint NOT NULL,
    lines_cents      bigint NOT NULL,
    allocated_cents  bigint NOT NULL,
    posted_cents     bigint NOT NULL,
    held_cents       bigint NOT NULL,
    difference_cents bigint NOT NULL,
    CONSTRAINT invoice_control_pkey PRIMARY KEY (company_id, payroll_month, invoice_id),
    CONSTRAINT invoice_control_payroll_month_check CHECK (extract(day FROM payroll_month) = 1),
    CONSTRAINT invoice_control_billing_month_check CHECK (extract(day FROM billing_month) = 1),
    CONSTRAINT invoice_control_sum_check CHECK (allocated_cents + posted_cents + held_cents = lines_cents)
);
COMMENT ON TABLE payroll.invoice_control IS 'Where the money of each invoice went, to the cent.';
COMMENT ON COLUMN payroll.invoice_control.company_id IS 'Company.';
COMMENT ON COLUMN payroll.invoice_control.payroll_month IS 'Payroll month that reckoned it, its first day.';
COMMENT ON COLUMN payroll.invoice_control.invoice_id IS 'Invoice.';
COMMENT ON COLUMN payroll.invoice_control.billing_month IS 'Month of the invoice, its first day.';
COMMENT ON COLUMN payroll.invoice_control.line_count IS 'Lines read.';
COMMENT ON COLUMN payroll.invoice_control.total_cents IS 'Total that the invoice states.';
COMMENT ON COLUMN payroll.invoice_control.lines_cents IS 'What its lines add up to: allocated + posted + held.';
COMMENT ON COLUMN payroll.invoice_control.allocated_cents IS 'Ready in this payroll month.';
COMMENT ON COLUMN payroll.invoice_control.posted_cents IS 'Given by closed payroll months.';
COMMENT ON COLUMN payroll.invoice_control.held_cents IS 'Held back.';
COMMENT ON COLUMN payroll.invoice_control.difference_cents IS
    'What separates the total from the lines; 0 when they agree.';

CREATE TABLE payroll.discrepancy_code (
    code      text   NOT NULL,
    step      bigint,
    severity  text   NOT NULL,
    title_fr  text   NOT NULL,
    title_en  text   NOT NULL,
    remedy_fr text   NOT NULL,
    remedy_en text   NOT NULL,
    CONSTRAINT discrepancy_code_pkey PRIMARY KEY (code),
    CONSTRAINT discrepancy_code_step_check CHECK (step BETWEEN 0 AND 3),
    CONSTRAINT discrepancy_code_severity_check CHECK (severity IN ('info', 'warning', 'error'))
);
COMMENT ON TABLE payroll.discrepancy_code IS 'The catalogue of discrepancies; load --migrate writes it.';
COMMENT ON COLUMN payroll.discrepancy_code.code IS 'Code.';
COMMENT ON COLUMN payroll.discrepancy_code.step IS
    'Step of the resolution guide: 1 identity, 2 synchronisation, 3 assignment, 0 none of them.';
COMMENT ON COLUMN payroll.discrepancy_code.severity IS
    'error: holds money or makes a payslip wrong; warning: needs a look before the close; info: a fact to know.';
COMMENT ON COLUMN payroll.discrepancy_code.title_fr IS 'Title in French, with {placeholders}.';
COMMENT ON COLUMN payroll.discrepancy_code.title_en IS 'Title in English, with {placeholders}.';
COMMENT ON COLUMN payroll.discrepancy_code.remedy_fr IS 'What to do and where, in French, with {placeholders}.';
COMMENT ON COLUMN payroll.discrepancy_code.remedy_en IS 'What to do and where, in English, with {placeholders}.';

-- Insert only identities that are not there yet: INSERT ... ON CONFLICT would use up a number for every row seen again.
CREATE TABLE payroll.discrepancy (
    company_id      text   NOT NULL,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    payroll_month   date   NOT NULL,
    code            text   NOT NULL,
    severity        text   NOT NULL,
    step            bigint,
    subject_type    text   NOT NULL,
    subject_id      text   NOT NULL,
    contract_id     text,
    cover_month     date,
    employee_id     text,
    employment_id   text,
    member_id       text,
    invoice_id      text,
    line_id         text,
    side            text,
    expected_cents  bigint,
    actual_cents    bigint,
    delta_cents     bigint,
    expected        text,
    actual          text,
    line_count      bigint NOT NULL DEFAULT 0,
    held_cents      bigint NOT NULL DEFAULT 0,
    candidates      jsonb  NOT NULL DEFAULT '[]',
    status          text   NOT NULL DEFAULT 'open',
    first_seen_at   timestamptz NOT NULL,
    last_seen_at    timestamptz NOT NULL,
    first_seen_run  text   NOT NULL,
    last_seen_run   text   NOT NULL,
    resolved_at     timestamptz,
    resolved_by_run text,
    CONSTRAINT discrepancy_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT discrepancy_key
        UNIQUE NULLS NOT DISTINCT (company_id, code, subject_type, subject_id, contract_id, cover_month),
    CONSTRAINT discrepancy_code_fkey FOREIGN KEY (code) REFERENCES payroll.discrepancy_code,
    CONSTRAINT discrepancy_payroll_month_check CHECK (extract(day FROM payroll_month) = 1),
    CONSTRAINT discrepancy_cover_month_check CHECK (extract(day FROM cover_month) = 1),
    CONSTRAINT discrepancy_severity_check CHECK (severity IN ('info', 'warning', 'error')),
    CONSTRAINT discrepancy_step_check CHECK (step BETWEEN 0 AND 3),
    CONSTRAINT discrepancy_subject_type_check CHECK (
        subject_type IN ('employment', 'employee', 'member', 'contract', 'invoice', 'source', 'company')),
    CONSTRAINT discrepancy_side_check CHECK (side IN ('alan', 'payroll', 'both')),
    CONSTRAINT discrepancy_candidates_check CHECK (jsonb_typeof(candidates) = 'array'),
    CONSTRAINT discrepancy_status_check CHECK (status IN ('open', 'in_progress', 'accepted', 'resolved')),
    CONSTRAINT discrepancy_seen_check CHECK (last_seen_at >= first_seen_at),
    CONSTRAINT discrepancy_resolved_check CHECK (
        (status = 'resolved') = (resolved_at IS NOT NULL)
        AND (resolved_at IS NULL) = (resolved_by_run IS NULL))
);
COMMENT ON TABLE payroll.discrepancy IS
    'What is or was wrong. Its identity from night to night is (company, code, subject, contract, cover month).';
COMMENT ON COLUMN payroll.discrepancy.company_id IS 'Company.';
COMMENT ON COLUMN payroll.discrepancy.id IS 'Number to call it by; it never changes.';
COMMENT ON COLUMN payroll.discrepancy.payroll_month IS 'Payroll month in which it was last seen.';
COMMENT ON COLUMN payroll.discrepancy.code IS 'Code (payroll.discrepancy_code).';
COMMENT ON COLUMN payroll.discrepancy.severity IS 'info, warning or error.';
COMMENT ON COLUMN payroll.discrepancy.step IS 'Step of the resolution guide.';
COMMENT ON COLUMN payroll.discrepancy.subject_type IS
    'What it is about: employment, employee, member, contract, invoice, source or company.';
COMMENT ON COLUMN payroll.discrepancy.subject_id IS 'Identifier of the subject.';
COMMENT ON COLUMN payroll.discrepancy.contract_id IS 'Alan''s contract.';
COMMENT ON COLUMN payroll.discrepancy.cover_month IS 'Month of cover, its first day.';
COMMENT ON COLUMN payroll.discrepancy.employee_id IS 'Person in payroll.';
COMMENT ON COLUMN payroll.discrepancy.employment_id IS 'Contract of employment.';
COMMENT ON COLUMN payroll.discrepancy.member_id IS 'Person at Alan.';
COMMENT ON COLUMN payroll.discrepancy.invoice_id IS 'Invoice.';
COMMENT ON COLUMN payroll.discrepancy.line_id IS 'Invoice line, the first one where there are several.';
COMMENT ON COLUMN payroll.discrepancy.side IS 'System at fault: alan, payroll or both.';
COMMENT ON COLUMN payroll.discrepancy.expected_cents IS 'Amount expected.';
COMMENT ON COLUMN payroll.discrepancy.actual_cents IS 'Amount found.';
COMMENT ON COLUMN payroll.discrepancy.delta_cents IS 'Amount found less amount expected.';
COMMENT ON COLUMN payroll.discrepancy.expected IS 'What was expected, where it is no amount.';
COMMENT ON COLUMN payroll.discrepancy.actual IS 'What was found, where it is no amount; numbers of people are masked.';
COMMENT ON COLUMN payroll.discrepancy.line_count IS 'Invoice lines that it touches.';
COMMENT ON COLUMN payroll.discrepancy.held_cents IS 'Money that it holds.';
COMMENT ON COLUMN payroll.discrepancy.candidates IS
    'Who it may be, best first: [{employee_id, matricule, first_name, last_name, birth_date, score}].';
COMMENT ON COLUMN payroll.discrepancy.status IS
    'open, in_progress (somebody is at work on it), accepted (known and agreed to) or resolved (gone).';
COMMENT ON COLUMN payroll.discrepancy.first_seen_at IS 'When it was first seen.';
COMMENT ON COLUMN payroll.discrepancy.last_seen_at IS 'When it was last seen.';
COMMENT ON COLUMN payroll.discrepancy.first_seen_run IS 'Run that first saw it.';
COMMENT ON COLUMN payroll.discrepancy.last_seen_run IS 'Run that last saw it.';
COMMENT ON COLUMN payroll.discrepancy.resolved_at IS 'When it was found to be gone.';
COMMENT ON COLUMN payroll.discrepancy.resolved_by_run IS 'Run that no longer saw it.';
CREATE INDEX discrepancy_id_idx ON payroll.discrepancy (id);
CREATE INDEX discrepancy_open_idx ON payroll.discrepancy (company_id, employee_id)
    WHERE status IN ('open', 'in_progress');

CREATE TABLE payroll.discrepancy_event (
    company_id     text   NOT NULL,
    discrepancy_id bigint NOT NULL,
    event_id       bigint GENERATED ALWAYS AS IDENTITY,
    happened_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor          text   NOT NULL,
    event          text   NOT NULL,
    note           text,
    CONSTRAINT discrepancy_event_pkey PRIMARY KEY (company_id, discrepancy_id, event_id),
    CONSTRAINT discrepancy_event_discrepancy_fkey
        FOREIGN KEY (company_id, discrepancy_id) REFERENCES payroll.discrepancy ON DELETE CASCADE,
    CONSTRAINT discrepancy_event_event_check CHECK (
        event IN ('opened', 'progressed', 'accepted', 'reopened', 'resolved', 'returned'))
);
COMMENT ON TABLE payroll.discrepancy_event IS 'History of discrepancies: who did what, when and why.';
COMMENT ON COLUMN payroll.discrepancy_event.company_id IS 'Company.';
COMMENT ON COLUMN payroll.discrepancy_event.discrepancy_id IS 'Discrepancy.';
COMMENT ON COLUMN payroll.discrepancy_event.event_id IS 'Number of the event.';
COMMENT ON COLUMN payroll.discrepancy_event.happened_at IS 'When.';
COMMENT ON COLUMN payroll.discrepancy_event.actor IS 'Who: a database user, or the run.';
COMMENT ON COLUMN payroll.discrepancy_event.event IS
    'progressed, accepted and reopened by people; opened, resolved and returned (seen again later) by runs.';
COMMENT ON COLUMN payroll.discrepancy_event.note IS 'Why.';
