#include "tests/unit/common/support.h"

#include "load/template.h"

static const struct variable variables[] = {{"table", "invoice"}, {"period", "2026-04-01"}, {"odd", "it's :table"}};

static void cases_of_filling(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"SELECT 1;\n", "SELECT 1;\n"},
        {"FROM new_:table AS t", "FROM new_invoice AS t"},
        {":table:table", "invoiceinvoice"},
        {"month = :'period'", "month = '2026-04-01'"},
        {":'period'::date, x::text", "'2026-04-01'::date, x::text"},
        {":odd", "it's :table"},
        {":'odd'", "'it''s :table'"},
        {"a[1:2] : 'x' :", "a[1:2] : 'x' :"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        struct err err = {0};
        assert_true(template_fill(cases[i].in, variables, 3, &b, &err));
        assert_string_equal(b.p ? buf_str(&b) : "", cases[i].out);
        buf_free(&b);
    }
}

static void an_unknown_variable_is_named(void **state)
{
    (void)state;
    static const char *const cases[] = {"SELECT :tables", "SELECT :'tables'"};
    for (size_t i = 0; i < 2; i++) {
        struct buf b = {0};
        struct err err = {0};
        assert_false(template_fill(cases[i], variables, 3, &b, &err));
        assert_int_equal(err.kind, ERR_BUG);
        assert_non_null(strstr(err.text, ":tables"));
        buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_of_filling),
        cmocka_unit_test(an_unknown_variable_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
