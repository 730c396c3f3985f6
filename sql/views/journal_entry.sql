-- The shares of a payroll month as entries of the journal, in the columns of the fichier des écritures comptables (LPF
-- A47 A-1) and written as it wants them: dates YYYYMMDD, amounts with a comma and no separator of thousands, a side
-- that does not apply 0,00. One entry per payroll month, invoice and contract, each balanced; a negative amount goes to
-- the other side. Fees are part of it, so that what is owed to Alan is what the invoices say; held money is not.

CREATE OR REPLACE VIEW report.journal_entry WITH (security_invoker = true) AS
SELECT
    t.company_id,
    t.payroll_month,
    j.account AS "JournalCode",
    j.label AS "JournalLib",
    to_char(t.payroll_month, 'YYYY') || '-' || lpad(t.entry::text, 6, '0') AS "EcritureNum",
    to_char(t.payroll_month + interval '1 month - 1 day', 'YYYYMMDD') AS "EcritureDate",
    a.account AS "CompteNum",
    a.label AS "CompteLib",
    NULL::text AS "CompAuxNum",
    NULL::text AS "CompAuxLib",
    translate(coalesce(t.invoice_number, t.invoice_id), E'\t\r\n|', '    ') AS "PieceRef",
    to_char(i.issued_on, 'YYYYMMDD') AS "PieceDate",
    translate(CASE t.product WHEN 'health' THEN 'Mutuelle ' WHEN 'provident' THEN 'Prévoyance ' ELSE 'Alan ' END
              || coalesce(t.contract_reference, t.contract_id) || ', paie ' || to_char(t.payroll_month, 'MM/YYYY'),
              E'\t\r\n|', '    ') AS "EcritureLib",
    greatest(l.cents, 0) / 100 || ',' || lpad((greatest(l.cents, 0) % 100)::text, 2, '0') AS "Debit",
    greatest(-l.cents, 0) / 100 || ',' || lpad((greatest(-l.cents, 0) % 100)::text, 2, '0') AS "Credit",
    NULL::text AS "EcritureLet",
    NULL::text AS "DateLet",
    to_char(p.closed_at AT TIME ZONE 'Europe/Paris', 'YYYYMMDD') AS "ValidDate",
    NULL::text AS "Montantdevise",
    NULL::text AS "Idevise"
FROM (
    SELECT
        company_id,
        payroll_month,
        invoice_id,
        contract_id,
        max(invoice_number) AS invoice_number,
        max(contract_reference) AS contract_reference,
        max(product) AS product,
        coalesce(sum(employer_cents) FILTER (WHERE employment_id IS NOT NULL AND product = 'health'), 0)::bigint
            AS health_employer_cents,
        coalesce(sum(employer_cents) FILTER (WHERE employment_id IS NOT NULL AND product = 'provident'), 0)::bigint
            AS provident_employer_cents,
        coalesce(sum(employer_cents) FILTER (WHERE employment_id IS NULL), 0)::bigint AS fee_cents,
        sum(employee_cents)::bigint AS employee_cents,
        sum(amount_cents)::bigint AS amount_cents,
        -- a month that is closed keeps its numbers: what comes later comes after
        row_number() OVER (PARTITION BY company_id, date_trunc('year', payroll_month::timestamp)
                           ORDER BY payroll_month, max(invoice_number), invoice_id, contract_id) AS entry
    FROM payroll.ready_line
    GROUP BY company_id, payroll_month, invoice_id, contract_id
    -- an entry without a line would be a gap in the numbers
    HAVING sum(amount_cents) <> 0 OR sum(employee_cents) <> 0
        OR sum(employer_cents) FILTER (WHERE employment_id IS NOT NULL AND product = 'health') <> 0
        OR sum(employer_cents) FILTER (WHERE employment_id IS NULL) <> 0
) AS t
LEFT JOIN payroll.invoice AS i ON i.company_id = t.company_id AND i.invoice_id = t.invoice_id
LEFT JOIN payroll.period AS p
    ON p.company_id = t.company_id AND p.payroll_month = t.payroll_month AND p.status = 'closed'
