/* Reading JSON without a tree. The scanner walks bytes that need not end in NUL; it accepts and rejects what RFC 8259
 * says, wants valid UTF-8 without lone surrogates, refuses \u0000 and nesting deeper than JSON_DEPTH_MAX.
 * Numbers are never converted on the way: callers get their text, so that money stays exact. */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mem.h"
#include "common/str.h"

enum { JSON_DEPTH_MAX = 512 };

struct json_scan {
    const char *p, *end;   /* p: next byte to read */
    const char *fault;     /* NULL, or what was expected: a literal */
    const char *fault_at;
};

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Each returns false and sets fault on malformed input. All skip white space in front of what they read. */
bool json_peek(struct json_scan *s, enum json_type *ret);
bool json_string(struct json_scan *s, struct arena *a, struct str *ret); /* unescaped; points into the input when it has no escape */
bool json_number(struct json_scan *s, struct str *ret);                  /* its text, as the grammar allows it */
bool json_skip(struct json_scan *s, struct str *ret_raw);                /* any value, checked whole; ret_raw may be NULL */
bool json_end(struct json_scan *s);                                      /* nothing but white space is left */

/* A parsed document: values in document order, each knowing where the next sibling stands, so that a path can be
 * followed without building objects. Made in an arena; strings point into the text or the arena. */
struct json_value {
    enum json_type type;
    uint32_t next;         /* index of the value behind this one and all inside it */
    uint32_t count;        /* members of an object, elements of an array */
    struct str key;        /* null but for members */
    struct str text;       /* strings unescaped, numbers as written, arrays and objects: their raw bytes */
};

struct json_doc {
    struct json_value *value; /* value[0] is the root */
    uint32_t n;
};

/* Parses the whole of text. Duplicate keys in one object are refused. On failure the scan inside *ret_fault tells where. */
bool json_parse(struct str text, struct arena *a, struct json_doc *ret, struct json_scan *ret_fault);
/* Member of an object by key, or NULL (also when v is not an object). */
const struct json_value *json_member(const struct json_doc *d, const struct json_value *v, struct str key);
/* Follows "a.b.c" from v through objects; NULL where it leads nowhere. */
const struct json_value *json_path(const struct json_doc *d, const struct json_value *v, const char *path);

/* Writes s as a JSON string with quotes; only what must be escaped is. */
void json_write_string(struct buf *b, struct str s);

#endif
