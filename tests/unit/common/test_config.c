#include <unistd.h>

#include "common/config.h"
#include "tests/unit/common/support.h"

#define COMPANY "companies:\n  - {id: acme, siren: '842139073'}\n"
#define HEADER "company_id,siren,name,headcount,alan_company_id,siret,payroll_company_id,payroll_token\n"

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) < 0, 0);
    assert_int_equal(fclose(f), 0);
}

static struct config read_ok(const char *text, enum stage stage)
{
    struct config c = {0};
    struct err err = {0};
    write_file("c.yaml", text);
    if (!config_read(&c, "c.yaml", stage, true, &err))
        fail_msg("%s\n%s", text, err.text);
    return c;
}

static void assert_refused(const char *text, enum stage stage, const char *expected)
{
    struct config c = {0};
    struct err err = {0};
    write_file("c.yaml", text);
    assert_false(config_read(&c, "c.yaml", stage, true, &err));
    assert_null(c.path);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_string_equal(err.text, expected);
}

static void fills_in_defaults(void **state)
{
    (void)state;
    struct config c = read_ok("version: 1\n" COMPANY, STAGE_TRANSFORM);
    assert_string_equal(c.staging_dir, "staging");
    assert_int_equal(c.keep_runs, 30);
    assert_false(c.archive_raw);
    assert_string_equal(c.database_url, "");
    assert_int_equal(c.invoice_month_shift, 0);
    assert_int_equal(c.lookback_months, 2);
    assert_int_equal(c.minimum_employer_share_ppm, 500000);
    assert_int_equal(c.tolerance_line_cents, 1);
    assert_int_equal(c.tolerance_invoice_cents, 0);
    assert_int_equal(c.grace_hire_days, 10);
    assert_int_equal(c.grace_contract_days, 7);
    assert_int_equal(c.grace_change_days, 5);
    assert_int_equal(c.stale_after_s, 36 * 3600);
    assert_int_equal(c.reject_limit_count, 0);
    assert_true(c.reject_limit_ppm == INT_NONE);
    assert_null(c.sources);
    assert_int_equal(c.n_companies, 1);
    assert_string_equal(c.companies[0].alan_company_id, "acme");
    assert_true(c.companies[0].headcount == INT_NONE);
    assert_int_equal(c.companies[0].n_establishments, 0);
    config_free(&c);
}

static void reads_every_key(void **state)
{
    (void)state;
    setenv("CONFIG_KEEP", "7", 1);
    struct config c = read_ok(
        "version: 1\n"
        "staging: {dir: /var/lib/x, keep_runs: '${CONFIG_KEEP}', archive_raw: true}\n"
        "database: {url: 'postgresql://u:p@h/d'}\n"
        "rules:\n"
        "  invoice_month_shift: -1\n  lookback_months: 0\n  minimum_employer_share: 62.5%\n"
        "  tolerance: {line: 0.5, invoice: '1.25'}\n  grace: {hire: 0d, contract: 30d, change: 1d}\n"
        "  stale_after: 90m\n  reject_limit: 0.5%\n"
        "sources: {alan: {use: alan, anything: 1}}\n"
        "companies:\n"
        "  - id: acme\n    siren: 842 139 073\n    name: Acmé\n    headcount: 14\n    alan_company_id: cmp_1\n"
        "    previous_sirens: [{siren: '552008443', until: 2025-12-31}]\n"
        "    establishments:\n"
        "      - {siret: '842 139 073 00014', payroll_company_id: p1, payroll_token: t1}\n"
        "      - {siret: '55200844300012'}\n"
        "  - {id: B.2_x-y, siren: '443121975'}\n", STAGE_EXTRACT);
    assert_string_equal(c.staging_dir, "/var/lib/x");
    assert_int_equal(c.keep_runs, 7);
    assert_true(c.archive_raw);
    assert_string_equal(c.database_url, "postgresql://u:p@h/d");
    assert_int_equal(c.invoice_month_shift, -1);
    assert_int_equal(c.lookback_months, 0);
    assert_int_equal(c.minimum_employer_share_ppm, 625000);
    assert_int_equal(c.tolerance_line_cents, 50);
    assert_int_equal(c.tolerance_invoice_cents, 125);
    assert_int_equal(c.grace_contract_days, 30);
    assert_int_equal(c.stale_after_s, 5400);
    assert_true(c.reject_limit_count == INT_NONE);
    assert_int_equal(c.reject_limit_ppm, 5000);
    assert_string_equal(yaml_get(c.sources, "alan")->child->text, "alan");
    assert_int_equal(c.n_companies, 2);
    const struct config_company *acme = &c.companies[1];
    assert_string_equal(acme->siren, "842139073");
    assert_string_equal(acme->name, "Acmé");
    assert_int_equal(acme->headcount, 14);
    assert_string_equal(acme->alan_company_id, "cmp_1");
    assert_int_equal(acme->n_previous_sirens, 1);
    assert_int_equal(acme->previous_sirens[0].until, date_of(2025, 12, 31));
    assert_int_equal(acme->n_establishments, 2);
    assert_string_equal(acme->establishments[0].siret, "84213907300014");
    assert_string_equal(acme->establishments[0].payroll_token, "t1");
    assert_null(acme->establishments[1].payroll_token);
    assert_int_equal(acme->establishments[1].line, 22);
    config_free(&c);
}

