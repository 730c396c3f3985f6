/* Worked examples: DSN demonstration file of April 2026, openfisca, Code de la sécurité sociale R242-2. */
#include "tests/unit/common/support.h"

#include "common/money.h"

static void test_shares(void **state)
{
    (void)state;
    static const struct { int64_t amount, ppm, employer, employee; } cases[] = {
        {11710, 600000, 7026, 4684},  {18690, 600000, 11214, 7476}, {23420, 600000, 14052, 9368},
        {3500, 600000, 2100, 1400},   {4000, 625000, 2500, 1500},   {1, 500000, 1, 0},
        {-1, 500000, -1, 0},          {11711, 500000, 5856, 5855},  {-11711, 500000, -5856, -5855},
        {-11710, 600000, -7026, -4684}, {0, 600000, 0, 0},          {11710, 0, 0, 11710},
        {11710, PPM_ONE, 11710, 0},   {INT64_MAX, PPM_ONE, INT64_MAX, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t employer = money_share(cases[i].amount, cases[i].ppm);
        assert_int_equal(employer, cases[i].employer);
        assert_int_equal(cases[i].amount - employer, cases[i].employee);
    }
}

static void test_share_of_a_reversal_is_the_mirror_image(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int i = 0; i < 10000; i++) {
        int64_t amount = (int64_t)(random_next(&random) % 10000000);
        int64_t ppm = random_below(&random, PPM_ONE + 1);
        assert_int_equal(money_share(amount, ppm) + money_share(-amount, ppm), 0);
        assert_true(money_share(amount, ppm) <= amount);
    }
}

