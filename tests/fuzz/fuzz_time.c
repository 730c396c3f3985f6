/* Dates, months and instants as text, against a calendar that counts year by year. First byte: which form. */
#include "common/date.h"
#include "tests/fuzz/fuzz.h"

/* The digits at a place of a text that must have exactly them there; -1: it has not. */
static int number(struct str s, uint32_t at, uint32_t n)
{
    int value = 0;
    for (uint32_t i = at; i < at + n; i++) {
        if (i >= s.len || s.p[i] < '0' || s.p[i] > '9')
            return -1;
        value = value * 10 + (s.p[i] - '0');
    }
    return value;
}

static bool has(struct str s, uint32_t at, char c)
{
    return at < s.len && s.p[at] == c;
}

static bool expected_date(struct str s, bool french, int32_t *ret)
{
    if (s.len != 10 || !has(s, french ? 2 : 4, french ? '/' : '-') || !has(s, french ? 5 : 7, french ? '/' : '-'))
        return false;
    int year = number(s, french ? 6 : 0, 4), month = number(s, french ? 3 : 5, 2), day = number(s, french ? 0 : 8, 2);
    return fuzz_days(year, month, day, ret);
}

static void try_date(struct str s, bool french)
{
    date_t d = 77;
    int32_t days;
    char text[DATE_TEXT_MAX];
    bool good = french ? date_parse_french(s, &d) : date_parse(s, &d);
    CHECK(good == expected_date(s, french, &days));
    if (!good) {
        CHECK(d == 77);
        return;
    }
    CHECK(d == days);
    date_text(d, text);
    CHECK(french ? number(str_of(text), 0, 4) == number(s, 6, 4) : str_is(s, text));
    month_t m = month_of(d);
    CHECK(month_first(m) <= d && d <= month_last(m) && month_days(m) == month_last(m) - month_first(m) + 1);
    CHECK(instant_date((instant_t)d * 86400) == d && instant_date((instant_t)d * 86400 + 86399) == d);
}

static void try_month(struct str s)
{
    month_t m = 77;
    char text[MONTH_TEXT_MAX];
    int year = number(s, 0, 4), month = number(s, 5, 2);
    bool good = s.len == 7 && has(s, 4, '-') && year >= 1000 && month >= 1 && month <= 12;
    CHECK(month_parse(s, &m) == good);
    CHECK(good ? m == year * 12 + month - 1 && str_is(s, month_text(m, text)) : m == 77);
}

/* Seconds east of Greenwich of what stands behind the seconds and their fraction. */
static bool expected_offset(struct str s, uint32_t at, int *ret)
{
    *ret = 0;
    if (has(s, at, 'Z') || has(s, at, 'z'))
        return s.len == at + 1;
    int hours = number(s, at + 1, 2), minutes = number(s, at + 4, 2);
    if (!(has(s, at, '+') || has(s, at, '-')) || !has(s, at + 3, ':') || s.len != at + 6 || hours < 0 || hours > 23 ||
        minutes < 0 || minutes > 59)
        return false;
    *ret = (hours * 60 + minutes) * (has(s, at, '-') ? -60 : 60);
    return true;
}

static bool expected_instant(struct str s, instant_t *ret)
{
    int32_t days, first, last;
    int offset, hour = number(s, 11, 2), minute = number(s, 14, 2), second = number(s, 17, 2);
    uint32_t at = 19;
    if (s.len < 20 || !expected_date((struct str){s.p, 10, false}, false, &days))
        return false;
    if (!(has(s, 10, 'T') || has(s, 10, 't')) || !has(s, 13, ':') || !has(s, 16, ':') || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    if (has(s, at, '.'))
        for (at++; number(s, at, 1) >= 0;)
            at++;
    if (at == 20 || !expected_offset(s, at, &offset))
        return false;
    instant_t t = (((instant_t)days * 24 + hour) * 60 + minute) * 60 + (second > 59 ? 59 : second) - offset;
    fuzz_days(1000, 1, 1, &first);
    fuzz_days(9999, 12, 31, &last);
    *ret = t;
    return t >= (instant_t)first * 86400 && t < ((instant_t)last + 1) * 86400;
}

static void try_instant(struct str s)
{
    instant_t t = 77, expected, again;
    char text[INSTANT_TEXT_MAX];
    bool good = instant_parse(s, &t);
    CHECK(good == expected_instant(s, &expected));
    CHECK(good ? t == expected : t == 77);
    if (good)
        CHECK(instant_parse(str_of(instant_text(t, text)), &again) && again == t && strlen(text) == 20);
}

void fuzz_one(struct str text)
{
    switch (fuzz_select(&text, 4)) {
    case 0: try_date(text, false); break;
    case 1: try_date(text, true); break;
    case 2: try_month(text); break;
    default: try_instant(text);
    }
}