static void companies_are_in_the_order_of_their_ids(void **state)
{
    (void)state;
    struct config c = read_ok("version: 1\ncompanies:\n  - {id: b, siren: '842139073'}\n  - {id: B.1, siren: '443121975'}\n"
                              "  - {id: a, siren: '552008443'}\n", STAGE_EXTRACT);
    assert_string_equal(c.companies[0].id, "B.1");
    assert_string_equal(c.companies[1].id, "a");
    assert_string_equal(c.companies[2].id, "b");
    assert_string_equal(c.companies[2].siren, "842139073");
    config_free(&c);
}

static void reports_everything_at_once(void **state)
{
    (void)state;
    setenv("CONFIG_SECRET", "hidden", 1);
    assert_refused(
        "version: 2\n"
        "staging: {keep_runs: 0, archive_raw: yes, dri: x}\n"
        "rules:\n"
        "  lookback_months: '2'\n  minimum_employer_share: 0.5\n"
        "  tolerance: {line: 0.015}\n  grace: 10d\n  stale_after: 36\n  reject_limit: 101%\n  lookback: 3\n"
        "  invoice_month_shift: ${CONFIG_SECRET}\n"
        "source: {}\n"
        "companies:\n"
        "  - {id: .acme, siren: '404833047', headcount: -1, alan_id: x}\n"
        "  - just text\n"
        "version: 1\n", STAGE_EXTRACT,
        "c.yaml:1: version: expected 1, found \"2\"\n"
        "c.yaml:2: keep_runs: expected a whole number from 1 to 100000, found \"0\"\n"
        "c.yaml:2: archive_raw: expected true or false, found \"yes\"\n"
        "c.yaml:11: invoice_month_shift: expected a whole number from -12 to 12, found something else in its variable\n"
        "c.yaml:4: lookback_months: expected a whole number from 0 to 24, found \"2\"\n"
        "c.yaml:5: minimum_employer_share: expected a percentage such as 50%, from 0% to 100%, found \"0.5\"\n"
        "c.yaml:6: line: expected an amount in euros with at most two decimals, from 0.00 to 1000.00, found \"0.015\"\n"
        "c.yaml:7: grace: expected a map, found \"10d\"\n"
        "c.yaml:8: stale_after: expected a duration such as 36h, 30m or 2d, from 1m to 366d, found \"36\"\n"
        "c.yaml:9: reject_limit: expected a number of records such as 10, up to 1000000000, or a percentage such as 1%,"
        " found \"101%\"\n"
        "c.yaml:12: unknown key source; known here: version, staging, database, rules, sources, companies,"
        " companies_file\n"
        "c.yaml:2: unknown key staging.dri; known here: dir, keep_runs, keep_months, archive_raw\n"
        "c.yaml:10: unknown key rules.lookback; known here: invoice_month_shift, lookback_months,"
        " minimum_employer_share, executive_minimum, amount_jump, pmss, tolerance, grace, stale_after, reject_limit\n"
        "c.yaml:15: expected a map of keys in this list\n"
        "c.yaml:14: id: expected 1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter, digit or"
        " underscore, found \".acme\"\n"
        "c.yaml:14: siren: expected a SIREN of 9 digits, the last checking the others, found \"404833047\"\n"
        "c.yaml:14: headcount: expected a whole number from 0 to 10000000, found \"-1\"\n"
        "c.yaml:14: unknown key alan_id; known here: id, siren, name, headcount, alan_company_id, previous_sirens,"
        " establishments\n"
        "c.yaml:16: version: given twice, first on line 1");
}

