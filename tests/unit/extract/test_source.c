#include "tests/unit/common/support.h"

#include <unistd.h>

#include "extract/source.h"

#define HEAD "version: 1\nrules: { invoice_month_shift: 1 }\n"
#define COMPANY \
    "companies:\n" \
    "  - id: acme\n" \
    "    siren: '842139073'\n" \
    "    establishments:\n" \
    "      - { siret: '84213907300014', payroll_company_id: pf1, payroll_token: secret }\n" \
    "      - { siret: '84213907300022', payroll_company_id: pf2 }\n"

static struct config config;
static struct source *sources;
static int n_sources;

static bool read_sources(const char *text, struct err *err)
{
    char path[] = "/tmp/test-source-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
    config_free(&config);
    bool ok = config_read(&config, path, STAGE_EXTRACT, true, err);
    if (!ok)
        fail_msg("the configuration itself: %s", err->text);
    ok = sources_read(&config, &sources, &n_sources, err);
    unlink(path);
    return ok;
}

static const struct entity_source *entity(const char *name)
{
    for (int i = 0; i < sources[0].n_entities; i++)
        if (strcmp(sources[0].entities[i].name, name) == 0)
            return &sources[0].entities[i];
    fail_msg("no entity %s", name);
    return NULL;
}

static const struct field_map *field(const struct entity_source *e, const char *name)
{
    for (int i = 0; i < e->n_fields; i++)
        if (strcmp(e->fields[i].field->name, name) == 0)
            return &e->fields[i];
    fail_msg("no field %s", name);
    return NULL;
}

static void embedded_descriptions(void **state)
{
    struct err err = {0};
    (void)state;
    if (!read_sources(HEAD "sources:\n"
                      "  alan: { use: alan, base_url: https://a.example/, auth: { token: t },\n"
                      "          entities: { affiliations: null, invoices: { fields: {\n"
                      "            total_cents: { at: total, type: euros }, invoice_id: [uuid, id] } } } }\n" COMPANY,
                      &err))
        fail_msg("%s", err.text);
    const struct entity_source *invoices = entity("invoices");
    assert_int_equal(n_sources, 1);
    assert_int_equal(sources[0].n_entities, 4);
    assert_string_equal(sources[0].base_url, "https://a.example");
    assert_int_equal(sources[0].auth.kind, AUTH_BEARER);
    assert_false(sources[0].payroll);
    assert_int_equal(invoices->per, PER_MONTH);
    assert_int_equal(invoices->paging.kind, PAGING_CURSOR);
    assert_string_equal(invoices->paging.next[0], "next_cursor");
    assert_int_equal(field(invoices, "total_cents")->type, WIRE_EUROS);
    assert_string_equal(field(invoices, "total_cents")->at[0], "total");
    assert_string_equal(field(invoices, "invoice_id")->at[1], "id");
    assert_int_equal(field(invoices, "siren")->type, WIRE_DIGITS);
    assert_int_equal(entity("companies")->paging.kind, PAGING_NONE);
    assert_int_equal(field(entity("contracts"), "terms")->n_sub, 11);
}

static void payfit_reads_by_establishment(void **state)
{
    struct err err = {0};
    struct arena a = {0};
    int n;
    (void)state;
    assert_true(read_sources(HEAD "sources: { payroll: { use: payfit, auth: { token: t } } }\n" COMPANY, &err));
    const struct entity_source *fill = entity("employees_of_contracts"), *periods = entity("payroll_periods");
    assert_true(sources[0].payroll);
    assert_true(fill->fill && fill->from == entity("employments") && !fill->path);
    assert_string_equal(fill->records, "contracts");
    assert_true(entity("employees")->merge[2] && !entity("employees")->merge[3]); /* matricule, nir */
    const struct request *q = source_requests(sources, 1, &config.companies[0], 24315, 24317, &a, &n);
    assert_int_equal(n, 2 * (5 + 3)); /* two establishments: five lists, and the periods of three months */
    assert_true(periods->per == (PER_ESTABLISHMENT | PER_MONTH));
    for (int i = 0; i < n; i++)
        if (q[i].entity == periods && q[i].month == 24317)
            assert_string_equal(source_fill(periods->query[0].value, &q[i], true, &a), "202607"); /* shifted by one */
    arena_free(&a);
}

