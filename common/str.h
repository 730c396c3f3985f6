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

static inline uint64_t str_differ_8(const char *p, const char *q)
{
    uint64_t a, b;
    memcpy(&a, p, sizeof a);
    memcpy(&b, q, sizeof b);
    return a ^ b;
}

/* memcmp(p, q, len) == 0, without a call for the lengths that ids and keys have. */
static inline bool str_same(const char *p, const char *q, size_t len)
{
    if (len < 8 || len > 32)
        return memcmp(p, q, len) == 0;
    /* cppcheck-suppress pointerOutOfBoundsCond ; it takes a literal's length for any length */
    uint64_t differ = str_differ_8(p, q) | str_differ_8(p + (len - 8), q + (len - 8));
    if (len > 16)
        differ |= str_differ_8(p + 8, q + 8);
    if (len > 24)
        differ |= str_differ_8(p + 16, q + 16);
    return !differ;
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.p && b.p ? str_same(a.p, b.p, a.len) : a.p == b.p);
}

static inline bool str_is(struct str a, const char *s)
{
    return a.p && strlen(s) == a.len && memcmp(a.p, s, a.len) == 0;
}

/* memcpy of text that is mostly short, without a call. Returns where it ends. */
static inline char *str_put(char *w, const char *p, size_t len)
{
    if (len > 32 || len < 2) {
        memcpy(w, p, len);
    } else if (len >= 16) {
        memcpy(w, p, 16);
        memcpy(w + len - 16, p + len - 16, 16);
    } else if (len >= 8) {
        memcpy(w, p, 8);
        memcpy(w + len - 8, p + len - 8, 8);
    } else if (len >= 4) {
        memcpy(w, p, 4);
        memcpy(w + len - 4, p + len - 4, 4);
    } else {
        memcpy(w, p, 2);
        memcpy(w + len - 2, p + len - 2, 2);
    }
    return w + len;
}

/* The two digits of n < 100. */
static inline void str_put_pair(char *w, unsigned n)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    memcpy(w, pairs + (size_t)n * 2, 2);
}

/* Order of bytes; null first. For sorting that does not depend on the locale. */
int str_cmp(struct str a, struct str b);

/* Takes the next line off *left, its newline left out; false at the end. */
bool str_next_line(struct str *left, struct str *ret);

/* How many newlines are among these bytes. */
int64_t str_newlines(const char *p, size_t len);

/* Whether a control character (below space, or DEL) is in it. */
bool str_has_control(struct str s);

#endif
