/* Reading JSON without a tree. The scanner walks bytes that need not end in NUL; it accepts and rejects what RFC 8259
 * says, wants valid UTF-8 without lone surrogates, refuses \u0000 and nesting deeper than J_DEPTH_MAX.
 * Numbers are never converted on the way: callers get their text, so that money stays exact. */
#ifndef COMMON_JSCAN_H
#define COMMON_JSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mem.h"
#include "common/str.h"

enum { J_DEPTH_MAX = 512 };

struct jscan {
    const char *p, *end;   /* p: next byte to read */
    const char *fault;     /* NULL, or what was expected: a literal */
    const char *fault_at;
};

enum jtype { J_NULL, J_FALSE, J_TRUE, J_NUMBER, J_STRING, J_ARRAY, J_OBJECT };

/* Each returns false and sets fault on malformed input. All skip white space in front of what they read. */
bool jscan_peek(struct jscan *s, enum jtype *ret);
bool jscan_string(struct jscan *s, struct arena *a, struct str *ret); /* unescaped; points into the input when it has no escape */
bool jscan_number(struct jscan *s, struct str *ret);                  /* its text, as the grammar allows it */
bool jscan_skip(struct jscan *s, struct str *ret_raw);                /* any value, checked whole; ret_raw may be NULL */
bool jscan_end(struct jscan *s);                                      /* nothing but white space is left */

/* A parsed document: values in document order, each knowing where the next sibling stands, so that a path can be
 * followed without building objects. Made in an arena; strings point into the text or the arena. */
struct jvalue {
    enum jtype type;
    uint32_t next;         /* index of the value behind this one and all inside it */
    uint32_t count;        /* members of an object, elements of an array */
    struct str key;        /* null but for members */
    struct str text;       /* strings unescaped, numbers as written, arrays and objects: their raw bytes */
};

struct jdoc {
    struct jvalue *value; /* value[0] is the root */
    uint32_t n;
};

/* Parses the whole of text. Duplicate keys in one object are refused. On failure the scan inside *ret_fault tells where. */
bool jdoc_parse(struct str text, struct arena *a, struct jdoc *ret, struct jscan *ret_fault);
/* Member of an object by key, or NULL (also when v is not an object). */
const struct jvalue *jdoc_member(const struct jdoc *d, const struct jvalue *v, struct str key);
/* Follows "a.b.c" from v through objects; NULL where it leads nowhere. */
const struct jvalue *jdoc_path(const struct jdoc *d, const struct jvalue *v, const char *path);

/* Writes s as a JSON string with quotes; only what must be escaped is. */
void jscan_quote(struct buf *b, struct str s);

#endif
