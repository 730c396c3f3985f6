#include "common/date.h"

/* Days from civil and back: Howard Hinnant, "chrono-compatible low-level date algorithms". */
date_t date_of(int year, int month, int day)
{
    int y = year - (month <= 2);
    int era = (y >= 0 ? y : y - 399) / 400;
    int of_era = y - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void date_civil(date_t d, int *year, int *month, int *day)
{
    int z = d + 719468;
    int era = (z >= 0 ? z : z - 146096) / 146097;
    int of_era = z - era * 146097;
    int y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * y + y / 4 - y / 100);
    int m = (5 * of_year + 2) / 153;
    *day = of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = y + era * 400 + (*month <= 2);
}

/* n digits at p, or -1. */
static int digits(const char *p, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -1;
        value = value * 10 + p[i] - '0';
    }
    return value;
}

static bool civil_check(int year, int month, int day, date_t *ret)
{
    if (year < 1000 || month < 1 || month > 12 || day < 1)
        return false;
    if (day > 28 && day > month_days(year * 12 + month - 1))
        return false;
    *ret = date_of(year, month, day);
    return true;
}

bool date_parse(struct str s, date_t *ret)
{
    if (s.len != 10 || s.p[4] != '-' || s.p[7] != '-')
        return false;
    return civil_check(digits(s.p, 4), digits(s.p + 5, 2), digits(s.p + 8, 2), ret);
}

bool date_parse_french(struct str s, date_t *ret)
{
    if (s.len != 10 || s.p[2] != '/' || s.p[5] != '/')
        return false;
    return civil_check(digits(s.p + 6, 4), digits(s.p + 3, 2), digits(s.p, 2), ret);
}

static char *put_digits(char *p, int value, int n)
{
    for (int i = n - 1; i >= 0; i--) {
        p[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return p + n;
}

char *date_text(date_t d, char *text)
{
    int year, month, day;
    date_civil(d, &year, &month, &day);
    char *p = put_digits(text, year, 4);
    *p++ = '-';
    p = put_digits(p, month, 2);
    *p++ = '-';
    p = put_digits(p, day, 2);
    *p = '\0';
    return text;
}

month_t month_of(date_t d)
{
    int year, month, day;
    date_civil(d, &year, &month, &day);
    return year * 12 + month - 1;
}

date_t month_first(month_t m)
{
    return date_of(m / 12, m % 12 + 1, 1);
}

date_t month_last(month_t m)
{
    return month_first(m + 1) - 1;
}

int month_days(month_t m)
{
    return month_first(m + 1) - month_first(m);
}

bool month_parse(struct str s, month_t *ret)
{
    if (s.len != 7 || s.p[4] != '-')
        return false;
    int year = digits(s.p, 4), month = digits(s.p + 5, 2);
    if (year < 1000 || month < 1 || month > 12)
        return false;
    *ret = year * 12 + month - 1;
    return true;
}

char *month_text(month_t m, char *text)
{
    char *p = put_digits(text, m / 12, 4);
    *p++ = '-';
    p = put_digits(p, m % 12 + 1, 2);
    *p = '\0';
    return text;
}

/* "Z" or "+hh:mm" or "-hh:mm" as seconds east of Greenwich. */
static bool offset_parse(struct str s, int *ret_s)
{
    if (s.len == 1 && (s.p[0] == 'Z' || s.p[0] == 'z')) {
        *ret_s = 0;
        return true;
    }
    if (s.len != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':')
        return false;
    int hours = digits(s.p + 1, 2), minutes = digits(s.p + 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *ret_s = (hours * 3600 + minutes * 60) * (s.p[0] == '-' ? -1 : 1);
    return true;
}

bool instant_parse(struct str s, instant_t *ret)
{
    date_t day;
    int offset_s;
    if (s.len < 20 || !date_parse((struct str){s.p, 10, false}, &day))
        return false;
    if ((s.p[10] != 'T' && s.p[10] != 't') || s.p[13] != ':' || s.p[16] != ':')
        return false;
    int hour = digits(s.p + 11, 2), minute = digits(s.p + 14, 2), second = digits(s.p + 17, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    uint32_t at = 19;
    if (s.p[at] == '.') {
        at++;
        uint32_t from = at;
        while (at < s.len && s.p[at] >= '0' && s.p[at] <= '9')
            at++;
        if (at == from)
            return false;
    }
    if (!offset_parse((struct str){s.p + at, s.len - at, false}, &offset_s))
        return false;
    instant_t t = (instant_t)day * 86400 + hour * 3600 + minute * 60 + (second == 60 ? 59 : second) - offset_s;
    if (instant_date(t) < date_of(1000, 1, 1) || instant_date(t) > date_of(9999, 12, 31))
        return false; /* its text would have no year of four digits */
    *ret = t;
    return true;
}

date_t instant_date(instant_t t)
{
    return (date_t)(t >= 0 ? t / 86400 : -((-t + 86399) / 86400));
}

char *instant_text(instant_t t, char *text)
{
    date_t day = instant_date(t);
    int of_day = (int)(t - (instant_t)day * 86400);
    date_text(day, text);
    char *p = text + 10;
    *p++ = 'T';
    p = put_digits(p, of_day / 3600, 2);
    *p++ = ':';
    p = put_digits(p, of_day / 60 % 60, 2);
    *p++ = ':';
    p = put_digits(p, of_day % 60, 2);
    *p++ = 'Z';
    *p = '\0';
    return text;
}
