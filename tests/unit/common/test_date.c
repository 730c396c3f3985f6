#include "tests/unit/common/support.h"

#include "common/date.h"

static void test_days_follow_each_other(void **state)
{
    (void)state;
    date_t last = date_of(2500, 1, 1), expected = date_of(1580, 1, 1);
    int year = 1580, month = 1, day = 1;
    assert_int_equal(date_of(1970, 1, 1), 0);
    assert_int_equal(date_of(2000, 3, 1), 11017);
    for (date_t d = expected; d < last; d++) {
        int y, m, n;
        date_civil(d, &y, &m, &n);
        assert_true(y == year && m == month && n == day);
        assert_int_equal(date_of(y, m, n), d);
        bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
        int days = m == 2 ? 28 + leap : m == 4 || m == 6 || m == 9 || m == 11 ? 30 : 31;
        if (++day > days) {
            assert_int_equal(month_days(month_of(d)), days);
            assert_int_equal(month_last(month_of(d)), d);
            day = 1;
            month = month % 12 + 1;
            year += month == 1;
        }
    }
}

static void test_parse(void **state)
{
    (void)state;
    static const struct { struct str text; bool french, ok; int year, month, day; } cases[] = {
        {TEXT("2026-04-30"), false, true, 2026, 4, 30}, {TEXT("2024-02-29"), false, true, 2024, 2, 29},
        {TEXT("2000-02-29"), false, true, 2000, 2, 29}, {TEXT("1000-01-01"), false, true, 1000, 1, 1},
        {TEXT("9999-12-31"), false, true, 9999, 12, 31}, {TEXT("1969-12-31"), false, true, 1969, 12, 31},
        {TEXT("31/12/2026"), true, true, 2026, 12, 31}, {TEXT("29/02/2024"), true, true, 2024, 2, 29},
        {TEXT("2026-02-29"), false, false, 0, 0, 0}, {TEXT("1900-02-29"), false, false, 0, 0, 0},
        {TEXT("2026-04-31"), false, false, 0, 0, 0}, {TEXT("2026-13-01"), false, false, 0, 0, 0},
        {TEXT("2026-00-01"), false, false, 0, 0, 0}, {TEXT("2026-01-00"), false, false, 0, 0, 0},
        {TEXT("0999-01-01"), false, false, 0, 0, 0}, {TEXT("2026-4-30"), false, false, 0, 0, 0},
        {TEXT("2026-04-30 "), false, false, 0, 0, 0}, {TEXT("2026/04/30"), false, false, 0, 0, 0},
        {TEXT("20260430"), false, false, 0, 0, 0}, {TEXT(""), false, false, 0, 0, 0}, {{0}, false, false, 0, 0, 0},
        {TEXT("2026-04-3o"), false, false, 0, 0, 0}, {TEXT("+026-04-30"), false, false, 0, 0, 0},
        {TEXT("12/31/2026"), true, false, 0, 0, 0}, {TEXT("2026-12-31"), true, false, 0, 0, 0},
        {TEXT("31-12-2026"), true, false, 0, 0, 0}, {TEXT("30/02/2026"), true, false, 0, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        date_t d = DATE_NONE;
        bool ok = cases[i].french ? date_parse_french(cases[i].text, &d) : date_parse(cases[i].text, &d);
        if (ok != cases[i].ok)
            fail_msg("\"%s\"", cases[i].text.p);
        assert_int_equal(d, ok ? date_of(cases[i].year, cases[i].month, cases[i].day) : DATE_NONE);
    }
}

static void test_text(void **state)
{
    (void)state;
    char text[INSTANT_TEXT_MAX];
    assert_string_equal(date_text(date_of(2026, 4, 30), text), "2026-04-30");
    assert_string_equal(date_text(date_of(1000, 1, 1), text), "1000-01-01");
    assert_string_equal(month_text(2026 * 12 + 3, text), "2026-04");
    assert_string_equal(instant_text(0, text), "1970-01-01T00:00:00Z");
    assert_string_equal(instant_text(-1, text), "1969-12-31T23:59:59Z");
}

static void test_months(void **state)
{
    (void)state;
    static const struct { struct str text; month_t month;
    } cases[] = {
        { TEXT("2026-04"), 2026 * 12 + 3 }, { TEXT("2026-12"), 2026 * 12 + 11 }, { TEXT("1000-01"), 12000 },
        { TEXT("2026-13"), MONTH_NONE },    { TEXT("2026-00"), MONTH_NONE },     { TEXT("2026-4"), MONTH_NONE },
        { TEXT("0999-12"), MONTH_NONE },    { TEXT("2026/04"), MONTH_NONE },     { TEXT("2026-04-01"), MONTH_NONE },
        { TEXT(""), MONTH_NONE },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        month_t m = MONTH_NONE;
        assert_int_equal(month_parse(cases[i].text, &m), cases[i].month != MONTH_NONE);
        assert_int_equal(m, cases[i].month);
    }
    assert_int_equal(month_of(date_of(2026, 12, 31)) + 1, month_of(date_of(2027, 1, 1)));
    assert_int_equal(month_first(month_of(date_of(2024, 2, 29))), date_of(2024, 2, 1));
    assert_int_equal(month_last(month_of(date_of(2024, 2, 1))), date_of(2024, 2, 29));
}

static void test_instants(void **state)
{
    (void)state;
    static const struct { struct str text; const char *utc;
    } cases[] = {
        { TEXT("2026-04-30T12:00:00Z"), "2026-04-30T12:00:00Z" },
        { TEXT("2026-04-30t12:00:00z"), "2026-04-30T12:00:00Z" },
        { TEXT("2026-05-01T01:30:00+02:00"), "2026-04-30T23:30:00Z" },
        { TEXT("2026-04-30T22:30:00-05:30"), "2026-05-01T04:00:00Z" },
        { TEXT("2026-04-30T12:00:00.999999Z"), "2026-04-30T12:00:00Z" },
        { TEXT("2016-12-31T23:59:60Z"), "2016-12-31T23:59:59Z" },
        { TEXT("1969-12-31T23:59:59.5+00:00"), "1969-12-31T23:59:59Z" },
        { TEXT("2026-04-30T12:00:00"), NULL },
        { TEXT("2026-04-30 12:00:00Z"), NULL },
        { TEXT("2026-04-30T24:00:00Z"), NULL },
        { TEXT("2026-04-30T12:60:00Z"), NULL },
        { TEXT("2026-04-30T12:00:61Z"), NULL },
        { TEXT("2026-04-31T12:00:00Z"), NULL },
        { TEXT("2026-04-30T12:00:00.Z"), NULL },
        { TEXT("2026-04-30T12:00:00+0200"), NULL },
        { TEXT("2026-04-30T12:00:00+24:00"), NULL },
        { TEXT("2026-04-30T12:00Z"), NULL },
        { TEXT("2026-04-30"), NULL },
        { TEXT(""), NULL },
        { TEXT("2026-04-30T12:00:00Zx"), NULL },
        { TEXT("2026-04-30T12:00:00.5"), NULL },
        { TEXT("9999-12-31T23:59:59-00:01"), NULL },
        { TEXT("1000-01-01T00:00:00+00:01"), NULL }, /* no year of four digits */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        instant_t t = INSTANT_NONE;
        char text[INSTANT_TEXT_MAX];
        if (instant_parse(cases[i].text, &t) != (cases[i].utc != NULL))
            fail_msg("\"%s\"", cases[i].text.p);
        if (cases[i].utc)
            assert_string_equal(instant_text(t, text), cases[i].utc);
        else
            assert_true(t == INSTANT_NONE);
    }
    assert_int_equal(instant_date(-1), -1);
    assert_int_equal(instant_date(-86400), -1);
    assert_int_equal(instant_date(86399), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days_follow_each_other), cmocka_unit_test(test_parse), cmocka_unit_test(test_text),
        cmocka_unit_test(test_months), cmocka_unit_test(test_instants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