CROSS JOIN LATERAL (VALUES
    (1, 'health_employer', t.health_employer_cents),
    (2, 'provident_employer', t.provident_employer_cents),
    (3, 'fee', t.fee_cents),
    (4, 'employee', t.employee_cents),
    (5, 'payable', -t.amount_cents)) AS l (line, kind, cents)
-- the company's own account before that of all; of a closed month, as it was at the close
LEFT JOIN LATERAL (
    SELECT a.account, a.label
    FROM payroll.account AS a
    WHERE (a.company_id = t.company_id OR a.company_id IS NULL) AND a.kind = l.kind
        AND a.recorded_at <= coalesce(p.closed_at, 'infinity')
        AND coalesce(a.ended_at > p.closed_at, a.ended_at IS NULL)
    ORDER BY a.company_id NULLS LAST, a.recorded_at DESC
    LIMIT 1
) AS a ON true
LEFT JOIN LATERAL (
    SELECT a.account, a.label
    FROM payroll.account AS a
    WHERE (a.company_id = t.company_id OR a.company_id IS NULL) AND a.kind = 'journal'
        AND a.recorded_at <= coalesce(p.closed_at, 'infinity')
        AND coalesce(a.ended_at > p.closed_at, a.ended_at IS NULL)
    ORDER BY a.company_id NULLS LAST, a.recorded_at DESC
    LIMIT 1
) AS j ON true
WHERE l.cents <> 0
ORDER BY t.company_id, t.payroll_month, t.entry, l.line;

COMMENT ON VIEW report.journal_entry IS
    'The journal: per payroll month, invoice and contract one balanced entry in the 18 columns of the FEC, ready to be '
    'written as they are; amounts and dates are texts. Accounts are chosen by payroll.set_account.';
COMMENT ON COLUMN report.journal_entry.company_id IS 'Company.';
COMMENT ON COLUMN report.journal_entry.payroll_month IS 'Month of the payslips, its first day.';
COMMENT ON COLUMN report.journal_entry."JournalCode" IS 'Code of the journal.';
COMMENT ON COLUMN report.journal_entry."JournalLib" IS 'Name of the journal.';
COMMENT ON COLUMN report.journal_entry."EcritureNum" IS
    'Number of the entry: the year, and a number without gaps; final once the month and those before it are closed.';
COMMENT ON COLUMN report.journal_entry."EcritureDate" IS 'Last day of the payroll month.';
COMMENT ON COLUMN report.journal_entry."CompteNum" IS 'Account.';
COMMENT ON COLUMN report.journal_entry."CompteLib" IS 'Its name.';
COMMENT ON COLUMN report.journal_entry."CompAuxNum" IS 'Not used.';
COMMENT ON COLUMN report.journal_entry."CompAuxLib" IS 'Not used.';
COMMENT ON COLUMN report.journal_entry."PieceRef" IS 'Number of Alan''s invoice.';
COMMENT ON COLUMN report.journal_entry."PieceDate" IS 'Date of the invoice; null: the feed has it no more.';
COMMENT ON COLUMN report.journal_entry."EcritureLib" IS 'Product, contract reference and payroll month.';
COMMENT ON COLUMN report.journal_entry."Debit" IS 'Amount, 0,00 when the line is a credit.';
COMMENT ON COLUMN report.journal_entry."Credit" IS 'Amount, 0,00 when the line is a debit.';
COMMENT ON COLUMN report.journal_entry."EcritureLet" IS 'Not used.';
COMMENT ON COLUMN report.journal_entry."DateLet" IS 'Not used.';
COMMENT ON COLUMN report.journal_entry."ValidDate" IS
    'When the month was closed; null: it is open, its entries are a draft and no part of a FEC.';
COMMENT ON COLUMN report.journal_entry."Montantdevise" IS 'Not used: amounts are in euros.';
COMMENT ON COLUMN report.journal_entry."Idevise" IS 'Not used.';

GRANT SELECT ON report.journal_entry TO payroll_manager, payroll_reader;
