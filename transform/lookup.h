/* Finding records of one company by a text key: a hash table of positions over an array that does not move. */
#ifndef TRANSFORM_LOOKUP_H
#define TRANSFORM_LOOKUP_H

#include "common/mem.h"
#include "common/str.h"

struct lookup {
    const char *base;      /* the array */
    size_t stride, key;    /* size of an element, offset of its struct str */
    uint32_t *slot;        /* position + 1 in the bits of mask, above them those of the key's hash; 0: free */
    uint32_t mask, n;      /* n: keys */
};

enum { LOOKUP_NONE = -1 };

/* FNV-1a going on from h, for tables of what has more than one key; HASH_START is where nothing went before. */
#define HASH_START 2166136261u
static inline uint32_t hash_more(uint32_t h, struct str s)
{
    for (uint32_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.p[i]) * 16777619u;
    return h;
}

/* Indexes n elements; for equal keys the first one is found. The array must outlive the lookup. */
void lookup_build(struct lookup *l, struct arena *a, const void *v, uint32_t n, size_t stride, size_t key);
/* Room for `most` elements that are added one by one with lookup_add. */
void lookup_reserve(struct lookup *l, struct arena *a, const void *v, uint32_t most, size_t stride, size_t key);
void lookup_add(struct lookup *l, uint32_t position);
/* The position of the element with this key, or LOOKUP_NONE (always for a null key). */
int64_t lookup_find(const struct lookup *l, struct str key);

/* The same for n elements among which equal keys stand together, when keys are mostly asked for in their order: looks at the
 * place found last and at those right behind it first. *near: that place, to start with 0; kept when there is none. */
int64_t lookup_find_near(const struct lookup *l, struct str key, uint32_t n, uint32_t *near);

#define LOOKUP_BUILD(l, a, v, n, type, field) lookup_build(l, a, v, n, sizeof(struct type), offsetof(struct type, field))

#endif