static void checks_companies_against_each_other(void **state)
{
    static const struct { const char *text, *fault; } cases[] = {
        {"", "c.yaml:1: companies: missing; expected a list here or companies_file"},
        {"companies: []\n", "c.yaml:2: companies: expected at least one company"},
        {"companies: {a: 1}\n", "c.yaml:2: companies: expected a list, found a map"},
        {COMPANY "companies_file: x.csv\n", "c.yaml:2: companies: companies_file is given as well; expected one of them"},
        {"companies:\n  - {siren: '842139073'}\n",
         "c.yaml:3: id: missing; expected 1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter,"
         " digit or underscore"},
        {"companies:\n  - {id: a, siren: '842139073'}\n  - {id: b, siren: '443121975'}\n"
         "  - {id: a, siren: '552008443'}\n", "c.yaml:5: id: a is given twice, first on line 3"},
        {"companies:\n  - {id: a, siren: '842139073'}\n  - {id: b, siren: '443121975', alan_company_id: a}\n",
         "c.yaml:4: alan_company_id: a is given twice, first on line 3"},
        {"companies:\n  - {id: a, siren: '842139073', establishments: [{siret: '84213907300014'}]}\n"
         "  - {id: b, siren: '842139073', establishments: [{siret: '84213907300014'}]}\n",
         "c.yaml:4: siret: 84213907300014 is given twice, first on line 3"},
        {"companies:\n  - {id: a, siren: '443121975', establishments: [{siret: '84213907300014'}]}\n",
         "c.yaml:3: siret: 84213907300014 does not begin with the company's SIREN 443121975, nor with one of its"
         " previous_sirens"},
        {"companies:\n  - {id: a, siren: '842139073', establishments: [{siret: '84213907300015'}]}\n",
         "c.yaml:3: siret: expected a SIRET of 14 digits, the last checking the others, found \"84213907300015\""},
        {"companies:\n  - {id: a, siren: '842139073', alan_company_id: '..'}\n",
         "c.yaml:3: alan_company_id: expected an id, found a step of a path"},
        {"companies:\n  - {id: a, siren: '842139073', establishments: [{siret: '84213907300014', payroll_company_id: .}]}\n",
         "c.yaml:3: payroll_company_id: expected an id, found a step of a path"},
        {"companies:\n  - {id: a, siren: '842139073', establishments: [{siret: '84213907300014', payroll_token: ''}]}\n",
         "c.yaml:3: payroll_token: empty"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[1024];
        snprintf(text, sizeof text, "version: 1\n%s", cases[i].text);
        assert_refused(text, STAGE_EXTRACT, cases[i].fault);
    }
}

static void asks_each_stage_for_its_own_secrets(void **state)
{
    static const char text[] =
        "version: 1\ndatabase: {url: '${CONFIG_URL}'}\nsources: {alan: {use: alan, token: '${CONFIG_TOKEN}'}}\n"
        "companies:\n  - id: acme\n    siren: '842139073'\n"
        "    establishments: [{siret: '84213907300014', payroll_token: '${CONFIG_KEY}'}]\n";
    (void)state;
    unsetenv("CONFIG_URL");
    unsetenv("CONFIG_TOKEN");
    unsetenv("CONFIG_KEY");
    assert_refused(text, STAGE_EXTRACT, "c.yaml:2: url: unset variable CONFIG_URL\n"
                                        "c.yaml:3: token: unset variable CONFIG_TOKEN\n"
                                        "c.yaml:7: payroll_token: unset variable CONFIG_KEY");
    assert_refused(text, STAGE_LOAD, "c.yaml:2: url: unset variable CONFIG_URL");
    struct config c = read_ok(text, STAGE_TRANSFORM);
    assert_null(c.sources);
    assert_string_equal(c.database_url, "");
    assert_null(c.companies[0].establishments[0].payroll_token);
    config_free(&c);
}

static void reads_secrets_from_files(void **state)
{
    static const struct { const char *content, *secret, *fault; } cases[] = {
        {"s3cret", "s3cret", NULL},
        {"s3cret\n", "s3cret", NULL},
        {"s3cret\r\n", "s3cret", NULL},
        {"s3cret\n\n", NULL, "c.yaml:2: url: a control character, such as a newline, is inside the secret"},
        {"\n", NULL, "c.yaml:2: url: secret.txt is empty"},
        {"", NULL, "c.yaml:2: url: secret.txt is empty"},
    };
    static const char text[] = "version: 1\ndatabase: {url: 'file:secret.txt'}\n" COMPANY;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        write_file("secret.txt", cases[i].content);
        if (cases[i].fault) {
            assert_refused(text, STAGE_LOAD, cases[i].fault);
            continue;
        }
        struct config c = read_ok(text, STAGE_LOAD);
        assert_string_equal(c.database_url, cases[i].secret);
        config_free(&c);
    }
    unlink("secret.txt");
    assert_refused(text, STAGE_LOAD, "c.yaml:2: url: cannot open secret.txt: No such file or directory");
}

