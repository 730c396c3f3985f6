/* Civil dates, months and instants without a clock, a time zone or the C library's calendar. */
#ifndef COMMON_DATE_H
#define COMMON_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/str.h"

typedef int32_t date_t;    /* days since 1970-01-01 */
typedef int32_t month_t;   /* months since 0000-01: year * 12 + month - 1 */
typedef int64_t instant_t; /* seconds since 1970-01-01T00:00:00Z */

#define DATE_NONE INT32_MIN
#define MONTH_NONE INT32_MIN
#define INSTANT_NONE INT64_MIN

enum { DATE_TEXT_MAX = 16, MONTH_TEXT_MAX = 12, INSTANT_TEXT_MAX = 24 };

date_t date_of(int year, int month, int day);               /* no check */
void date_civil(date_t d, int *year, int *month, int *day);
bool date_parse(struct str s, date_t *ret);                  /* exactly YYYY-MM-DD, years 1000..9999, real days only */
bool date_parse_french(struct str s, date_t *ret);           /* exactly DD/MM/YYYY */
char *date_text(date_t d, char *text);

month_t month_of(date_t d);
date_t month_first(month_t m);
date_t month_last(month_t m);
int month_days(month_t m);
bool month_parse(struct str s, month_t *ret);                /* exactly YYYY-MM */
char *month_text(month_t m, char *text);

/* RFC 3339, any offset, fraction dropped; leap second 60 accepted as 59. Text is always ...Z. */
bool instant_parse(struct str s, instant_t *ret);
char *instant_text(instant_t t, char *text);
date_t instant_date(instant_t t);

#endif
