/* Sorting what mostly comes in order. */
#ifndef COMMON_SORT_H
#define COMMON_SORT_H

#include <stddef.h>

/* As qsort_r, but n elements that are in order already are only looked at. */
void sort_if_needed(void *v, size_t n, size_t size, int (*compare)(const void *a, const void *b, void *arg), void *arg);

#endif