static void knows_the_same_configuration(void **state)
{
    static const char text[] = "version: 1\ncompanies_file: companies.csv\n";
    (void)state;
    write_file("companies.csv", HEADER "acme,842139073,,,,,,\n");
    struct config first = read_ok(text, STAGE_LOAD), again = read_ok(text, STAGE_LOAD);
    write_file("companies.csv", HEADER "acme,842139073,,1,,,,\n");
    struct config other = read_ok(text, STAGE_LOAD);
    assert_string_equal(first.sha256, again.sha256);
    assert_string_not_equal(first.sha256, other.sha256);
    config_free(&first);
    config_free(&again);
    config_free(&other);
}

static void reads_companies_from_a_csv(void **state)
{
    (void)state;
    setenv("CONFIG_KEY", "k1", 1);
    write_file("companies.csv",
               "\xef\xbb\xbfsiret;company_id;siren;name;headcount;payroll_token\r\n"
               "84213907300014;acme;842139073;\"Acm\xc3\xa9 ; fils\";14;${CONFIG_KEY}\r\n"
               "\r\n"
               ";beta;443121975;null;;\r\n"
               ";aleph;552008443;;;\r\n"
               "84213907300022;acme;;;;\"quoted\"\"key\"");
    struct config c = read_ok("version: 1\ncompanies_file: companies.csv\n", STAGE_EXTRACT);
    assert_int_equal(c.n_companies, 3);
    assert_string_equal(c.companies[0].id, "acme");
    assert_string_equal(c.companies[0].siren, "842139073");
    assert_int_equal(c.companies[0].headcount, 14);
    assert_int_equal(c.companies[0].n_establishments, 2);
    assert_string_equal(c.companies[0].establishments[0].payroll_token, "k1");
    assert_string_equal(c.companies[0].establishments[1].siret, "84213907300022");
    assert_string_equal(c.companies[0].establishments[1].payroll_token, "quoted\"key");
    assert_int_equal(c.companies[0].establishments[1].line, 6);
    assert_string_equal(c.companies[1].id, "aleph");
    assert_string_equal(c.companies[2].name, "null");
    assert_int_equal(c.companies[2].n_establishments, 0);
    config_free(&c);
}

