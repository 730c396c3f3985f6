/* Any JSON text: jdoc_parse and the walk beneath it against jansson, which was written by others. */
#include <jansson.h>

#include "tests/fuzz/fuzz.h"

static void compare(const struct jdoc *d, const struct jvalue *v, json_t *j);

static void compare_text(struct str text, const char *p, size_t len)
{
    CHECK(text.len == len && memcmp(text.p, p, len) == 0);
}

static void compare_object(const struct jdoc *d, const struct jvalue *v, json_t *j)
{
    void *it = json_object_iter(j);
    for (const struct jvalue *m = v + 1; m < d->value + v->next; m = d->value + m->next) {
        CHECK(it);
        compare_text(m->key, json_object_iter_key(it), strlen(json_object_iter_key(it)));
        CHECK(jdoc_member(d, v, m->key) == m);
        compare(d, m, json_object_iter_value(it));
        it = json_object_iter_next(j, it);
    }
    CHECK(!it && v->count == json_object_size(j));
}

static void compare_array(const struct jdoc *d, const struct jvalue *v, json_t *j)
{
    size_t i = 0;
    for (const struct jvalue *e = v + 1; e < d->value + v->next; e = d->value + e->next)
        compare(d, e, json_array_get(j, i++));
    CHECK(i == json_array_size(j) && v->count == i);
}

static void compare_number(struct str text, const json_t *j)
{
    int64_t n;
    if (json_is_integer(j) && json_integer_value(j) != INT_NONE)
        CHECK(money_parse_int(text, &n) && n == json_integer_value(j));
    else
        CHECK(!money_parse_int(text, &n));
}

/* What was unescaped, quoted again, is read as the same text. */
static void check_quote(struct str text)
{
    struct buf b = {0};
    struct arena a = {0};
    struct str again;
    jscan_quote(&b, text);
    struct jscan s = {.p = b.p, .end = b.p + b.len};
    CHECK(jscan_string(&s, &a, &again) && jscan_end(&s));
    compare_text(again, text.p, text.len);
    buf_free(&b);
    arena_free(&a);
}

static void compare(const struct jdoc *d, const struct jvalue *v, json_t *j)
{
    switch (v->type) {
    case J_NULL: CHECK(json_is_null(j)); break;
    case J_FALSE: CHECK(json_is_false(j)); break;
    case J_TRUE: CHECK(json_is_true(j)); break;
    case J_NUMBER:
        CHECK(json_is_number(j));
        compare_number(v->text, j);
        break;
    case J_STRING:
        CHECK(json_is_string(j));
        compare_text(v->text, json_string_value(j), json_string_length(j));
        check_quote(v->text);
        break;
    case J_ARRAY:
        CHECK(json_is_array(j));
        compare_array(d, v, j);
        break;
    case J_OBJECT:
        CHECK(json_is_object(j));
        compare_object(d, v, j);
        break;
    }
}

/* jansson refuses numbers beyond its types and U+0000 in keys; jdoc_parse refuses more than J_DEPTH_MAX levels. */
static bool may_differ(const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);
    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key;
}

static bool is_deep(struct str text)
{
    int depth = 0;
    for (uint32_t i = 0; i < text.len && depth <= J_DEPTH_MAX; i++)
        depth += text.p[i] == '[' || text.p[i] == '{';
    return depth > J_DEPTH_MAX;
}

static void check_skip(struct str text, bool good)
{
    struct jscan s = {.p = text.p, .end = text.p + text.len};
    struct str raw;
    bool skipped = jscan_skip(&s, &raw) && jscan_end(&s);
    CHECK(skipped || !good);
    if (skipped)
        CHECK(raw.p >= text.p && raw.p + raw.len <= text.p + text.len && raw.len > 0);
    else
        CHECK(s.fault && s.fault_at >= text.p && s.fault_at <= text.p + text.len);
}

void fuzz_one(struct str text)
{
    struct arena a = {0};
    struct jdoc d;
    struct jscan fault = {0};
    json_error_t error;
    json_t *j = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    bool good = jdoc_parse(text, &a, &d, &fault);
    if (text.len && memchr(text.p, '\0', text.len))
        CHECK(!good); /* jansson passes over it */
    else if (good && j)
        compare(&d, d.value, j);
    else if (good)
        CHECK(may_differ(&error));
    else
        CHECK((!j || is_deep(text)) && fault.fault && fault.fault_at >= text.p && fault.fault_at <= text.p + text.len);
    check_skip(text, good);
    json_decref(j);
    arena_free(&a);
}