static void test_scale(void **state)
{
    (void)state;
    static const struct { int64_t amount, num, den, result; } cases[] = {
        {400500, 22, 31, 284226}, {400500, 21, 30, 280350},          /* a PMSS for part of a month */
        {400500, 15000, PPM_ONE, 6008}, {120338, 5650, PPM_ONE, 680}, {94770, 5650, PPM_ONE, 535},
        {376269, 15000, PPM_ONE, 5644}, {86270, 5650, PPM_ONE, 487}, {472700, 5650, PPM_ONE, 2671},
        {11710, 15, 30, 5855},
        {5, 1, 2, 3}, {-5, 1, 2, -3}, {4, 1, 3, 1}, {-4, 1, 3, -1}, {1, -1, 2, -1},
        {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}, {-INT64_MAX, 7, 7, -INT64_MAX},
        {INT64_MAX, 3, 2, MONEY_MOST}, {-INT64_MAX, INT64_MAX, 1, -MONEY_MOST}, {INT64_MAX / 2 + 1, 2, 1, MONEY_MOST},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(money_scale(cases[i].amount, cases[i].num, cases[i].den), cases[i].result);
}

static void test_premium_is_rounded_per_tranche_and_payer(void **state)
{
    (void)state;
    static const struct { int64_t t1, tb, premium;
    } cases[] = {
        { 400500, 120338, 7368 }, { 400500, 94770, 7078 },   { 376269, 0, 5644 },
        { 400500, 86270, 6982 },  { 400500, 472700, 11350 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t employer_t1 = money_share(cases[i].t1, 15000);
        int64_t each_tb = money_share(cases[i].tb, 5650);
        assert_int_equal(employer_t1 + each_tb + each_tb, cases[i].premium);
    }
}

static void test_spread(void **state)
{
    (void)state;
    static const struct { int64_t total; size_t n; int64_t weight[4], part[4]; } cases[] = {
        {5, 2, {70, 30}, {4, 1}},
        {800, 3, {1, 1, 1}, {267, 267, 266}},
        {10, 3, {1, 2, 3}, {2, 3, 5}},
        {-5, 2, {70, 30}, {-4, -1}},
        {-800, 3, {1, 1, 1}, {-267, -267, -266}},
        {7, 3, {0, 1, 0}, {0, 7, 0}},
        {0, 2, {3, 4}, {0, 0}},
        {1, 4, {1, 1, 1, 1}, {1, 0, 0, 0}},
        {INT64_MAX, 2, {INT64_MAX, INT64_MAX}, {INT64_MAX / 2 + 1, INT64_MAX / 2}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t part[4];
        assert_true(money_spread(cases[i].total, cases[i].weight, cases[i].n, part));
        for (size_t j = 0; j < cases[i].n; j++)
            assert_int_equal(part[j], cases[i].part[j]);
    }
}

static void test_spread_adds_up(void **state)
{
    (void)state;
    uint64_t random = 2;
    int64_t weight[50], part[50];
    for (int i = 0; i < 2000; i++) {
        size_t n = 1 + random_below(&random, 50);
        int64_t total = (int64_t)(random_next(&random) % 2000000) - 1000000, sum = 0;
        for (size_t j = 0; j < n; j++)
            weight[j] = random_below(&random, 500000);
        weight[0]++;
        assert_true(money_spread(total, weight, n, part));
        for (size_t j = 0; j < n; j++)
            assert_true(money_add(&sum, part[j]));
        assert_int_equal(sum, total);
    }
}

static void test_spread_over_nothing(void **state)
{
    (void)state;
    int64_t part[2] = {11, 12};
    assert_false(money_spread(100, (int64_t[]){0, 0}, 2, part));
    assert_false(money_spread(100, NULL, 0, part));
    assert_int_equal(part[0], 11);
    assert_int_equal(part[1], 12);
}

static void test_add(void **state)
{
    (void)state;
    int64_t sum = INT64_MAX - 1;
    assert_true(money_add(&sum, 1));
    assert_int_equal(sum, INT64_MAX);
    assert_false(money_add(&sum, 1));
    assert_int_equal(sum, INT64_MAX);
    sum = -INT64_MAX;
    assert_false(money_add(&sum, -1)); /* would be INT_NONE */
    assert_false(money_add(&sum, -2));
    assert_int_equal(sum, -INT64_MAX);
}

enum { REFUSED = -77777 };

static void test_euros(void **state)
{
    (void)state;
    static const struct { struct str text; char point; int64_t cents; } cases[] = {
        {TEXT("37.37"), '.', 3737},       {TEXT("37,37"), ',', 3737},      {TEXT("-0.5"), '.', -50},
        {TEXT("1203"), '.', 120300},      {TEXT("0"), '.', 0},             {TEXT("-0.00"), '.', 0},
        {TEXT("37.370"), '.', 3737},      {TEXT("37.371"), '.', REFUSED},  {TEXT("37.3700000001"), '.', REFUSED},
        {TEXT("1 203,38"), ',', 120338},  {TEXT("1\xc2\xa0" "203,38"), ',', 120338},
        {TEXT("1\xe2\x80\xaf" "203\xe2\x80\xaf" "000,5"), ',', 120300050},
        {TEXT("1 203.38"), '.', REFUSED}, {TEXT("37,37"), '.', REFUSED},   {TEXT("37.37"), ',', REFUSED},
        {TEXT(""), '.', REFUSED},         {TEXT("-"), '.', REFUSED},       {TEXT("."), '.', REFUSED},
        {TEXT(".5"), '.', REFUSED},       {TEXT("5."), '.', REFUSED},      {TEXT("1e2"), '.', REFUSED},
        {TEXT("1.5E1"), '.', REFUSED},    {TEXT("1.2.3"), '.', REFUSED},   {TEXT("12 "), ',', REFUSED},
        {TEXT(" 12"), ',', REFUSED},      {TEXT("1 2,3 4"), ',', REFUSED}, {TEXT("0x10"), '.', REFUSED},
        {TEXT("NaN"), '.', REFUSED},      {TEXT("12\xe2\x82\xac"), '.', REFUSED}, {TEXT("--1"), '.', REFUSED},
        {TEXT("92233720368547758.07"), '.', INT64_MAX}, {TEXT("92233720368547758.08"), '.', REFUSED},
        {TEXT("-92233720368547758.07"), '.', -INT64_MAX}, {TEXT("-92233720368547758.08"), '.', REFUSED},
        {TEXT("99999999999999999999"), '.', REFUSED},
        {TEXT("10 20,00"), ',', REFUSED},  {TEXT("1 2,34"), ',', REFUSED},   {TEXT("1203 000"), ',', REFUSED},
        {TEXT("1  203"), ',', REFUSED},    {TEXT("1 203 00"), ',', REFUSED}, {TEXT("-12 203 000"), ',', -1220300000},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t cents = REFUSED;
        bool ok = money_parse_euros(cases[i].text, cases[i].point, &cents);
        if (ok != (cases[i].cents != REFUSED) || cents != cases[i].cents)
            fail_msg("\"%s\" gave %lld", cases[i].text.p, (long long)cents);
    }
}

static void test_ppm(void **state)
{
    (void)state;
    static const struct { struct str text; char point; int scale; int64_t ppm; } cases[] = {
        {TEXT("60%"), '.', 100, 600000},   {TEXT("60"), '.', 100, 600000},   {TEXT("1,5 %"), ',', 100, 15000},
        {TEXT("0.565%"), '.', 100, 5650},  {TEXT("0.6"), '.', 1, 600000},    {TEXT("0.015"), '.', 1, 15000},
        {TEXT("1"), '.', 1, PPM_ONE},      {TEXT("0.00565"), '.', 1, 5650},  {TEXT("0.0000001"), '.', 1, REFUSED},
        {TEXT("0.00001%"), '.', 100, REFUSED}, {TEXT("0.6%"), '.', 1, REFUSED}, {TEXT("-5%"), '.', 100, REFUSED},
        {TEXT(""), '.', 1, REFUSED},       {TEXT("%"), '.', 100, REFUSED},   {TEXT("6e-1"), '.', 1, REFUSED},
        {TEXT("62.5%"), '.', 100, 625000}, {TEXT("1,5\xc2\xa0%"), ',', 100, 15000},
        {TEXT("1,5\xe2\x80\xaf%"), ',', 100, 15000}, {TEXT("60%%"), '.', 100, REFUSED}, {TEXT("60 "), '.', 100, REFUSED},
        {TEXT("60 % %"), '.', 100, REFUSED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ppm = REFUSED;
        bool ok = money_parse_ppm(cases[i].text, cases[i].point, cases[i].scale, &ppm);
        if (ok != (cases[i].ppm != REFUSED) || ppm != cases[i].ppm)
            fail_msg("\"%s\" gave %lld", cases[i].text.p, (long long)ppm);
    }
}

static void test_int(void **state)
{
    (void)state;
    static const struct { struct str text; int64_t value;
    } cases[] = {
        { TEXT("0"), 0 },
        { TEXT("-0"), 0 },
        { TEXT("3737"), 3737 },
        { TEXT("-1"), -1 },
        { TEXT("9223372036854775807"), INT64_MAX },
        { TEXT("-9223372036854775807"), -INT64_MAX },
        { TEXT("-9223372036854775808"), REFUSED },
        { TEXT("9223372036854775808"), REFUSED },
        { TEXT("12345678901234567890123"), REFUSED },
        { TEXT(""), REFUSED },
        { TEXT("-"), REFUSED },
        { TEXT("+1"), REFUSED },
        { TEXT("01"), REFUSED },
        { TEXT("-01"), REFUSED },
        { TEXT("1.0"), REFUSED },
        { TEXT("1e2"), REFUSED },
        { TEXT(" 1"), REFUSED },
        { TEXT("1\0000"), REFUSED },
        { TEXT("1\0"), REFUSED },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t value = REFUSED;
        bool ok = money_parse_int(cases[i].text, &value);
        if (ok != (cases[i].value != REFUSED) || value != cases[i].value)
            fail_msg("\"%s\" gave %lld", cases[i].text.p, (long long)value);
    }
}

static void test_text(void **state)
{
    (void)state;
    static const struct { int64_t cents; const char *text; } cases[] = {
        {0, "0.00"}, {5, "0.05"}, {-5, "-0.05"}, {100, "1.00"}, {-123456, "-1234.56"}, {3737, "37.37"},
        {INT64_MAX, "92233720368547758.07"}, {-INT64_MAX, "-92233720368547758.07"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[MONEY_TEXT_MAX];
        int64_t back;
        assert_string_equal(money_text(cases[i].cents, text), cases[i].text);
        assert_true(money_parse_euros(str_of(text), '.', &back));
        assert_int_equal(back, cases[i].cents);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_share_of_a_reversal_is_the_mirror_image),
        cmocka_unit_test(test_scale),
        cmocka_unit_test(test_premium_is_rounded_per_tranche_and_payer),
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_spread_adds_up),
        cmocka_unit_test(test_spread_over_nothing),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_euros),
        cmocka_unit_test(test_ppm),
        cmocka_unit_test(test_int),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
