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
    int64_t small;
    if (num == den)
        return amount_cents;
    if (den <= INT64_MAX / 2 && !__builtin_mul_overflow(amount_cents, num, &small) &&
        !__builtin_mul_overflow(small, 2, &small) && !__builtin_add_overflow(small, small < 0 ? -den : den, &small))
        return small / (den * 2); /* 128 bits are divided by a call */
    int128 twice = (int128)amount_cents * num * 2;
    int128 half_away = twice < 0 ? twice - den : twice + den;
    int128 scaled = half_away / ((int128)den * 2);
    return scaled > MONEY_MOST ? MONEY_MOST : scaled < -MONEY_MOST ? -MONEY_MOST : (int64_t)scaled;
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
    if (n == 1) {
        *part_cents = total_cents;
        return true;
    }
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

/* A space, and U+00A0 and U+202F in UTF-8. */
static const struct str SPACES[] = {{" ", 1, false}, {"\xc2\xa0", 2, false}, {"\xe2\x80\xaf", 3, false}};
enum { N_SPACES = sizeof SPACES / sizeof *SPACES };

/* The bytes of the space at `at`, 0 when there is none. */
static uint32_t space_at(struct str s, uint32_t at)
{
    for (int i = 0; i < N_SPACES; i++)
        if (s.len - at >= SPACES[i].len && memcmp(s.p + at, SPACES[i].p, SPACES[i].len) == 0)
            return SPACES[i].len;
    return 0;
}

struct str money_without_sign(struct str s, const char *sign)
{
    uint32_t len = (uint32_t)strlen(sign);
    if (s.len <= len || memcmp(s.p + s.len - len, sign, len) != 0)
        return s;
    s.len -= len;
    for (int i = 0; i < N_SPACES; i++) {
        uint32_t space = SPACES[i].len;
        if (s.len > space && memcmp(s.p + s.len - space, SPACES[i].p, space) == 0) {
            s.len -= space;
            break;
        }
    }
    return s;
}

static bool add_digit(int64_t *value, char digit, int sign)
{
    int64_t next;
    return !__builtin_mul_overflow(*value, 10, &next) &&
           !__builtin_add_overflow(next, sign * (digit - '0'), value);
}

static uint32_t digits_at(struct str s, uint32_t at)
{
    uint32_t n = 0;
    while (at + n < s.len && s.p[at + n] >= '0' && s.p[at + n] <= '9')
        n++;
    return n;
}

/* The digits in front of the point. Spaces may only stand where they group thousands: "10 20" is two numbers. */
static bool whole_part(struct str s, uint32_t *at, bool may_group, int sign, int64_t *value)
{
    uint32_t first = digits_at(s, *at), run = first;
    while (run > 0) {
        for (uint32_t i = 0; i < run; i++)
            if (!add_digit(value, s.p[*at + i], sign))
                return false;
        *at += run;
        uint32_t space = may_group && *at < s.len ? space_at(s, *at) : 0;
        if (!space)
            return true;
        run = digits_at(s, *at + space);
        if (first > 3 || run != 3)
            return false;
        *at += space;
    }
    return false;
}

/* A decimal with at most `decimals` digits behind the point that are not trailing zeros, times 10^decimals. */
static bool parse_decimal(struct str s, char point, uint32_t decimals, int64_t *ret)
{
    int64_t value = 0;
    uint32_t at = s.len && (s.p[0] == '-' || s.p[0] == '+'), behind = 0;
    int sign = at && s.p[0] == '-' ? -1 : 1;
    if (!whole_part(s, &at, point == ',', sign, &value))
        return false;
    if (decimals && at < s.len && s.p[at] == point) {
        behind = digits_at(s, ++at);
        if (behind == 0)
            return false;
    }
    for (uint32_t i = 0; i < behind || i < decimals; i++) {
        char digit = i < behind ? s.p[at + i] : '0';
        if (i < decimals ? !add_digit(&value, digit, sign) : digit != '0')
            return false;
    }
    if (at + behind != s.len || value == INT_NONE)
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
    int64_t ppm;
    if (scale == 100)
        s = money_without_sign(s, "%");
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
