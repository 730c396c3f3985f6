#include "common/json_keys.h"

#include <inttypes.h>
#include <string.h>

json_t *json_document(const char *text, size_t len, const char *path, struct err *err)
{
    if (len > JSON_DOCUMENT_BYTES_MAX) {
        err_add(err, ERR_DATA, "%s: %zu bytes, expected at most %d", path, len, JSON_DOCUMENT_BYTES_MAX);
        return NULL;
    }
    json_error_t fault;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &fault);
    if (!root)
        err_add(err, ERR_DATA, "%s:%d: malformed JSON: %s", path, fault.line, fault.text);
    return root;
}

static const char *type_name(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a string";
    case JSON_INTEGER: return "an integer";
    case JSON_REAL: return "a number that is no integer";
    case JSON_NULL: return "null";
    default: return "a boolean";
    }
}

static bool take_integer(const json_t *v, const struct json_key *k, const char *where, struct err *err)
{
    if (!json_is_integer(v))
        return err_add(err, ERR_DATA, "%s.%s: expected an integer, found %s", where, k->key, type_name(v));
    int64_t n = json_integer_value(v);
    if (k->want == WANT_COUNT && (n < 0 || n > JSON_COUNT_MAX))
        return err_add(err, ERR_DATA, "%s.%s: expected 0 to %" PRId64 ", found %" PRId64, where, k->key,
                       (int64_t)JSON_COUNT_MAX, n);
    *(int64_t *)k->ret = n;
    return true;
}

static bool take_text(const json_t *v, const struct json_key *k, const char *where, struct err *err)
{
    bool null = k->want == WANT_TEXT_OR_NULL && json_is_null(v);
    if (!null && !json_is_string(v))
        return err_add(err, ERR_DATA, "%s.%s: expected a string%s, found %s", where, k->key,
                       k->want == WANT_TEXT_OR_NULL ? " or null" : "", type_name(v));
    *(const char **)k->ret = null ? NULL : json_string_value(v);
    return true;
}

static bool take_one(const json_t *object, const struct json_key *k, const char *where, struct err *err)
{
    json_t *v = json_object_get(object, k->key);
    if (!v)
        return err_add(err, ERR_DATA, "%s.%s: missing", where, k->key);
    switch (k->want) {
    case WANT_COUNT:
    case WANT_CENTS:
        return take_integer(v, k, where, err);
    case WANT_TEXT:
    case WANT_TEXT_OR_NULL:
        return take_text(v, k, where, err);
    default:
        break;
    }
    if (k->want == WANT_LIST ? !json_is_array(v) : !json_is_object(v))
        return err_add(err, ERR_DATA, "%s.%s: expected %s, found %s", where, k->key,
                       k->want == WANT_LIST ? "an array" : "an object", type_name(v));
    *(json_t **)k->ret = v;
    return true;
}

static bool is_known(const char *key, const struct json_key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(key, keys[i].key))
            return true;
    return false;
}

bool json_take(json_t *object, const struct json_key *keys, size_t n, const char *where, struct err *err)
{
    if (!json_is_object(object))
        return err_add(err, ERR_DATA, "%s: expected an object, found %s", where, type_name(object));
    bool ok = true;
    for (size_t i = 0; i < n; i++)
        ok = take_one(object, &keys[i], where, err) && ok;
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        if (!is_known(json_object_iter_key(it), keys, n))
            ok = err_add(err, ERR_DATA, "%s: unknown key \"%.64s\"", where, json_object_iter_key(it));
    }
    return ok;
}