static void templates(void **state)
{
    static const struct { const char *template, *filled; } cases[] = {
        {"/c/{company_id}/{siret}?m={month}&n={month_compact}", "/c/a%2Fb/84213907300014?m=2026-04&n=202604"},
        {"{payroll_month} {payroll_month_compact}", "2026-05 202605"},
        {"{payroll_token}{unknown}{", "s%20%26%20t{unknown}{"},
    };
    struct arena a = {0};
    struct source s = {.month_shift = 1};
    struct config_company company = {.id = "a/b"};
    struct config_establishment at = {.siret = "84213907300014", .payroll_token = "s & t"};
    struct request q = {&s, NULL, &company, &at, 2026 * 12 + 3};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(source_fill(cases[i].template, &q, true, &a), cases[i].filled);
    assert_string_equal(source_fill("{company_id}/{month}", &q, false, &a), "a/b/2026-04");
    q.establishment = NULL;
    q.month = MONTH_NONE;
    assert_string_equal(source_fill("[{siret}{month}]", &q, false, &a), "[]");
    arena_free(&a);
}

static void csv_shorthand(void **state)
{
    struct err err = {0};
    (void)state;
    if (!read_sources(HEAD "sources:\n"
                      "  bases: { use: csv, entity: pay_bases, path: 'in/{company_id}-{month}.csv', optional: true,\n"
                      "           fields: { employment_id: Contrat, gross_cents: { at: Brut, type: euros } },\n"
                      "           ignore: Nom }\n" COMPANY, &err))
        fail_msg("%s", err.text);
    const struct entity_source *e = entity("pay_bases");
    assert_true(sources[0].kind == SOURCE_CSV && sources[0].optional && sources[0].payroll && sources[0].encoding_auto);
    assert_int_equal(sources[0].separator, ';');
    assert_int_equal(sources[0].decimal_point, ',');
    assert_true(e->per == PER_MONTH && !e->shared);
    assert_string_equal(field(e, "gross_cents")->at[0], "Brut");
    assert_string_equal(field(e, "month")->at[0], "month");
    assert_string_equal(field(e, "month")->at[1], "{month}");
    assert_int_equal(field(e, "t1_cents")->type, WIRE_CENTS);
    assert_int_equal((field(e, "t1_cents") + 1)->type, WIRE_EUROS);
    assert_string_equal((field(e, "t1_cents") + 1)->at[0], "t1");
    assert_string_equal(e->ignored[0], "Nom");
    assert_true(read_sources(HEAD "sources: { all: { use: csv, entity: pay_bases, path: all.csv } }\n" COMPANY, &err));
    assert_true(entity("pay_bases")->shared);
}

