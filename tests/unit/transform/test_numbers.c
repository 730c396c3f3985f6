#include "tests/unit/common/support.h"

#include <stdlib.h>

#include "transform/numbers.h"

enum { MOST = 5000 };

static int compare(const void *a, const void *b)
{
    const struct number *x = a, *y = b;
    if (x->nir13 != y->nir13)
        return x->nir13 < y->nir13 ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* Numbers below a limit: the lower, the more of them are there twice. */
static void fill(struct number *v, uint32_t n, uint64_t limit, uint64_t seed)
{
    for (uint32_t i = 0; i < n; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        v[i] = (struct number){seed % limit, (int32_t)(seed >> 40 & 1023)};
    }
}

static void assert_sorted(uint32_t n, uint64_t limit)
{
    static struct number v[MOST], expected[MOST];
    fill(v, n, limit, n + limit);
    memcpy(expected, v, n * sizeof *v);
    qsort(expected, n, sizeof *expected, compare);
    numbers_sort(v, n);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(v[i].nir13 == expected[i].nir13);
        assert_int_equal(v[i].at, expected[i].at);
    }
}

static void test_order(void **state)
{
    static const uint32_t many[] = {0, 1, 2, 20, 127, 128, 129, 1000, MOST};
    static const uint64_t limits[] = {1, 50, 70000, UINT64_C(2999999999999), UINT64_C(1) << 43};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(many); i++)
        for (size_t k = 0; k < COUNT_OF(limits); k++)
            assert_sorted(many[i], limits[k]);
}

static void test_find(void **state)
{
    static const struct number v[] = {{3, 0}, {5, 1}, {5, 4}, {5, 7}, {9, 2}};
    static const struct {
        uint64_t nir13;
        uint32_t first, count;
    } cases[] = {{1, 0, 0}, {3, 0, 1}, {4, 1, 0}, {5, 1, 3}, {9, 4, 1}, {10, 5, 0}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t count;
        const struct number *found = number_find(v, COUNT_OF(v), cases[i].nir13, &count);
        assert_int_equal(found - v, cases[i].first);
        assert_int_equal(count, cases[i].count);
    }
    assert_int_equal(numbers_alike(v + 1, 4), 3);
    assert_int_equal(numbers_alike(v + 4, 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
