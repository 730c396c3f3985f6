/* Worked examples: DSN demonstration file of April 2026, openfisca, Code de la sécurité sociale L911-7. */
#include "tests/unit/common/support.h"

#include "transform/split.h"

static date_t on(const char *text)
{
    date_t d;
    assert_true(date_parse(str_of(text), &d));
    return d;
}

static struct term share_of(int64_t rate_ppm, int64_t share_ppm)
{
    return (struct term){.rate_ppm = rate_ppm, .employer_share_ppm = share_ppm, .price_cents = INT_NONE,
                         .employer_fixed_cents = INT_NONE};
}

static void test_premiums(void **state)
{
    (void)state;
    static const struct { int64_t amount, share_ppm, employer, employee; } cases[] = {
        {11710, 600000, 7026, 4684}, {18690, 600000, 11214, 7476}, {23420, 600000, 14052, 9368},
        {3500, 600000, 2100, 1400},  {4000, 625000, 2500, 1500},   {1, 500000, 1, 0},
        {-1, 500000, -1, 0},         {11711, 500000, 5856, 5855},  {-11711, 500000, -5856, -5855},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct term t = share_of(INT_NONE, cases[i].share_ppm);
        struct shares s = split_amount(cases[i].amount, BASE_NONE, &t);
        assert_int_equal(s.employer_cents, cases[i].employer);
        assert_int_equal(s.employee_cents, cases[i].employee);
    }
}

static void test_fixed_employer_amount_is_capped(void **state)
{
    (void)state;
    static const struct { int64_t amount, fixed, employer; } cases[] = {
        {11710, 9000, 9000}, {6980, 9000, 6980}, {0, 9000, 0}, {-6980, 9000, -6980}, {-11710, 9000, -9000}, {11710, 0, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct term t = {.employer_share_ppm = INT_NONE, .employer_fixed_cents = cases[i].fixed, .rate_ppm = INT_NONE};
        struct shares s = split_amount(cases[i].amount, BASE_NONE, &t);
        assert_int_equal(s.employer_cents, cases[i].employer);
        assert_int_equal(s.employee_cents, cases[i].amount - cases[i].employer);
    }
}

/* T1 at 1.50 % by the employer and TB at 0.565 % each, rounded per tranche and payer. */
static void test_tranches(void **state)
{
    (void)state;
    static const struct { int64_t t1, tb, total, employer; } cases[] = {
        {400500, 120338, 7368, 6688}, {400500, 94770, 7078, 6543}, {376269, 0, 5644, 5644},
        {400500, 86270, 6982, 6495},  {400500, 472700, 11350, 8679}};
    struct term t1 = share_of(15000, PPM_ONE), tb = share_of(11300, 500000);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct base b1 = {cases[i].t1, 1}, b2 = {cases[i].tb, 1};
        int64_t first = split_premium(b1, &t1), second = split_premium(b2, &tb);
        assert_int_equal(first + second, cases[i].total);
        int64_t employer = split_amount(first, b1, &t1).employer_cents +
                           split_amount(second, b2, &tb).employer_cents;
        assert_int_equal(employer, cases[i].employer);
    }
}

/* 1 % of the ceiling for 22 of 31 days: rounded once, at the end. */
static void test_base_that_is_no_whole_cent(void **state)
{
    (void)state;
    struct term all = share_of(10000, PPM_ONE), half = share_of(10000, 500000);
    struct base october = {400500 * 22, 31}, november = {400500 * 21, 30};
    assert_int_equal(base_rounded(october), 284226);
    assert_int_equal(base_rounded(november), 280350);
    assert_int_equal(base_rounded(BASE_NONE), INT_NONE);
    assert_int_equal(split_premium(october, &all), 2842);
    assert_int_equal(split_premium(october, &half), 1421 + 1421);
    static const struct term usury = {.rate_ppm = INT64_MAX, .employer_share_ppm = PPM_ONE / 2};
    assert_int_equal(split_premium((struct base){INT64_MAX, 1}, &usury), MONEY_MOST);
    assert_int_equal(split_premium((struct base){-INT64_MAX, 31}, &usury), -MONEY_MOST);
    assert_int_equal(split_premium((struct base){1, 2}, &(struct term){.rate_ppm = PPM_ONE, .employer_share_ppm = PPM_ONE}), 1);
}

