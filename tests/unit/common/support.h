/* What the tests of common/ share: cmocka with its includes, slices of literals, a fixed sequence of random numbers. */
#ifndef TESTS_UNIT_COMMON_SUPPORT_H
#define TESTS_UNIT_COMMON_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "common/mem.h"
#include "common/str.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* A literal, NULs in it included, as a slice in a table of cases. */
#define TEXT(literal) {literal, sizeof(literal) - 1, false}

/* Splitmix64: the same numbers in every run. */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static inline uint32_t random_below(uint64_t *state, uint32_t n)
{
    return (uint32_t)(random_next(state) % n);
}

/* One random edit of a text of *len bytes with room for one more piece: a byte changed, put in or taken out, or a piece
 * doubled or cut off. */
static inline void random_edit(uint64_t *state, char *text, size_t *len, size_t room)
{
    static const char
        likely[] = "{}[]:,\"\\/bfnrtu0123456789abcdefE+-. \n\t\x1f\x7f\x80\xc3\xa9\xed\xa0\xf0\x9f\x98\x80";
    size_t at = *len ? random_next(state) % *len : 0, piece = 1 + random_next(state) % 8;
    char c = random_below(state, 4) ? likely[random_below(state, sizeof likely - 1)] : (char)random_next(state);
    switch (random_below(state, 5)) {
    case 0:
        if (*len)
            text[at] = c;
        return;
    case 1:
        piece = 1;
        break;
    case 2:
        if (*len) {
            memmove(text + at, text + at + 1, *len - at - 1);
            --*len;
        }
        return;
    case 3:
        if (random_below(state, 8) == 0)
            *len = at;
        return;
    default:
        c = '\0'; /* doubled, not put in */
        break;
    }
    if (piece > *len - at)
        piece = *len - at;
    if (piece == 0 || *len + piece > room)
        return;
    memmove(text + at + piece, text + at, *len - at);
    if (c)
        text[at] = c;
    *len += piece;
}

/* Memory whose last byte lies before a page that cannot be read: reading past a text's end is a crash. */
struct guard {
    char *p;
    size_t size;
};

static inline void guard_open(struct guard *g)
{
    g->size = 1 << 20;
    g->p = mmap(NULL, g->size + 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g->p != MAP_FAILED);
    assert_int_equal(mprotect(g->p + g->size, 65536, PROT_NONE), 0);
}

static inline struct str guard_text(struct guard *g, const char *p, size_t len)
{
    assert_true(len <= g->size);
    return (struct str){memcpy(g->p + g->size - len, p, len), (uint32_t)len, false};
}

static inline void guard_close(struct guard *g)
{
    munmap(g->p, g->size + 65536);
}

#endif
