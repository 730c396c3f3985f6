-- Accounts of the journal, as a person chooses them.

CREATE OR REPLACE FUNCTION payroll.set_account(company_id text, kind text, account text, label text, note text)
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reason text := payroll.checked_note(note);
    kinds text[] := ARRAY['journal', 'health_employer', 'provident_employer', 'fee', 'employee', 'payable'];
    whose text := CASE WHEN company_id IS NULL THEN 'every company without its own'
                       ELSE 'company ' || company_id END;
    shape text := CASE kind WHEN 'journal' THEN '^[0-9A-Z]{1,10}$' ELSE '^[1-7][0-9]{2}[0-9A-Z]{0,17}$' END;
    name text := btrim(label);
BEGIN
    IF company_id IS NOT NULL THEN
        PERFORM payroll.check_company(company_id);
    ELSIF NOT payroll.may_see(NULL) THEN
        RAISE insufficient_privilege USING
            MESSAGE = 'who sees some companies only chooses no account for all of them',
            HINT = 'Name the company.';
    END IF;
    IF kind IS NULL OR kind <> ALL (kinds) THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('%L is no kind of account', kind),
            HINT = 'One of: ' || array_to_string(kinds, ', ');
    END IF;
    IF account IS NULL OR account !~ shape THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('%L cannot be the account of %s', account, kind),
            HINT = CASE kind WHEN 'journal' THEN 'The code of a journal is 1 to 10 digits and capital letters, as PAIE.'
                             ELSE 'Three digits of the plan comptable, then up to 17 digits and capitals, as 6452.'
                   END;
    END IF;
    IF name IS NULL OR name !~ '[[:alnum:]]' OR length(name) > 100 OR name ~ '[[:cntrl:]|]' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('%L cannot be the label of an account', label),
            HINT = 'A name of at most 100 characters, without tabs, line breaks and bars: they separate columns.';
    END IF;

    PERFORM pg_advisory_xact_lock(hashtextextended(format('payroll.account %L %s', company_id, kind), 0));
    IF EXISTS (SELECT FROM payroll.account AS a
               WHERE a.company_id IS NOT DISTINCT FROM set_account.company_id AND a.kind = set_account.kind
                   AND a.ended_at IS NULL AND (a.account, a.label) = (set_account.account, name)) THEN
        RETURN format('account %s is that of %s for %s already', account, kind, whose);
    END IF;
    UPDATE payroll.account AS a SET ended_at = clock_timestamp(), ended_by = payroll.actor()
    WHERE a.company_id IS NOT DISTINCT FROM set_account.company_id AND a.kind = set_account.kind
        AND a.ended_at IS NULL;
    INSERT INTO payroll.account (company_id, kind, account, label, note, recorded_by)
    VALUES (set_account.company_id, set_account.kind, set_account.account, name, reason, payroll.actor());
    RETURN format('account %s is that of %s for %s in every month that is not closed', account, kind, whose);
END
$$;
COMMENT ON FUNCTION payroll.set_account(text, text, text, text, text) IS
    'Chooses an account of the journal: company_id (null: every company without its own), kind, account, label, note. '
    'Closed months keep theirs.';
REVOKE ALL ON FUNCTION payroll.set_account(text, text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.set_account(text, text, text, text, text) TO payroll_manager;