static void test_months(void **state)
{
    (void)state;
    static const struct { const char *from, *to; enum proration proration; int n; int64_t price, first, last; } cases[] = {
        {"2026-04-01", "2026-04-30", PRORATION_NONE, 1, 11710, 11710, 11710},
        {"2026-04-24", "2026-04-30", PRORATION_NONE, 1, 11710, 11710, 11710},
        {"2026-04-10", "2026-04-30", PRORATION_CALENDAR_DAYS, 1, 11710, 8197, 8197},
        {"2026-10-10", "2026-10-31", PRORATION_CALENDAR_DAYS, 1, 400500, 284226, 284226},
        {"2026-11-10", "2026-11-30", PRORATION_CALENDAR_DAYS, 1, 400500, 280350, 280350},
        {"2026-10-01", "2026-10-30", PRORATION_THIRTIETHS, 1, 3000, 3000, 3000},
        {"2026-10-01", "2026-10-31", PRORATION_THIRTIETHS, 1, 3000, 3000, 3000},
        {"2026-10-02", "2026-10-31", PRORATION_THIRTIETHS, 1, 3000, 3000, 3000},
        {"2026-02-01", "2026-02-28", PRORATION_THIRTIETHS, 1, 3000, 3000, 3000},
        {"2026-02-02", "2026-02-28", PRORATION_THIRTIETHS, 1, 3000, 2700, 2700},
        {"2026-01-15", "2026-03-10", PRORATION_CALENDAR_DAYS, 3, 3100, 1700, 1000},
        {"2026-04-02", "2026-04-01", PRORATION_NONE, 0, 0, 0, 0},
        {"2026-04-01", "2029-04-01", PRORATION_NONE, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slice s[SLICES_MAX];
        int n = split_months(on(cases[i].from), on(cases[i].to), cases[i].proration, s);
        assert_int_equal(n, cases[i].n);
        if (!n)
            continue;
        assert_int_equal(s[0].from, on(cases[i].from));
        assert_int_equal(s[n - 1].to, on(cases[i].to));
        assert_int_equal(split_price(cases[i].price, &s[0]), cases[i].first);
        assert_int_equal(split_price(cases[i].price, &s[n - 1]), cases[i].last);
        for (int k = 1; k < n; k++)
            assert_int_equal(s[k].from, s[k - 1].to + 1);
        for (int k = 0; k < n; k++)
            assert_true(month_of(s[k].from) == s[k].month && month_of(s[k].to) == s[k].month);
    }
}

static const struct term *choose(struct term *terms, uint32_t n, const struct term_query *q)
{
    struct contract c = {.terms = {terms, n}};
    return split_term(&c, q);
}

static struct term term(const char *option, const char *population, enum category category)
{
    return (struct term){.option_code = str_of(option), .population_code = str_of(population), .category = (uint8_t)category,
                         .member_type = MEMBER_EMPLOYEE, .basis = BASIS_FIXED, .valid_from = on("2026-01-01"),
                         .valid_to = DATE_NONE, .employer_share_ppm = 600000, .employer_fixed_cents = INT_NONE};
}

static void test_term_that_fits_best(void **state)
{
    (void)state;
    struct term terms[] = {term(NULL, NULL, CATEGORY_ALL), term(NULL, NULL, CATEGORY_EXECUTIVE), term("A", NULL, CATEGORY_ALL),
                           term("A", "P", CATEGORY_ALL), term(NULL, "P", CATEGORY_EXECUTIVE)};
    static const struct { const char *option, *population; enum category category; int best; } cases[] = {
        {NULL, NULL, CATEGORY_NON_EXECUTIVE, 0}, {NULL, NULL, category_null, 0}, {NULL, NULL, CATEGORY_EXECUTIVE, 1},
        {"A", NULL, CATEGORY_EXECUTIVE, 2},      {"A", "P", CATEGORY_EXECUTIVE, 3}, {NULL, "P", CATEGORY_EXECUTIVE, 4},
        {"B", "P", CATEGORY_EXECUTIVE, 4},       {"B", "Q", CATEGORY_NON_EXECUTIVE, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct term_query q = {str_of(cases[i].option), str_of(cases[i].population), cases[i].category, MEMBER_EMPLOYEE,
                               BASIS_FIXED, on("2026-04-01")};
        assert_ptr_equal(choose(terms, COUNT_OF(terms), &q), &terms[cases[i].best]);
    }
}

static void test_no_term_rather_than_a_guess(void **state)
{
    (void)state;
    struct term twice[] = {term(NULL, NULL, CATEGORY_ALL), term(NULL, NULL, CATEGORY_ALL)};
    struct term nobody_pays = term(NULL, NULL, CATEGORY_ALL), ended = nobody_pays, too_much = nobody_pays;
    nobody_pays.employer_share_ppm = INT_NONE;
    ended.valid_to = on("2026-03-31");
    too_much.employer_share_ppm = PPM_ONE + 1;
    struct term_query q = {STR_NULL, STR_NULL, CATEGORY_ALL, MEMBER_EMPLOYEE, BASIS_FIXED, on("2026-04-01")};
    assert_null(choose(twice, 2, &q));
    assert_null(choose(&nobody_pays, 1, &q));
    assert_null(choose(&ended, 1, &q));
    assert_null(choose(&too_much, 1, &q));
    assert_null(choose(NULL, 0, &q));
    q.on = on("2026-03-31");
    assert_ptr_equal(choose(&ended, 1, &q), &ended);
    q.member_type = MEMBER_CHILD;
    assert_null(choose(&ended, 1, &q));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_premiums),           cmocka_unit_test(test_fixed_employer_amount_is_capped),
        cmocka_unit_test(test_tranches),           cmocka_unit_test(test_base_that_is_no_whole_cent),
        cmocka_unit_test(test_months),
        cmocka_unit_test(test_term_that_fits_best), cmocka_unit_test(test_no_term_rather_than_a_guess),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
