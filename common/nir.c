#include "common/nir.h"

#include <stddef.h>

/* Bytes of a separator that people type into numbers, 0 when there is none at `at`. */
static uint32_t separator(struct str s, uint32_t at, const char *ascii)
{
    if (strchr(ascii, s.p[at]) && s.p[at])
        return 1;
    if (s.len - at >= 2 && memcmp(s.p + at, "\xc2\xa0", 2) == 0)
        return 2;
    if (s.len - at >= 3 && memcmp(s.p + at, "\xe2\x80\xaf", 3) == 0)
        return 3;
    return 0;
}

/* Copies what is no separator; the count, or -1 when there are more than max. */
static int strip(struct str s, const char *ascii, char *out, int max)
{
    int n = 0;
    for (uint32_t at = 0; s.p && at < s.len;) {
        bool alphanumeric = s.p[at] >= '0' && s.p[at] <= 'z'; /* no separator is one of these */
        uint32_t skip = alphanumeric ? 0 : separator(s, at, ascii);
        if (skip) {
            at += skip;
            continue;
        }
        if (n == max)
            return -1;
        out[n++] = s.p[at++];
    }
    return n;
}

static int number(const char *p, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++)
        value = value * 10 + p[i] - '0';
    return value;
}

static bool all_digits(const char *p, int n)
{
    for (int i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return true;
}

/* Department 01..99, or 2A and 2B as 100 and 101; -1: none. That people born before 1976 should carry 20 rather than
 * 2A or 2B is not held against them: numbers of 1953 with 2B are in use. */
static int department(const char *p)
{
    if (p[0] == '2' && (p[1] == 'A' || p[1] == 'a' || p[1] == 'B' || p[1] == 'b'))
        return 100 + (p[1] == 'B' || p[1] == 'b');
    return all_digits(p, 2) && number(p, 2) >= 1 ? number(p, 2) : -1;
}

static bool month_legal(int month)
{
    return (month >= 1 && month <= 12) || month == 20 || (month >= 30 && month <= 42) || month >= 50;
}

static uint64_t pack(int sex, int year, int month, int dept, int commune, int order)
{
    uint64_t n = (uint64_t)sex;
    n = n * 100 + (uint64_t)year;
    n = n * 100 + (uint64_t)month;
    n = n * 200 + (uint64_t)dept;
    n = n * 1000 + (uint64_t)commune;
    return n * 1000 + (uint64_t)order;
}

enum nir_status nir_parse(struct str s, uint64_t *ret_nir13)
{
    char c[15];
    *ret_nir13 = 0;
    int n = strip(s, " .-", c, 15);
    if (n == 0)
        return NIR_ABSENT;
    if ((n != 13 && n != 15) || !all_digits(c, 5) || !all_digits(c + 7, n - 7))
        return NIR_MALFORMED;
    int year = number(c + 1, 2), month = number(c + 3, 2), dept = department(c + 5);
    int commune = number(c + 7, 3), order = number(c + 10, 3);
    if (c[0] == '3' || c[0] == '4' || c[0] == '7' || c[0] == '8')
        return NIR_PROVISIONAL;
    if ((c[0] != '1' && c[0] != '2') || !month_legal(month) || dept < 0 || commune == 0 || order == 0)
        return NIR_MALFORMED;
    int nines = 0;
    while (nines < 13 && c[12 - nines] == '9')
        nines++;
    if (nines > 5)
        return NIR_MALFORMED;
    *ret_nir13 = pack(c[0] - '0', year, month, dept, commune, order);
    return n == 13 || number(c + 13, 2) == nir_key(*ret_nir13) ? NIR_OK : NIR_WRONG_KEY;
}

int nir_key(uint64_t nir13)
{
    static const int corsica[] = {19, 18};
    uint64_t tail = nir13 % 1000000;
    uint64_t head = nir13 / 1000000;
    uint64_t dept = head % 200;
    head /= 200;
    uint64_t decimal = (head * 100 + (dept >= 100 ? (uint64_t)corsica[dept - 100] : dept)) * 1000000 + tail;
    return (int)(97 - decimal % 97);
}

int nir_birth_year(uint64_t nir13)
{
    return (int)(nir13 / 1000000 / 200 / 100 % 100);
}

char *nir_masked(struct str s, char *text)
{
    char c[15];
    int n = strip(s, " .-", c, 15);
    if (n >= 3 && all_digits(c, 3)) {
        memcpy(text, "# ## ** ** *** *** **", 22);
        text[0] = c[0];
        text[2] = c[1];
        text[3] = c[2];
    } else {
        memcpy(text, "* ** ** ** *** *** **", 22);
    }
    return text;
}

static bool luhn(const char *c, int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++) {
        int digit = c[n - 1 - i] - '0';
        if (i % 2) {
            digit *= 2;
            digit -= digit > 9 ? 9 : 0;
        }
        sum += digit;
    }
    return sum % 10 == 0;
}

static bool parse_digits(struct str s, int n, char *ret)
{
    char c[14];
    if (strip(s, " ", c, 14) != n || !all_digits(c, n))
        return false;
    if (ret) {
        memcpy(ret, c, (size_t)n);
        ret[n] = '\0';
    }
    return true;
}

bool siren_parse(struct str s, char *ret)
{
    char c[10];
    if (!parse_digits(s, 9, c) || !luhn(c, 9))
        return false;
    if (ret)
        memcpy(ret, c, sizeof c);
    return true;
}

/* La Poste has more establishments than Luhn allows: the digit sum of all but its head office divides by 5. */
static bool la_poste(const char *c)
{
    return memcmp(c, "356000000", 9) == 0 && memcmp(c + 9, "00048", 5) != 0;
}

static bool sum_divides_by_5(const char *c)
{
    int sum = 0;
    for (int i = 0; i < 14; i++)
        sum += c[i] - '0';
    return sum % 5 == 0;
}

bool siret_parse(struct str s, char *ret)
{
    char c[15];
    if (!parse_digits(s, 14, c))
        return false;
    if (la_poste(c) ? !sum_divides_by_5(c) : !luhn(c, 14) || !luhn(c, 9))
        return false;
    if (ret)
        memcpy(ret, c, sizeof c);
    return true;
}
