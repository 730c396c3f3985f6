/* Every textual form of money and of shares, and the arithmetic on them, against whole numbers of 128 bits reckoned
 * here. First byte: which form. */
#include "common/money.h"
#include "extract/value.h"
#include "tests/fuzz/fuzz.h"

__extension__ typedef __int128 wide;

enum { WIDE_DIGITS = 36 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A space, or a no-break space of U+00A0 or U+202F: its bytes, else 0. */
static uint32_t space(struct str s, uint32_t at)
{
    static const char *const spaces[] = {" ", "\xc2\xa0", "\xe2\x80\xaf"};
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(spaces[i]);
        if (s.len - at >= len && memcmp(s.p + at, spaces[i], len) == 0)
            return (uint32_t)len;
    }
    return 0;
}

static uint32_t run_of_digits(struct str s, uint32_t at)
{
    uint32_t n = 0;
    while (at + n < s.len && is_digit(s.p[at + n]))
        n++;
    return n;
}

/* The digits in front of the point, without the spaces between groups of three; false when they are not grouped so. */
static bool whole_part(struct str s, uint32_t *at, bool may_group, char *digits, size_t *n)
{
    uint32_t run = run_of_digits(s, *at), first = run, skip;
    if (run == 0)
        return false;
    for (;;) {
        if (*n + run > WIDE_DIGITS * 4)
            return false;
        memcpy(digits + *n, s.p + *at, run);
        *n += run;
        *at += run;
        skip = may_group && *at < s.len ? space(s, *at) : 0;
        if (!skip)
            return true;
        run = run_of_digits(s, *at + skip);
        if (first > 3 || run != 3)
            return false;
        *at += skip;
    }
}

static bool to_wide(const char *digits, size_t n, wide *ret)
{
    wide value = 0;
    size_t from = 0;
    while (from < n && digits[from] == '0')
        from++;
    for (size_t i = from; i < n && n - from <= WIDE_DIGITS; i++)
        value = value * 10 + (digits[i] - '0');
    *ret = value;
    return n - from <= WIDE_DIGITS;
}