static void refuses_a_csv(void **state)
{
    static const struct { const char *text, *fault; } cases[] = {
        {"", "companies.csv: empty; expected a header line"},
        {"company_id,siren,nom,siren\na,b,c,d\n",
         "companies.csv:1: expected columns company_id, siren, name, headcount, alan_company_id, siret,"
         " payroll_company_id, payroll_token, found nom\ncompanies.csv:1: given twice: column siren\n"
         "companies.csv:1: expected at least one company"},
        {"company_id,name\na,b\n",
         "companies.csv:1: missing: column siren\ncompanies.csv:1: expected at least one company"},
        {"company_id,siren\nacme,842139073\nb\n,443121975\n",
         "companies.csv:3: 1 cells; expected 2 as in the header\ncompanies.csv:4: company_id: missing"},
        {"company_id,siren\nacme,842139073\nacme,443121975\n",
         "companies.csv:3: siren differs from line 2 of the same company"},
        {"company_id,siren\nacme,84\"2139073\n",
         "companies.csv:2: not valid CSV: a quote that does not enclose a whole cell"},
        {"company_id,siren\nacme,\"842139073\n",
         "companies.csv:2: not valid CSV: a quote that does not enclose a whole cell"},
        {"company_id,siren,name\nacme,842139073,Acm\xe9\n",
         "companies.csv:2: not UTF-8 text; save the file as CSV UTF-8"},
        {"company_id,siren,name\nacme,842139073,\"two\nlines\"\nbeta,1,\n",
         "companies.csv:2: name: expected text of 1 to 200 bytes without control characters\n"
         "companies.csv:4: siren: expected a SIREN of 9 digits, the last checking the others, found \"1\""},
        {"company_id,siren,headcount,siret,payroll_token\nacme,842139074,many,84213907300014,${CONFIG_UNSET}\n",
         "companies.csv:2: siren: expected a SIREN of 9 digits, the last checking the others, found \"842139074\"\n"
         "companies.csv:2: headcount: expected a whole number from 0 to 10000000, found \"many\"\n"
         "companies.csv:2: payroll_token: unset variable CONFIG_UNSET"},
    };
    (void)state;
    unsetenv("CONFIG_UNSET");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        write_file("companies.csv", cases[i].text);
        assert_refused("version: 1\ncompanies_file: companies.csv\n", STAGE_EXTRACT, cases[i].fault);
    }
    unlink("companies.csv");
    assert_refused("version: 1\ncompanies_file: companies.csv\n", STAGE_EXTRACT,
                   "companies_file: cannot open companies.csv: No such file or directory");
}

static void reads_many_companies(void **state)
{
    enum { MANY = 30000 };
    (void)state;
    FILE *f = fopen("many.yaml", "w");
    assert_non_null(f);
    fputs("version: 1\ncompanies:\n", f);
    for (int i = 0; i < MANY; i++)
        fprintf(f, "  - {id: c%d, siren: '842139073'}\n", i);
    fputs("  - {id: c0, siren: '842139073'}\n", f);
    fclose(f);
    struct config c = {0};
    struct err err = {0};
    assert_false(config_read(&c, "many.yaml", STAGE_LOAD, true, &err));
    assert_string_equal(err.text, "many.yaml:30003: id: c0 is given twice, first on line 3");
}

/* Every test works in a folder of its own. */
static char folder[] = "/tmp/test_config.XXXXXX";

static int enter(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    static const char *const files[] = {"c.yaml", "companies.csv", "many.yaml", "secret.txt"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(files); i++)
        unlink(files[i]);
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_in_defaults),
        cmocka_unit_test(reads_every_key),
        cmocka_unit_test(companies_are_in_the_order_of_their_ids),
        cmocka_unit_test(reports_everything_at_once),
        cmocka_unit_test(checks_companies_against_each_other),
        cmocka_unit_test(asks_each_stage_for_its_own_secrets),
        cmocka_unit_test(reads_secrets_from_files),
        cmocka_unit_test(knows_the_same_configuration),
        cmocka_unit_test(reads_companies_from_a_csv),
        cmocka_unit_test(refuses_a_csv),
        cmocka_unit_test(reads_many_companies),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
