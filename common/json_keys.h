/* JSON objects of our own making whose keys are all known, read back through jansson. Integers only. */
#ifndef COMMON_JSON_KEYS_H
#define COMMON_JSON_KEYS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum { JSON_DOCUMENT_BYTES_MAX = 64 << 20 };
#define JSON_COUNT_MAX 1000000000000000 /* of a count: two of them never overflow */

enum json_want { WANT_COUNT, WANT_CENTS, WANT_TEXT, WANT_TEXT_OR_NULL, WANT_LIST, WANT_MAP };

/* ret: int64_t * for COUNT (0..JSON_COUNT_MAX) and CENTS, const char ** for texts, json_t ** for the others. */
struct json_key {
    const char *key;
    enum json_want want;
    void *ret;
};

/* The root of a document without duplicate keys, or NULL with ERR_DATA naming path and line. */
json_t *json_document(const char *text, size_t len, const char *path, struct err *err);

/* Takes every key and no other. Each fault (missing, unknown, wrong type, out of range) is added to err as a line that
 * begins with where; texts belong to the document. False when there is any. */
bool json_take(json_t *object, const struct json_key *keys, size_t n, const char *where, struct err *err);
#define JSON_TAKE(object, keys, where, err) json_take(object, keys, sizeof(keys) / sizeof *(keys), where, err)

#endif
