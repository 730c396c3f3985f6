/* Whose number is which: NIRs without their keys, as nir_parse gives them. */
#ifndef TRANSFORM_NUMBERS_H
#define TRANSFORM_NUMBERS_H

#include <stdint.h>

struct number {
    uint64_t nir13;
    int32_t at;      /* whose it is */
};

/* Puts n of them in order of number, then of `at`. */
void numbers_sort(struct number *v, uint32_t n);
/* How many from the first on have its number; n is at least 1. */
uint32_t numbers_alike(const struct number *v, uint32_t n);
/* The first of those in order that have this number, and how many there are. */
const struct number *number_find(const struct number *v, uint32_t n, uint64_t nir13, uint32_t *ret_count);

#endif
