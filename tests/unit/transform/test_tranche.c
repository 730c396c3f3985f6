/* Worked examples: CSS R242-2; the year-to-date regularisation as openfisca computes it. */
#include "tests/unit/common/support.h"

#include "transform/tranche.h"

static void check(const struct tranche_month *month, int n, int64_t t1, int64_t t2, int64_t tb)
{
    struct tranches t;
    assert_true(tranche_year_to_date(month, n, &t));
    assert_int_equal(t.t1_cents, t1);
    assert_int_equal(t.t2_cents, t2);
    assert_int_equal(t.tb_cents, tb);
}

static void test_year_to_date(void **state)
{
    (void)state;
    struct tranche_month year[] = {{350000, 331100, 31, 31}, {250000, 331100, 28, 28}};
    check(year, 1, 331100, 18900, 18900);
    check(year, 2, 268900, -18900, -18900);
}

static void test_ceilings(void **state)
{
    (void)state;
    struct tranche_month month = {4000000, 400500, 30, 30};
    check(&month, 1, 400500, 7 * 400500, 3 * 400500);
    month.gross_cents = 100000;
    check(&month, 1, 100000, 0, 0);
    month.gross_cents = 0;
    check(&month, 1, 0, 0, 0);
    check(NULL, 0, 0, 0, 0);
}

static void test_incomplete_months(void **state)
{
    (void)state;
    struct tranche_month october = {500000, 400500, 22, 31}, november = {500000, 400500, 21, 30};
    check(&october, 1, 284226, 215774, 215774);
    check(&november, 1, 280350, 219650, 219650);
}

static void test_twelve_months_add_up(void **state)
{
    (void)state;
    struct tranche_month year[TRANCHE_MONTHS_MAX];
    uint64_t random = 7;
    int64_t pay = 0, t1 = 0, t2 = 0;
    for (int i = 0; i < TRANCHE_MONTHS_MAX; i++) {
        year[i] = (struct tranche_month){random_below(&random, 900000), 400500, 30, 30};
        pay += year[i].gross_cents;
        struct tranches t;
        assert_true(tranche_year_to_date(year, i + 1, &t));
        t1 += t.t1_cents;
        t2 += t.t2_cents;
    }
    assert_int_equal(t1 + t2, pay);
    assert_true(t1 <= 12 * 400500);
}

static void test_pay_beyond_64_bits(void **state)
{
    (void)state;
    const int64_t most = INT64_MAX / 377580;
    struct tranche_month year[] = {{most, 400500, 31, 31}, {1, 400500, 28, 28}};
    struct tranches t = {1, 2, 3};
    check(year, 1, 400500, 7 * 400500, 3 * 400500);
    year[0].gross_cents = most + 1;
    assert_false(tranche_year_to_date(year, 1, &t));
    year[0].gross_cents = most;
    assert_false(tranche_year_to_date(year, 2, &t));
    year[0].gross_cents = -most - 1;
    assert_false(tranche_year_to_date(year, 1, &t));
    assert_true(t.t1_cents == 1 && t.t2_cents == 2 && t.tb_cents == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_year_to_date),
        cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_incomplete_months),
        cmocka_unit_test(test_twelve_months_add_up),
        cmocka_unit_test(test_pay_beyond_64_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