/* [+-] digits [point digits], the decimals beyond `decimals` all zero, times 10^decimals, within ±(2^63 - 1). */
static bool expected_decimal(struct str s, char point, int decimals, int64_t *ret)
{
    char digits[WIDE_DIGITS * 8];
    size_t n = 0;
    uint32_t at = 0;
    wide value;
    bool negative = s.len && s.p[0] == '-';
    at += s.len && (s.p[0] == '-' || s.p[0] == '+');
    if (!whole_part(s, &at, point == ',', digits, &n))
        return false;
    uint32_t behind = 0;
    if (decimals && at < s.len && s.p[at] == point) {
        behind = run_of_digits(s, ++at);
        if (behind == 0)
            return false;
    }
    for (uint32_t i = 0; i < behind || i < (uint32_t)decimals; i++) {
        char c = i < behind ? s.p[at + i] : '0';
        if (i < (uint32_t)decimals)
            digits[n++] = c;
        else if (c != '0')
            return false;
    }
    if (at + behind != s.len || !to_wide(digits, n, &value) || value > INT64_MAX)
        return false;
    *ret = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* The oracle's buffers end somewhere; numbers of so many digits are zeros but for the last few. */
static bool is_long(struct str s)
{
    return s.len > WIDE_DIGITS * 3;
}

static void try_euros(struct str s, char point)
{
    int64_t cents = 77, expected;
    bool good = money_parse_euros(s, point, &cents);
    if (is_long(s))
        return;
    CHECK(good == expected_decimal(s, point, 2, &expected));
    CHECK(good ? cents == expected : cents == 77);
}

static void try_integer(struct str s)
{
    int64_t n = 77, expected;
    bool good = money_parse_int(s, &n);
    if (is_long(s))
        return;
    uint32_t first = s.len && s.p[0] == '-';
    bool strict = !(s.len && s.p[0] == '+') && !(s.len > first + 1 && s.p[first] == '0');
    CHECK(good == (strict && expected_decimal(s, '\0', 0, &expected)));
    CHECK(good ? n == expected : n == 77);
}

static void try_ppm(struct str s, char point, int scale)
{
    int64_t ppm = 77, expected;
    bool good = money_parse_ppm(s, point, scale, &ppm);
    if (is_long(s))
        return;
    struct str number = s;
    if (scale == 100 && s.len && s.p[s.len - 1] == '%') {
        number.len--;
        for (uint32_t bytes = 3; bytes > 0; bytes--)
            if (number.len >= bytes && space(number, number.len - bytes) == bytes) {
                number.len -= bytes;
                break;
            }
    }
    CHECK(good == (expected_decimal(number, point, scale == 100 ? 4 : 6, &expected) && expected >= 0));
    CHECK(good ? ppm == expected : ppm == 77);
}

/* An amount on the wire: with the source's decimal point it must be read; what is read is what one of the two decimal
 * points makes of it. */
static void try_wire(struct str s, char decimal_point, bool is_number)
{
    static const struct field field = {.name = "amount_cents", .type = F_CENTS};
    const struct field_map map = {.field = &field, .type = WIRE_EUROS};
    const struct wire_value v = {.text = s, .is_string = !is_number, .is_number = is_number};
    struct arena a = {0};
    struct faults faults = {0};
    int64_t cents = 77, dot, comma;
    bool good = map_value(&map, &v, decimal_point, &a, &cents, &faults);
    struct str bare = s;
    if (s.len > 3 && memcmp(s.p + s.len - 3, "\xe2\x82\xac", 3) == 0) {
        bare.len -= 3;
        for (uint32_t bytes = 3; bytes > 0; bytes--)
            if (bare.len > bytes && space(bare, bare.len - bytes) == bytes) {
                bare.len -= bytes;
                break;
            }
    }
    if (!is_long(s)) {
        bool as_dot = expected_decimal(bare, '.', 2, &dot);
        bool as_comma = expected_decimal(bare, ',', 2, &comma) && !is_number;
        if (good)
            CHECK((as_dot && cents == dot) || (as_comma && cents == comma));
        if (is_number || decimal_point == '.' ? as_dot : as_comma)
            CHECK(good);
    }
    CHECK(good ? faults.n == 0 : faults.n == 1 && cents == 77);
    arena_free(&a);
}

static int64_t take_int64(struct str *s)
{
    int64_t n = 0;
    size_t len = s->len < sizeof n ? s->len : sizeof n;
    memcpy(&n, s->p, len);
    s->p += len;
    s->len -= (uint32_t)len;
    return n == INT_NONE ? INT64_MAX : n;
}

static void check_spread(int64_t total, const int64_t *weight, size_t n)
{
    int64_t part[8];
    wide weights = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        weights += weight[i];
    bool good = money_spread(total, weight, n, part);
    CHECK(good == (weights > 0));
    for (size_t i = 0; good && i < n; i++) {
        wide off = (wide)part[i] * weights - (wide)total * weight[i];
        CHECK(off < weights && off > -weights);
        sum += part[i];
    }
    CHECK(!good || sum == total);
}

static void try_arithmetic(struct str s)
{
    int64_t amount = take_int64(&s), ppm = take_int64(&s) & 0xfffff, sum = amount, add = take_int64(&s);
    char text[MONEY_TEXT_MAX];
    int64_t back, weight[8];
    size_t n = 0;
    ppm = ppm > PPM_ONE ? PPM_ONE : ppm;
    int64_t share = money_share(amount, ppm);
    wide off = (wide)share * PPM_ONE - (wide)amount * ppm;
    wide beyond = amount < 0 ? -off : off; /* away from zero: a half is rounded there */
    CHECK(beyond * 2 <= PPM_ONE && beyond * 2 > -PPM_ONE);
    CHECK(money_share(-amount, ppm) == -share);
    CHECK(money_parse_euros(str_of(money_text(amount, text)), '.', &back) && back == amount);
    wide exact = (wide)amount + add;
    bool fits = exact <= INT64_MAX && exact >= -INT64_MAX;
    CHECK(money_add(&sum, add) == fits && sum == (fits ? (int64_t)exact : amount));
    while (s.len && n < 8) {
        weight[n] = take_int64(&s);
        weight[n] = weight[n] < 0 ? -weight[n] : weight[n];
        n++;
    }
    check_spread(amount, weight, n);
}

void fuzz_one(struct str text)
{
    switch (fuzz_select(&text, 10)) {
    case 0: try_euros(text, '.'); break;
    case 1: try_euros(text, ','); break;
    case 2: try_integer(text); break;
    case 3: try_ppm(text, '.', 100); break;
    case 4: try_ppm(text, ',', 100); break;
    case 5: try_ppm(text, '.', 1); break;
    case 6: try_wire(text, ',', false); break;
    case 7: try_wire(text, '.', false); break;
    case 8: try_wire(text, ',', true); break;
    default: try_arithmetic(text);
    }
}
