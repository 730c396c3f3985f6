#include "common/sort.h"

#include <stdlib.h>

void sort_if_needed(void *v, size_t n, size_t size, int (*compare)(const void *a, const void *b, void *arg), void *arg)
{
    for (size_t i = 1; i < n; i++)
        if (compare((const char *)v + size * (i - 1), (const char *)v + size * i, arg) > 0) {
            qsort_r(v, n, size, compare, arg);
            return;
        }
}
