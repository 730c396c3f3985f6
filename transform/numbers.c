#include "transform/numbers.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/mem.h"

/* Eleven bits at a time: a number of nir_parse has 43, a place 31. */
enum { DIGIT_BITS = 11, DIGIT_VALUES = 1 << DIGIT_BITS, DIGITS = 4, MANY = 128 };

static bool before(const struct number *a, const struct number *b)
{
    return a->nir13 != b->nir13 ? a->nir13 < b->nir13 : a->at < b->at;
}

/* The digits of the place, then those of the number. */
static unsigned digit_of(const struct number *x, int digit)
{
    uint64_t key = digit < DIGITS ? (uint64_t)x->at : x->nir13;
    return key >> digit % DIGITS * DIGIT_BITS & (DIGIT_VALUES - 1);
}

/* In order of one digit, else as they came. */
static void distribute(const struct number *from, struct number *to, uint32_t n, int digit)
{
    uint32_t place[DIGIT_VALUES + 1] = {0};
    for (uint32_t i = 0; i < n; i++)
        place[digit_of(&from[i], digit) + 1]++;
    for (int i = 1; i < DIGIT_VALUES; i++)
        place[i] += place[i - 1];
    for (uint32_t i = 0; i < n; i++)
        to[place[digit_of(&from[i], digit)]++] = from[i];
}

static bool places_ascend(const struct number *v, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        if (v[i - 1].at > v[i].at)
            return false;
    return true;
}

static void sort_many(struct number *v, uint32_t n)
{
    struct number *other = mem_take(n * sizeof *other);
    for (int digit = places_ascend(v, n) ? DIGITS : 0; digit < 2 * DIGITS; digit += 2) {
        distribute(v, other, n, digit);
        distribute(other, v, n, digit + 1);
    }
    free(other);
}

static void sort_few(struct number *v, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        const struct number x = v[i];
        uint32_t to = i;
        for (; to && before(&x, &v[to - 1]); to--)
            v[to] = v[to - 1];
        v[to] = x;
    }
}

void numbers_sort(struct number *v, uint32_t n)
{
    if (n < MANY)
        sort_few(v, n);
    else
        sort_many(v, n);
}

uint32_t numbers_alike(const struct number *v, uint32_t n)
{
    uint32_t count = 1;
    while (count < n && v[count].nir13 == v->nir13)
        count++;
    return count;
}

const struct number *number_find(const struct number *v, uint32_t n, uint64_t nir13, uint32_t *ret_count)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (v[middle].nir13 < nir13)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_count = low < n && v[low].nir13 == nir13 ? numbers_alike(v + low, n - low) : 0;
    return v + low;
}
