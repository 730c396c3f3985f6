/* A slice of bytes that somebody else owns: usually the mapped file, else an arena. Null is p == NULL. */
#ifndef COMMON_STR_H
#define COMMON_STR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    uint32_t len;
    bool plain;            /* known to need no escape in JSON: may be written as it is */
};

#define STR_NULL ((struct str){0})
#define STR(literal) ((struct str){literal, sizeof(literal) - 1, true})

static inline struct str str_of(const char *s)
{
    return (struct str){s, s ? (uint32_t)strlen(s) : 0, false};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.p && b.p ? memcmp(a.p, b.p, a.len) == 0 : a.p == b.p);
}

static inline bool str_is(struct str a, const char *s)
{
    return a.p && strlen(s) == a.len && memcmp(a.p, s, a.len) == 0;
}

/* Order of bytes; null first. For sorting that does not depend on the locale. */
int str_cmp(struct str a, struct str b);

/* Whether a control character (below space, or DEL) is in it. */
bool str_has_control(struct str s);

#endif
