/* Social security numbers, SIREN and SIRET as people type them, against the same rules on text. First byte: which. */
#include "common/nir.h"
#include "tests/fuzz/fuzz.h"

enum { KEPT_MAX = 64 };

/* Without what is forgiven between the characters; -1: more than fit. */
static int without_separators(struct str s, const char *ascii, char *ret)
{
    int n = 0;
    for (uint32_t i = 0; i < s.len; i++) {
        if (s.p[i] && strchr(ascii, s.p[i]))
            continue;
        if (s.len - i >= 2 && memcmp(s.p + i, "\xc2\xa0", 2) == 0) {
            i += 1;
        } else if (s.len - i >= 3 && memcmp(s.p + i, "\xe2\x80\xaf", 3) == 0) {
            i += 2;
        } else {
            if (n == KEPT_MAX)
                return -1;
            ret[n++] = s.p[i];
        }
    }
    return n;
}

static bool digits_only(const char *p, int n)
{
    for (int i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return true;
}

static int number(const char *p, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++)
        value = value * 10 + (p[i] - '0');
    return value;
}

static bool is_corsica(const char *p)
{
    return p[5] == '2' && strchr("ABab", p[6]) && p[6];
}

/* 97 less the remainder of the number in which 2A and 2B are 19 and 18, digit by digit. */
static int expected_key(const char *thirteen)
{
    char decimal[13];
    memcpy(decimal, thirteen, sizeof decimal);
    if (is_corsica(decimal)) {
        bool a = decimal[6] == 'A' || decimal[6] == 'a';
        decimal[5] = '1';
        decimal[6] = a ? '9' : '8';
    }
    int rest = 0;
    for (int i = 0; i < 13; i++)
        rest = (rest * 10 + (decimal[i] - '0')) % 97;
    return 97 - rest;
}

static enum nir_status expected_status(const char *c, int n)
{
    if (n == 0)
        return NIR_ABSENT;
    if ((n != 13 && n != 15) || !digits_only(c, 5) || !digits_only(c + 7, n - 7))
        return NIR_MALFORMED;
    if (strchr("3478", c[0]))
        return NIR_PROVISIONAL;
    int month = number(c + 3, 2);
    bool month_good = (month >= 1 && month <= 12) || month == 20 || (month >= 30 && month <= 42) || month >= 50;
    bool department = is_corsica(c) || (digits_only(c + 5, 2) && number(c + 5, 2) > 0);
    bool filler = digits_only(c + 7, 6) && memcmp(c + 7, "999999", 6) == 0;
    if (!strchr("12", c[0]) || !month_good || !department || number(c + 7, 3) == 0 || number(c + 10, 3) == 0 || filler)
        return NIR_MALFORMED;
    return n == 13 || number(c + 13, 2) == expected_key(c) ? NIR_OK : NIR_WRONG_KEY;
}

/* The 13 characters that a number stands for: equal numbers come from equal characters. */
static void check_unpacked(uint64_t nir13, const char *c)
{
    int order = (int)(nir13 % 1000), commune = (int)(nir13 / 1000 % 1000), department = (int)(nir13 / 1000000 % 200);
    uint64_t head = nir13 / 200000000;
    CHECK(order == number(c + 10, 3) && commune == number(c + 7, 3) && head == (uint64_t)number(c, 5));
    CHECK(is_corsica(c) ? department == 100 + (c[6] == 'B' || c[6] == 'b') : department == number(c + 5, 2));
    CHECK(nir_birth_year(nir13) == number(c + 1, 2));
}

static void check_masked(struct str text, const char *c, int n)
{
    char masked[NIR_MASKED_MAX];
    int shown = 0;
    CHECK(nir_masked(text, masked) == masked && strlen(masked) == 21);
    for (int i = 0; i < 21; i++) {
        bool digit = masked[i] >= '0' && masked[i] <= '9';
        CHECK(digit || masked[i] == '*' || masked[i] == ' ');
        if (digit)
            CHECK(n > 0 && masked[i] == c[shown++] && shown <= 3);
    }
}

static void try_nir(struct str text)
{
    char c[KEPT_MAX] = {0};
    uint64_t nir13 = 77;
    int n = without_separators(text, " .-", c);
    enum nir_status status = nir_parse(text, &nir13);
    CHECK(status == expected_status(c, n));
    if (status == NIR_OK || status == NIR_WRONG_KEY) {
        CHECK(nir_key(nir13) == expected_key(c));
        check_unpacked(nir13, c);
    } else {
        CHECK(nir13 == 0);
    }
    check_masked(text, c, n);
}

/* Every second digit from the right doubled, digits of the products added. */
static bool luhn(const char *c, int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++) {
        int twice = (c[i] - '0') * ((n - i) % 2 ? 1 : 2);
        sum += twice / 10 + twice % 10;
    }
    return sum % 10 == 0;
}

static bool expected_siret(const char *c)
{
    int sum = 0;
    for (int i = 0; i < 14; i++)
        sum += c[i] - '0';
    if (memcmp(c, "356000000", 9) == 0 && memcmp(c + 9, "00048", 5) != 0)
        return sum % 5 == 0;
    return luhn(c, 14) && luhn(c, 9);
}

static void try_company_number(struct str text, int length)
{
    char c[KEPT_MAX] = {0}, digits[16] = "untouched";
    int n = without_separators(text, " ", c);
    bool good = n == length && digits_only(c, n) && (n == 9 ? luhn(c, 9) : expected_siret(c));
    CHECK((length == 9 ? siren_parse : siret_parse)(text, digits) == good);
    CHECK((length == 9 ? siren_parse : siret_parse)(text, NULL) == good);
    CHECK(good ? strlen(digits) == (size_t)n && memcmp(digits, c, (size_t)n) == 0 : strcmp(digits, "untouched") == 0);
}

void fuzz_one(struct str text)
{
    switch (fuzz_select(&text, 3)) {
    case 0: try_nir(text); break;
    case 1: try_company_number(text, 9); break;
    default: try_company_number(text, 14);
    }
}
