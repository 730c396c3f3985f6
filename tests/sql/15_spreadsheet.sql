-- Texts for a spreadsheet: none of them is run.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(21);

SELECT is(report.spreadsheet_text(text), '''' || text, 'a formula is quoted: ' || text)
FROM (VALUES ('=1+1'), ('+33 1'), ('-1'), ('@SUM(A1)'), (E'\t=1'), (E'\r=1'), (E'\n=1'), (' =1'), (U&'\00A0=1'), ('＝1'),
             ('－1'), ('＋1'), ('＠a'), ('=')) AS t (text);
SELECT is(report.spreadsheet_text(text), text, 'a name stays as it is: ' || text)
FROM (VALUES ('Zoé'), ('Le Goff-Durand'), (''''), (''), ('a=1'), ('1-1')) AS t (text);
SELECT is(report.spreadsheet_text(NULL), NULL, 'and nothing stays nothing');

SELECT * FROM finish();
ROLLBACK;
