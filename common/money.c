#include "common/money.h"

#include <stdlib.h>

#include "common/mem.h"

__extension__ typedef __int128 int128;

bool money_add(int64_t *sum, int64_t add)
{
    int64_t total;
    if (__builtin_add_overflow(*sum, add, &total) || total == INT_NONE)
        return false;
    *sum = total;
    return true;
}

int64_t money_scale(int64_t amount_cents, int64_t num, int64_t den)
{
    int128 twice = (int128)amount_cents * num * 2;
    int128 half_away = twice < 0 ? twice - den : twice + den;
    return (int64_t)(half_away / ((int128)den * 2));
}

int64_t money_share(int64_t amount_cents, int64_t share_ppm)
{
    return money_scale(amount_cents, share_ppm, PPM_ONE);
}

struct remainder {
    int128 left;
    size_t index;
};

static int by_largest_remainder(const void *a, const void *b)
{
    const struct remainder *x = a, *y = b;
    if (x->left != y->left)
        return x->left > y->left ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

bool money_spread(int64_t total_cents, const int64_t *weight, size_t n, int64_t *part_cents)
{
    int128 weights = 0;
    for (size_t i = 0; i < n; i++)
        weights += weight[i];
    if (weights <= 0)
        return false;
    struct remainder *rest = mem_alloc(n * sizeof *rest);
    int128 total = total_cents < 0 ? -(int128)total_cents : (int128)total_cents;
    int128 missing = total;
    int sign = total_cents < 0 ? -1 : 1;
    for (size_t i = 0; i < n; i++) {
        int128 exact = total * weight[i];
        part_cents[i] = (int64_t)(exact / weights);
        rest[i] = (struct remainder){exact % weights, i};
        missing -= part_cents[i];
    }
    qsort(rest, n, sizeof *rest, by_largest_remainder);
    for (size_t i = 0; (int128)i < missing; i++)
        part_cents[rest[i].index]++;
    for (size_t i = 0; i < n; i++)
        part_cents[i] *= sign;
    free(rest);
    return true;
}

/* U+00A0 and U+202F in UTF-8, or a plain space: bytes to skip, 0 when there is none. */
static uint32_t group_separator(struct str s, uint32_t at)
{
    if (s.p[at] == ' ')
        return 1;
    if (s.len - at >= 2 && memcmp(s.p + at, "\xc2\xa0", 2) == 0)
        return 2;
    if (s.len - at >= 3 && memcmp(s.p + at, "\xe2\x80\xaf", 3) == 0)
        return 3;
    return 0;
}

static bool add_digit(int64_t *value, char digit, int sign)
{
    int64_t next;
    return !__builtin_mul_overflow(*value, 10, &next) &&
           !__builtin_add_overflow(next, sign * (digit - '0'), value);
}

/* A decimal with at most `decimals` digits behind the point that are not trailing zeros, times 10^decimals. */
static bool parse_decimal(struct str s, char point, int decimals, int64_t *ret)
{
    uint32_t at = 0;
    int sign = 1, digits = 0, behind = -1;
    int64_t value = 0;
    if (at < s.len && (s.p[at] == '-' || s.p[at] == '+'))
        sign = s.p[at++] == '-' ? -1 : 1;
    while (at < s.len) {
        char c = s.p[at];
        uint32_t skip = point == ',' && behind < 0 && digits ? group_separator(s, at) : 0;
        if (skip) {
            at += skip;
            continue;
        }
        if (decimals && c == point && behind < 0 && digits) {
            behind = 0;
        } else if (c >= '0' && c <= '9') {
            if (behind < decimals) {
                if (!add_digit(&value, c, sign))
                    return false;
                behind += behind >= 0;
            } else if (c != '0') {
                return false;
            }
            digits++;
        } else {
            return false;
        }
        at++;
    }
    if (!digits || s.p[s.len - 1] == point || s.p[s.len - 1] < '0' || s.p[s.len - 1] > '9')
        return false;
    for (int i = behind < 0 ? 0 : behind; i < decimals; i++)
        if (!add_digit(&value, '0', sign))
            return false;
    if (value == INT_NONE)
        return false;
    *ret = value;
    return true;
}

bool money_parse_euros(struct str s, char point, int64_t *ret_cents)
{
    return parse_decimal(s, point, 2, ret_cents);
}

bool money_parse_ppm(struct str s, char point, int scale, int64_t *ret_ppm)
{
    while (s.len && scale == 100 && (s.p[s.len - 1] == '%' || s.p[s.len - 1] == ' '))
        s.len--;
    int64_t ppm;
    if (!parse_decimal(s, point, scale == 100 ? 4 : 6, &ppm) || ppm < 0)
        return false;
    *ret_ppm = ppm;
    return true;
}

bool money_parse_int(struct str s, int64_t *ret)
{
    uint32_t first = s.len && s.p[0] == '-';
    if (s.len - first > 1 && s.p[first] == '0')
        return false;
    if (s.len && s.p[0] == '+')
        return false;
    return parse_decimal(s, '\0', 0, ret);
}

char *money_text(int64_t cents, char *text)
{
    char reversed[MONEY_TEXT_MAX];
    int n = 0, at = 0;
    uint64_t u = cents < 0 ? 0 - (uint64_t)cents : (uint64_t)cents;
    while (u || n < 4) {
        if (n == 2)
            reversed[n++] = '.';
        reversed[n++] = (char)('0' + u % 10);
        u /= 10;
    }
    if (cents < 0)
        text[at++] = '-';
    while (n)
        text[at++] = reversed[--n];
    text[at] = '\0';
    return text;
}
