/* Reading JSON without a tree. The scanner walks bytes that need not end in NUL (4 GiB of them at most); it accepts and
 * rejects what RFC 8259 says, wants valid UTF-8 without lone surrogates, and refuses nesting deeper than J_DEPTH_MAX.
 * A string may hold \u0000: whoever cannot have it refuses it, as the canonical records do.
 * Numbers are never converted on the way: callers get their text, so that money stays exact. */
#ifndef COMMON_JSCAN_H
#define COMMON_JSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "common/mem.h"
#include "common/str.h"

enum { J_DEPTH_MAX = 512, J_VALUES_MAX = 1 << 22 };

struct jscan {
    const char *p, *end;   /* p: next byte to read */
    const char *fault;     /* NULL, or what was expected: a literal */
    const char *fault_at;
};

enum jtype { J_NULL, J_FALSE, J_TRUE, J_NUMBER, J_STRING, J_ARRAY, J_OBJECT };

/* Each returns false and sets fault on malformed input. All skip white space in front of what they read.
 * A string is unescaped into the arena; one without an escape points into the input and is plain. A number is its text,
 * as the grammar allows it. Skip checks any value whole; ret_raw may be NULL. Peek tells a value by its first byte and
 * leaves p there. Punct reads the byte c, or fails with the fault `expected`. End: nothing but white space is left. */
bool jscan_peek(struct jscan *s, enum jtype *ret);
bool jscan_string(struct jscan *s, struct arena *a, struct str *ret);
bool jscan_number(struct jscan *s, struct str *ret);
bool jscan_skip(struct jscan *s, struct str *ret_raw);
bool jscan_punct(struct jscan *s, char c, const char *expected);
bool jscan_end(struct jscan *s);

/* Walks one value piece by piece, without recursion. Zero it to start, with scan set; J_DONE comes behind its last
 * piece. */
enum jstep { J_DONE, J_SCALAR, J_OPEN, J_CLOSE };
struct jwalk {
    struct jscan *scan;
    struct arena *arena;   /* for strings with escapes; NULL: they are checked, not unescaped */
    uint32_t depth;
    uint64_t is_object[J_DEPTH_MAX / 64];  /* one bit a level */
    bool in_object;        /* the bit of the innermost */
    enum { J_AT_START, J_OPENED, J_BEHIND_VALUE } state;
    enum jtype type;       /* of the value that this piece is, opens or closes */
    const char *at;        /* where this piece begins, its key included */
    struct str key;        /* of a SCALAR or OPEN inside an object, else null */
    struct str text;       /* of a SCALAR: string unescaped, number or literal as written */
};
bool jwalk_next(struct jwalk *w, enum jstep *ret);

/* A parsed document: values in document order, each knowing where the next sibling stands, so that a path can be
 * followed without building objects. Made in an arena; strings point into the text or the arena. */
struct jvalue {
    enum jtype type;
    uint32_t next;         /* index of the value behind this one and all inside it */
    uint32_t count;        /* members of an object, elements of an array */
    uint32_t at;           /* offset in the text of the value, or of its key */
    struct str key;        /* null but for members */
    struct str text;       /* strings unescaped, numbers as written, arrays and objects: their raw bytes */
};

struct jdoc {
    struct jvalue *value; /* value[0] is the root */
    uint32_t n;
};

/* Parses the whole of text, of at most J_VALUES_MAX values. Duplicate keys in one object are refused, with the fault
 * jdoc_duplicate_key (compare the pointer). On failure *ret_fault tells what was expected and where. */
extern const char jdoc_duplicate_key[];
bool jdoc_parse(struct str text, struct arena *a, struct jdoc *ret, struct jscan *ret_fault);
/* Member of an object by key, or NULL (also when v is not an object). */
const struct jvalue *jdoc_member(const struct jdoc *d, const struct jvalue *v, struct str key);
/* Follows "a.b.c" from v through objects; NULL where it leads nowhere. */
const struct jvalue *jdoc_path(const struct jdoc *d, const struct jvalue *v, const char *path);
/* The same, for many members of one object asked for in the order in which they stand. *near is 0 at first, and
 * then where the last one was found. */
const struct jvalue *jdoc_path_near(const struct jdoc *d, const struct jvalue *v, const char *path, uint32_t *near);

/* Writes s, which is not null, as a JSON string with quotes; only what must be escaped is. The second one writes to w,
 * where there is room for two quotes and six bytes for each of s, and returns where it ends. */
void jscan_quote(struct buf *b, struct str s);
char *jscan_put_quoted(char *w, struct str s);

/* From inside a string on: the first byte that is not plain ASCII (a quote, a backslash, a control or a non-ASCII byte), or
 * end. */
static inline const char *jscan_plain_end(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(' ');
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* As signed bytes, the non-ASCII ones are below the space too. */
        __m128i hit = _mm_or_si128(_mm_cmplt_epi8(v, space),
                                   _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask)
            return p + __builtin_ctz(mask);
    }
#endif
    while (p < end && (signed char)*p >= ' ' && *p != '"' && *p != '\\')
        p++;
    return p;
}

/* From inside a string on: the first byte that is no part of plain, well-formed text (a quote, a backslash, a control
 * character, a byte that is no UTF-8), or end. */
const char *jscan_text_end(const char *p, const char *end);

/* Well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. */
bool jscan_utf8(struct str s);

#endif
