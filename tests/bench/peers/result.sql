-- Where every peer puts its rows: one per invoice line; employee_id is null where nobody has the number.
CREATE TABLE result (
    company_id     text   NOT NULL,
    line_id        text   NOT NULL,
    employee_id    text,
    amount_cents   bigint NOT NULL,
    employer_cents bigint NOT NULL,
    employee_cents bigint NOT NULL,
    PRIMARY KEY (company_id, line_id)
);
