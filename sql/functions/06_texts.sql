-- Texts for people: amounts, months, and the catalogue's sentences with names in place of {placeholders}.

CREATE OR REPLACE FUNCTION payroll.euros(cents bigint, language text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN cents < 0 THEN '-' ELSE '' END
        || CASE language
            -- 1 234,56 €, with no-break spaces: U+202F between thousands, U+00A0 before the sign
            WHEN 'fr' THEN translate(amount, ',.', chr(8239) || ',') || chr(160) || '€'
            ELSE '€' || amount
        END
    FROM (SELECT to_char(abs(cents::numeric) / 100, 'FM99,999,999,999,999,990.00') AS amount) AS formatted
$$;
COMMENT ON FUNCTION payroll.euros(bigint, text) IS
    'An amount in cents as people write it in French (fr) or English (en).';
REVOKE ALL ON FUNCTION payroll.euros(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.euros(bigint, text) TO payroll_manager, payroll_reader;

CREATE OR REPLACE FUNCTION payroll.month_name(month date, language text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT (CASE language
            WHEN 'fr' THEN ARRAY['janvier', 'février', 'mars', 'avril', 'mai', 'juin', 'juillet', 'août', 'septembre',
                                 'octobre', 'novembre', 'décembre']
            ELSE ARRAY['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September',
                       'October', 'November', 'December']
        END)[extract(month FROM month)::integer] || ' ' || extract(year FROM month)
$$;
COMMENT ON FUNCTION payroll.month_name(date, text) IS 'A month in French (fr) or English (en): avril 2026.';
REVOKE ALL ON FUNCTION payroll.month_name(date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.month_name(date, text) TO payroll_manager, payroll_reader;

CREATE OR REPLACE FUNCTION payroll.person_name(first_name text, last_name text, number text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN first_name IS NULL AND last_name IS NULL THEN number
                ELSE concat_ws(' ', first_name, last_name, '(' || number || ')') END
$$;
COMMENT ON FUNCTION payroll.person_name(text, text, text) IS
    'First name, last name and, in brackets, a number to tell namesakes apart; the number alone when there is no name.';
REVOKE ALL ON FUNCTION payroll.person_name(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.person_name(text, text, text) TO payroll_manager, payroll_reader;

-- A body that is parsed now: payroll_reader, who runs it, has no right to look names up in payroll.
CREATE OR REPLACE FUNCTION payroll.candidate_names(candidates jsonb, with_score boolean) RETURNS text
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT string_agg(payroll.person_name(c.value ->> 'first_name', c.value ->> 'last_name',
                                          coalesce(c.value ->> 'matricule', c.value ->> 'employee_id'))
                      || CASE WHEN with_score THEN coalesce(' ' || (c.value ->> 'score') || ' %', '') ELSE '' END,
                      ', ' ORDER BY c.ordinality)
    FROM jsonb_array_elements(candidates) WITH ORDINALITY AS c
);
COMMENT ON FUNCTION payroll.candidate_names(jsonb, boolean) IS
    'The candidates of a discrepancy in one line, best first; null when there are none.';
REVOKE ALL ON FUNCTION payroll.candidate_names(jsonb, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.candidate_names(jsonb, boolean) TO payroll_manager, payroll_reader;

CREATE OR REPLACE FUNCTION payroll.readable(value text, language text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE language
        WHEN 'fr' THEN regexp_replace(regexp_replace(value,
            '^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d):\d\d(\.\d+)?Z$', '\3/\2/\1 à \4 UTC'),
            '^(\d{4})-(\d\d)-(\d\d)$', '\3/\2/\1')
        ELSE regexp_replace(value,
            '^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(\.\d+)?Z$', '\1 at \2 UTC')
    END
$$;
COMMENT ON FUNCTION payroll.readable(text, text) IS
    'A date or an instant as people write it in French (fr) or English (en); any other text as it is.';
REVOKE ALL ON FUNCTION payroll.readable(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.readable(text, text) TO payroll_manager, payroll_reader;

-- What transform writes of a line that no term fits: member type, basis, category, option, population, - for none.
CREATE OR REPLACE FUNCTION payroll.term_text(codes text, language text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT concat_ws(', ', coalesce(words ->> part[1], part[1]), coalesce(words ->> part[2], part[2]),
                     nullif(coalesce(words ->> part[3], part[3]), '-'),
                     'option ' || coalesce(nullif(part[4], '-'), words ->> 'none'),
                     'population ' || coalesce(nullif(part[5], '-'), words ->> 'none'))
    FROM (SELECT string_to_array(codes, ' / ') AS part,
                 CASE language WHEN 'fr' THEN jsonb '{"employee": "salarié", "partner": "conjoint", "child": "enfant",
                     "family": "famille", "option": "option", "fixed": "montant fixe", "pmss": "pourcentage du plafond",
                     "gross": "pourcentage du salaire", "t1": "pourcentage de la tranche 1",
                     "t2": "pourcentage de la tranche 2", "tb": "pourcentage de la tranche B",
                     "all": "tout le personnel", "executive": "cadre", "non_executive": "non-cadre",
                     "none": "non précisée"}'
                 ELSE jsonb '{"fixed": "fixed amount", "pmss": "percentage of the ceiling",
                     "gross": "percentage of pay", "t1": "percentage of tranche 1", "t2": "percentage of tranche 2",
                     "tb": "percentage of tranche B", "all": "all staff", "non_executive": "non-executive",
                     "none": "not given"}' END AS words
         ) AS w
$$;
COMMENT ON FUNCTION payroll.term_text(text, text) IS
    'What a contract has no term for, in French (fr) or English (en), from the codes that transform writes.';
REVOKE ALL ON FUNCTION payroll.term_text(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.term_text(text, text) TO payroll_manager, payroll_reader;

-- In one pass: a value that itself holds braces is left as it is.
CREATE OR REPLACE FUNCTION payroll.render(template text, vals jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    pieces text[] := string_to_array(template, '{');
    piece text;
    name text;
    answer text := coalesce(pieces[1], '');
BEGIN
    FOREACH piece IN ARRAY pieces[2:] LOOP
        name := split_part(piece, '}', 1);
        IF vals ? name AND strpos(piece, '}') > 0 THEN
            answer := answer || (vals ->> name) || substr(piece, length(name) + 2);
        ELSE
            answer := answer || '{' || piece;
        END IF;
    END LOOP;
    RETURN answer;
END
$$;
COMMENT ON FUNCTION payroll.render(text, jsonb) IS 'The template with every {name} replaced by the value of that name.';
REVOKE ALL ON FUNCTION payroll.render(text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payroll.render(text, jsonb) TO payroll_manager, payroll_reader;

-- What a spreadsheet would take for a formula (OWASP, "CSV Injection"), in half and full width, also behind spaces.
CREATE OR REPLACE FUNCTION report.spreadsheet_text(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN value ~ '^[ \u00a0]*[-=+@\t\r\n\uff0d\uff1d\uff0b\uff20]' THEN '''' || value ELSE value END
$$;
COMMENT ON FUNCTION report.spreadsheet_text(text) IS
    'A text for a file that a spreadsheet will open: with an apostrophe in front where it would be run as a formula.';
REVOKE ALL ON FUNCTION report.spreadsheet_text(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION report.spreadsheet_text(text) TO payroll_manager, payroll_reader;
