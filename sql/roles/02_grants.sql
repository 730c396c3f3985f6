-- Who may do what with tables, stated anew at every migration. Functions and views grant their own rights where they
-- are made.
--
-- payroll_reader has no USAGE on payroll and pipeline: it cannot name their tables. The views run with the rights of
-- who reads them, which takes SELECT on the columns that they show: every column but social security numbers (nir, ntt)
-- and raw records.

REVOKE ALL ON ALL TABLES IN SCHEMA payroll, pipeline FROM PUBLIC, payroll_loader, payroll_manager, payroll_reader;
REVOKE ALL ON SCHEMA payroll, pipeline, report FROM PUBLIC, payroll_loader, payroll_manager, payroll_reader;

GRANT USAGE ON SCHEMA payroll, pipeline, report TO payroll_loader, payroll_manager;
GRANT USAGE ON SCHEMA report TO payroll_reader;

GRANT SELECT ON ALL TABLES IN SCHEMA payroll, pipeline TO payroll_loader, payroll_manager;
-- Partitions are read through their table, which row-level security guards; load fills a month's own, many rows at a time,
-- where none is active for it. Views that an earlier migration made are
-- granted anew where they are made, and have the same rights then as in a new database.
DO $$
DECLARE
    partition regclass;
    view regclass;
BEGIN
    FOR view IN SELECT c.oid FROM pg_catalog.pg_class AS c
                WHERE c.relkind = 'v' AND c.relnamespace = 'payroll'::pg_catalog.regnamespace LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON %s FROM payroll_loader, payroll_manager', view);
    END LOOP;
    FOR partition IN SELECT c.oid FROM pg_catalog.pg_class AS c
                     WHERE c.relispartition AND c.relkind = 'r'
                       AND c.relnamespace = 'payroll'::pg_catalog.regnamespace LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON %s FROM payroll_manager', partition);
    END LOOP;
    FOR partition IN SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i
                     WHERE i.inhparent = 'payroll.contribution'::pg_catalog.regclass LOOP
        EXECUTE pg_catalog.format('GRANT INSERT ON %s TO payroll_loader', partition);
    END LOOP;
END
$$;

GRANT INSERT, UPDATE, DELETE ON
    payroll.company, payroll.source_sync, payroll.contract, payroll.invoice, payroll.employee, payroll.employment,
    payroll.payroll_contract, payroll.pay_base, payroll.payroll_period, payroll.affiliation, payroll.member,
    payroll.contribution, payroll.coverage, payroll.invoice_control, payroll.discrepancy, pipeline.run, pipeline.reject,
    pipeline.company_load, pipeline.month_read
    TO payroll_loader;
GRANT INSERT ON payroll.discrepancy_event TO payroll_loader;
-- A month that is loaded is open; closing it is for functions.
GRANT INSERT (company_id, payroll_month, status) ON payroll.period TO payroll_loader;

GRANT SELECT ON
    payroll.company, payroll.source_sync, payroll.contract, payroll.invoice, payroll.employment,
    payroll.payroll_contract, payroll.payroll_period, payroll.contribution, payroll.coverage, payroll.invoice_control,
    payroll.discrepancy_code, payroll.discrepancy, payroll.dispense_ground, payroll.period, payroll.period_event,
    payroll.social_rate, payroll.social_ceiling, payroll.exemption_limit, payroll.account, payroll.variance_reason,
    pipeline.run
    TO payroll_reader;
GRANT SELECT (company_id, employment_id, month, gross_cents) ON payroll.pay_base TO payroll_reader;
GRANT SELECT (company_id, employee_id, matricule, first_name, last_name, birth_name, birth_date, nir_masked, ntt_masked)
    ON payroll.employee TO payroll_reader;
GRANT SELECT (company_id, member_id, first_name, last_name, birth_date, employee_id, matched_by, nir_masked)
    ON payroll.member TO payroll_reader;
GRANT SELECT (company_id, member_id, affiliation_id, contract_id, status, option_code, population_code, category,
              partners, children, others, starts_on, ends_on, exemption_ground, exemption_from, exemption_to,
              exemption_proof)
    ON payroll.affiliation TO payroll_reader;
GRANT SELECT (company_id, employee_id, ground, valid_from, valid_to, proof, ended_at)
    ON payroll.dispense TO payroll_reader;
GRANT SELECT (company_id, payroll_month, line_id, employment_id, cover_from, cover_to, cover_month, status, hold_code,
              kind, invoice_id, invoice_number, billing_month, siren, siret, employee_id, matricule, last_name,
              first_name, category, member_id, contract_id, product, contract_reference, insurer_code, delegate_code,
              component, member_type, option_code, population_code, affiliation_id, partners, children, others,
              headcount, forfait_social_ppm, base_cents, amount_cents, employer_cents, employee_cents)
    ON payroll.closed_row TO payroll_reader;
GRANT SELECT (company_id, payroll_month, seen_at) ON pipeline.month_read TO payroll_reader;
GRANT SELECT (reject_id, run_id, shard, shards, stage, entity, company_id, reason, faults, source, line)
    ON pipeline.reject TO payroll_reader;