/* What is wrong with a description is told all at once, each with its line. */
static void faults_are_told(void **state)
{
    static const struct { const char *sources, *says[6]; } cases[] = {
        {"sources: { a: { use: alann } }\n", {":3: use: no description is called alann; known: alan, csv, payfit"}},
        {"sources: { a: { use: nowhere/mine.yaml } }\n", {"nowhere/mine.yaml"}},
        {"sources: {}\n", {"sources: missing"}},
        {"sources: { a: { use: alan, base_url: http://localhost.example, auth: { token: t } } }\n",
         {":3: base_url: a: plain http to localhost.example is refused; expected https, or insecure_http: true"}},
        {"sources: { a: { use: alan, base_url: ftp://a, auth: { kind: header } } }\n",
         {"base_url: a: ftp is not accepted; expected https", "auth.token is missing", "auth.header is missing"}},
        {"sources: { a: { use: alan, auth: { kind: client_credentials } } }\n", {"base_url is missing"}},
        {"sources: { a: { use: alan, base_url: https://a, auth: { kind: oauth } } }\n",
         {"auth: one of none, bearer, header, client_credentials expected"}},
        {"sources:\n  a:\n    use: alan\n    base_url: https://a\n    auth: { token: t }\n    retrys: 3\n"
         "    entities:\n      payslips: { path: /p }\n"
         "      invoices: { fields: { colour: c, total_cents: { type: date }, status: { values: { A: paidd } },\n"
         "                            currency: { default: USD }, type: { at: t, format: x } } }\n",
         {":8: unknown key retrys", ":10: payslips: payslips is no entity", ":11: colour: invoice has no such field",
          ":11: type: total_cents cannot be read as date", ":11: A: paidd: status: one of issued",
          ":12: unknown key format"}},
        {"sources: { a: { use: alan, base_url: https://a, auth: { token: t },\n"
         "                entities: { invoices: { fields: { number: null } } } } }\n",
         {"number is missing; every invoice has one"}},
        {"sources: { a: { use: alan, base_url: https://a, auth: { token: t },\n"
         "                entities: { contracts: { path: '/c/{compnay_id}' } } } }\n",
         {"unknown placeholder {compnay_id}; known: {company_id}", "must name the company"}},
        {"sources: { a: { use: alan, base_url: https://a, auth: { token: '{payroll_token}' } } }\n",
         {"must name the establishment, as the source's token does",
          "establishment 84213907300022: payroll_token is missing"}},
        {"sources: { b: { use: csv, entity: pay_bases, path: x, separator: '::', encoding: latin1, decimal: x } }\n",
         {"separator: a single character", "encoding: one of auto, utf-8, windows-1252",
          "decimal: \".\" or \",\" expected"}},
        {"sources: { b: { use: csv, entity: pay_bases, path: x.csv, fields: { gross_cents: { at: Brut } } } }\n",
         {"gross_cents: type: euros or type: cents expected"}},
        {"sources: { a: { kind: rest, base_url: https://a, entities: { employees: { path: '/{company_id}', from: x,\n"
         "  merge: [nom], paging: { kind: cursor }, fields: { employee_id: id, last_name: n } } } } }\n",
         {"path or from expected, not both", "merge: names of fields of employee", "paging: param expected",
          "paging: next expected"}},
        {"sources: { a: { kind: rest, base_url: https://a, auth: { kind: client_credentials, client_id: i },\n"
         "                entities: {} } }\n",
         {"auth.client_id or auth.client_secret is missing", "auth.token_url is missing"}},
        {"sources: { a: { kind: rest, base_url: https://a, paging: { kind: cursor, param: c, next: [n], size: 0 },\n"
         "  entities: { employees: { path: 'x/{company_id}{payroll_token}', query: { a: '{x}' },\n"
         "                           fields: { employee_id: { value: x, at: y }, colour: c } } } } }\n",
         {":4: employees: a path that begins with / expected", ":4: employees: a token belongs in auth",
          ":4: a: unknown placeholder {x}", ":5: employee_id: value stands alone, without at or default",
          ":5: colour: employee has no such field", "last_name is missing"}},
        {"sources: { a: { kind: rest, base_url: https://a, entities: { contracts: { path: '/{company_id}',\n"
         "  fields: { company_id: c, insurer_code: { at: '{payroll_token}' }, reference: { at: r, fields: { a: b } },\n"
         "            terms: t, siren: [a, b, c, d, e, f, g, h, i] } } } } }\n",
         {":4: company_id: contract has no such field to be read: it is given by itself",
          ":4: at: a token is no value of a record", ":4: reference: fields is for lists of records",
          ":5: terms: fields expected: those of each term", ":5: at: at most"}},
        {"sources: { a: { kind: rest, base_url: https://a, entities: { employments: { path: '/{company_id}',\n"
         "  fields: { health_contract_ids: { at: h, default: x } } }, more: { entity: employees, from: employees,\n"
         "  fields: { employee_id: i, last_name: l } } } } }\n",
         {":4: health_contract_ids: a list has no default", "more: from: no entity with a path is called employees"}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = {0};
        struct buf text = {0};
        buf_addf(&text, HEAD "%s" COMPANY, cases[i].sources);
        if (read_sources(buf_str(&text), &err))
            fail_msg("case %zu is accepted", i);
        assert_int_equal(err.kind, ERR_CONFIG);
        for (size_t j = 0; j < COUNT_OF(cases[i].says) && cases[i].says[j]; j++)
            if (!strstr(err.text, cases[i].says[j]))
                fail_msg("case %zu does not say \"%s\":\n%s", i, cases[i].says[j], err.text);
        buf_free(&text);
    }
}

static int free_config(void **state)
{
    (void)state;
    config_free(&config);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embedded_descriptions),
        cmocka_unit_test(payfit_reads_by_establishment),
        cmocka_unit_test(templates),
        cmocka_unit_test(csv_shorthand),
        cmocka_unit_test(faults_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, free_config);
}
