/* Money: int64 cents, checked additions, exact shares. No floating point anywhere near it. */
#ifndef COMMON_MONEY_H
#define COMMON_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/str.h"

/* Stands for null in CENTS, PPM and COUNT fields. Never a legal amount. */
#define INT_NONE INT64_MIN

enum { PPM_ONE = 1000000 };

/* *sum += add. False when it would overflow; *sum is then untouched. */
bool money_add(int64_t *sum, int64_t add);

/* The largest amount there is; its negative is the smallest. */
#define MONEY_MOST INT64_MAX

/* amount × num / den, rounded half away from zero; den > 0. Exact through 128 bits; what does not fit int64, which cannot
 * be while 0 <= num <= den, is MONEY_MOST with its sign. */
int64_t money_scale(int64_t amount_cents, int64_t num, int64_t den);

/* The part of amount that share_ppm is (600000: 60 %), rounded half away from zero: -x gives the mirror of x. */
int64_t money_share(int64_t amount_cents, int64_t share_ppm);

/* Spreads total over n parts in proportion to weight[i] >= 0: floor, then one cent each to the largest remainders,
 * ties to the lower index (callers order by employment_id). A negative total is the mirror image. The parts always
 * add up to total. False when all weights are zero; part[] is then untouched. */
bool money_spread(int64_t total_cents, const int64_t *weight, size_t n, int64_t *part_cents);

/* "37.37", "-0.5", "1203": decimal euros to cents, exactly. point is '.' or ','; when it is ',' spaces and no-break
 * spaces (U+00A0, U+202F) may group thousands: "1 203,38", never "10 20". An exponent, a third decimal that is not zero, an empty string, a
 * stray character or an overflow is refused. */
bool money_parse_euros(struct str s, char point, int64_t *ret_cents);

/* s without the sign at its end ("%", "€") and a space in front of that; s itself when it has none. */
struct str money_without_sign(struct str s, const char *sign);

/* "60%", "1,5 %", "0.6" as a ratio: decimal to parts per million; scale 100 for a percentage, 1 for a ratio.
 * More than parts per million can hold is refused. */
bool money_parse_ppm(struct str s, char point, int scale, int64_t *ret_ppm);

/* A JSON or CSV integer: optional sign, digits, no leading zero but "0" itself when strict. False on overflow too. */
bool money_parse_int(struct str s, int64_t *ret);

/* "-1234.56" into at least MONEY_TEXT_MAX bytes; returns text. */
enum { MONEY_TEXT_MAX = 24 };
char *money_text(int64_t cents, char *text);

#endif
