#include "tests/unit/common/support.h"

#include "common/pg.h"

static void sqlstates_become_exit_statuses(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate;
        enum err_kind kind;
        bool retry;
    } cases[] = {
        {"", ERR_TRY_AGAIN, false},         {"08006", ERR_TRY_AGAIN, false},   {"22P02", ERR_DATA, false},
        {"23505", ERR_DATA, false},         {"23514", ERR_DATA, false},        {"25006", ERR_CONFIG, false},
        {"25P02", ERR_BUG, false},          {"25P03", ERR_TRY_AGAIN, false},   {"25P04", ERR_TRY_AGAIN, false},
        {"28P01", ERR_REFUSED, false},      {"28000", ERR_REFUSED, false},     {"3D000", ERR_CONFIG, false},
        {"40001", ERR_TRY_AGAIN, true},     {"40P01", ERR_TRY_AGAIN, true},
        {"42501", ERR_REFUSED, false},      {"42P01", ERR_BUG, false},         {"53100", ERR_CANT_CREATE, false},
        {"53300", ERR_TRY_AGAIN, false},    {"55P03", ERR_TRY_AGAIN, false},   {"57014", ERR_TRY_AGAIN, false},
        {"57P01", ERR_TRY_AGAIN, false},    {"57P03", ERR_TRY_AGAIN, false},   {"58030", ERR_IO, false},
        {"P0001", ERR_DATA, false},         {"XX000", ERR_BUG, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(pg_error_kind(cases[i].sqlstate), cases[i].kind);
        assert_int_equal(pg_can_retry(cases[i].sqlstate), cases[i].retry);
    }
}

static void bad_urls_are_not_repeated(void **state)
{
    (void)state;
    static const char *const urls[] = {"postgresql://u:s3@cret@host/x", "postgres://u:s3cret@host:port/x", "host=x s3cret",
                                       "postgresql://u:s3cret@[host/x"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct pg pg = {0};
        struct err err = {0};
        assert_false(pg_connect(&pg, urls[i], "test", &err));
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_null(strstr(err.text, "s3"));
        assert_null(strstr(err.text, "cret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sqlstates_become_exit_statuses),
        cmocka_unit_test(bad_urls_are_not_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
