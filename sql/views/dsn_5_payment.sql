-- Blocks S21.G00.20 (Versement organisme de protection sociale) and .55 (its parts, one per contract). What is paid is
-- added up from the rows of payslips, what is declared for individuals from their bases, so that a difference shows.

CREATE OR REPLACE VIEW report.dsn_payment WITH (security_invoker = true) AS
SELECT
    p.company_id,
    p.payroll_month,
    p.siret,
    p.insurer_code,
    p.delegate_code,
    sum(p.amount_cents) OVER (
        PARTITION BY p.company_id, p.payroll_month, p.siret, p.insurer_code, p.delegate_code
    )::bigint AS payment_cents,
    b.contract_number,
    p.contract_reference,
    to_char(p.payroll_month, 'YYYY"M"MM') AS period,
    p.amount_cents,
    coalesce(b.individual_cents, 0) AS individual_cents,
    p.amount_cents - coalesce(b.individual_cents, 0) AS difference_cents
FROM (
    SELECT
        company_id, payroll_month, siret, insurer_code, delegate_code, contract_reference,
        sum(amount_cents)::bigint AS amount_cents
    FROM payroll.ready_line
    WHERE employment_id IS NOT NULL -- a fee is no premium
    GROUP BY company_id, payroll_month, siret, insurer_code, delegate_code, contract_reference
) AS p
LEFT JOIN (
    SELECT
        company_id, payroll_month, siret, insurer_code, delegate_code, contract_reference, contract_number,
        sum(amount_cents)::bigint AS individual_cents
    FROM report.dsn_base
    GROUP BY company_id, payroll_month, siret, insurer_code, delegate_code, contract_reference, contract_number
) AS b ON b.company_id = p.company_id AND b.payroll_month = p.payroll_month
    AND (b.siret, b.insurer_code, b.delegate_code, b.contract_reference)
        IS NOT DISTINCT FROM (p.siret, p.insurer_code, p.delegate_code, p.contract_reference);

COMMENT ON VIEW report.dsn_payment IS
    'DSN blocks S21.G00.20 and .55: one row per establishment, payroll month, organism and contract reference.';
COMMENT ON COLUMN report.dsn_payment.company_id IS 'Company.';
COMMENT ON COLUMN report.dsn_payment.payroll_month IS 'Month of the declaration, its first day.';
COMMENT ON COLUMN report.dsn_payment.siret IS 'Establishment of the declaration; null: the employment is not known.';
COMMENT ON COLUMN report.dsn_payment.insurer_code IS 'S21.G00.20.001, organism.';
COMMENT ON COLUMN report.dsn_payment.delegate_code IS 'S21.G00.20.008, delegated manager''s code; null: none.';
COMMENT ON COLUMN report.dsn_payment.payment_cents IS
    'S21.G00.20.005, what is paid to the organism: the same on each of its rows.';
COMMENT ON COLUMN report.dsn_payment.contract_number IS 'The contract''s technical identifier (S21.G00.15.005).';
COMMENT ON COLUMN report.dsn_payment.contract_reference IS 'S21.G00.55.003, contract reference.';
COMMENT ON COLUMN report.dsn_payment.period IS 'S21.G00.55.004, the month of the declaration as 2026M11.';
COMMENT ON COLUMN report.dsn_payment.amount_cents IS 'S21.G00.55.001, the part that is paid for this contract.';
COMMENT ON COLUMN report.dsn_payment.individual_cents IS 'Sum of S21.G00.81.004 of the contract''s individuals.';
COMMENT ON COLUMN report.dsn_payment.difference_cents IS
    'amount_cents less individual_cents: 0 here. In what payroll declares, one cent is normal, of a total rounded '
    'apart from its parts (1006.59 paid where individuals add up to 1006.60); more is not.';

GRANT SELECT ON report.dsn_payment TO payroll_manager, payroll_reader;
