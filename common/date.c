#include "common/date.h"

#include <endian.h>

/* Days from civil and back: Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms"
 * (2022). Years begin in March and are counted from far enough back that no date_t is negative. */
#define ERAS 14700u                                      /* of 400 years */
#define EPOCH_DAYS (719468u + UINT64_C(146097) * ERAS)   /* to 1970-01-01 */

date_t date_of(int year, int month, int day)
{
    bool early = month <= 2;
    uint64_t y = (uint64_t)(year + (int)(400 * ERAS) - early), century = y / 100;
    unsigned m = (unsigned)(early ? month + 12 : month);
    return (date_t)((int64_t)(1461 * y / 4 - century + century / 4 + (979 * m - 2919) / 32) + day - 1 - (int64_t)EPOCH_DAYS);
}

void date_civil(date_t d, int *year, int *month, int *day)
{
    uint64_t quarters = 4 * ((uint64_t)d + EPOCH_DAYS) + 3, century = quarters / 146097;
    uint32_t of_century = (uint32_t)(quarters % 146097) | 3;
    uint64_t years = UINT64_C(2939745) * of_century;
    uint32_t of_year = (uint32_t)years / 2939745 / 4;
    uint32_t months = 2141 * of_year + 197913;
    bool early = of_year >= 306;
    *year = (int)(100 * century + (years >> 32)) - (int)(400 * ERAS) + early;
    *month = (int)(months >> 16) - (early ? 12 : 0);
    *day = (int)((months & 0xffff) / 2141) + 1;
}

/* n digits at p, or -1. */
static inline int digits(const char *p, int n)
{
    unsigned value = 0, wrong = 0;
#pragma GCC unroll 4
    for (int i = 0; i < n; i++) {
        unsigned digit = (unsigned)(unsigned char)p[i] - '0';
        wrong |= digit > 9;
        value = value * 10 + digit;
    }
    return wrong ? -1 : (int)value;
}

/* Of a month 1..12; year is not negative. */
static inline int days_of(int year, int month)
{
    if (month == 2)
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
    return 30 + ((month + (month >> 3)) & 1);
}

static inline bool civil_check(int year, int month, int day, date_t *ret)
{
    if (year < 1000 || month < 1 || month > 12 || day < 1)
        return false;
    if (day > 28 && day > days_of(year, month))
        return false;
    *ret = date_of(year, month, day);
    return true;
}

/* "YYYY-MM-" at once: what differs from "0000-00-" must be digits, whose byte plus 0x76 stays below 0x80, and no dash. */
bool date_parse(struct str s, date_t *ret)
{
    uint64_t x;
    if (s.len != 10)
        return false;
    memcpy(&x, s.p, sizeof x);
    x = le64toh(x) ^ 0x2d30302d30303030;
    if (((x + 0x7f76767f76767676) | x) & 0x8080808080808080)
        return false;
    int year = (int)((x & 15) * 1000 + (x >> 8 & 15) * 100 + (x >> 16 & 15) * 10 + (x >> 24 & 15));
    return civil_check(year, (int)((x >> 40 & 15) * 10 + (x >> 48 & 15)), digits(s.p + 8, 2), ret);
}

bool date_parse_french(struct str s, date_t *ret)
{
    if (s.len != 10 || s.p[2] != '/' || s.p[5] != '/')
        return false;
    return civil_check(digits(s.p + 6, 4), digits(s.p + 3, 2), digits(s.p, 2), ret);
}

static char *put_pair(char *p, int value)
{
    str_put_pair(p, (unsigned)value % 100);
    return p + 2;
}

static char *put_year(char *p, int year)
{
    return put_pair(put_pair(p, year / 100), year % 100);
}

char *date_text(date_t d, char *text)
{
    int year, month, day;
    date_civil(d, &year, &month, &day);
    char *p = put_year(text, year);
    *p++ = '-';
    p = put_pair(p, month);
    *p++ = '-';
    p = put_pair(p, day);
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

int month_days(month_t m)
{
    return days_of(m / 12, m % 12 + 1);
}

date_t month_last(month_t m)
{
    return month_first(m) + month_days(m) - 1;
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
    char *p = put_year(text, m / 12);
    *p++ = '-';
    p = put_pair(p, m % 12 + 1);
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
    p = put_pair(p, of_day / 3600);
    *p++ = ':';
    p = put_pair(p, of_day / 60 % 60);
    *p++ = ':';
    p = put_pair(p, of_day % 60);
    *p++ = 'Z';
    *p = '\0';
    return text;
}
