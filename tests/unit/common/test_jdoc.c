/* Documents, with jansson as the oracle: both accept and reject the same texts and read the same values. */
#include "tests/unit/common/json_cases.h"

#include <jansson.h>

#include "common/jscan.h"

static const char a_page[] =
    "{\"data\":[{\"id\":\"line_1\",\"amount\":117.10,\"member\":{\"firstName\":\"H\xc3\xa9l\xc3\xa8ne\","
    "\"nir\":\"2 95 10 99 126 111 93\"},\"period\":{\"from\":\"2026-04-01\",\"to\":null}},"
    "{\"id\":\"line_2\",\"amount\":-0.5,\"tags\":[]}],\"next\":\"c\\u002f2\",\"total\":2}";
static const char twenty_keys[] =
    "{\"k00\":0,\"k01\":1,\"k02\":2,\"k03\":3,\"k04\":4,\"k05\":5,\"k06\":6,\"k07\":7,\"k08\":8,\"k09\":9,"
    "\"k10\":10,\"k11\":11,\"k12\":12,\"k13\":13,\"k14\":14,\"k15\":15,\"k16\":16,\"k17\":17,\"k18\":18,\"k19\":19}";

static const char *const documents[] = {
    "null",
    " -0 ",
    "1e400",
    "\"text\"",
    "[]",
    "{}",
    "[[],{},[{}],\"\",0,-1.5e-3,true,false,null]",
    "{\"a\":1,\"b\":{\"a\":2,\"b\":[3,{\"a\":4}]},\"\":5}",
    "{\"a\":1,\"\\u0061\":2}",
    "{\"a\":{\"b\":1},\"b\":{\"b\":2}}",
    "[\"\\u00e9\\ud83d\\ude00\\n\\\"\\\\\",\"\xc3\xa9\xf0\x9f\x98\x80\",\"\\u0000\"]",
    "{\"k\\u0000\":1}",
    "[9223372036854775807,-9223372036854775808,9223372036854775808,0.1,100000000000000000000]",
    a_page,
    twenty_keys,
};

/* The document as jansson would hold it; numbers are given to jansson as they are written. */
static json_t *tree_of(const struct jdoc *d, const struct jvalue *v)
{
    json_t *json = v->type == J_OBJECT ? json_object() : v->type == J_ARRAY ? json_array() : NULL;
    uint32_t members = 0;
    switch (v->type) {
    case J_NULL: return json_null();
    case J_TRUE: return json_true();
    case J_FALSE: return json_false();
    case J_STRING: return json_stringn(v->text.p, v->text.len);
    case J_NUMBER: return json_loadb(v->text.p, v->text.len, JSON_DECODE_ANY, NULL);
    default: break;
    }
    for (const struct jvalue *m = v + 1; m < d->value + v->next; m = d->value + m->next, members++)
        if (v->type == J_OBJECT)
            assert_int_equal(json_object_setn_new(json, m->key.p, m->key.len, tree_of(d, m)), 0);
        else
            assert_int_equal(json_array_append_new(json, tree_of(d, m)), 0);
    assert_int_equal(members, v->count);
    assert_int_equal(v->text.p[0], v->type == J_OBJECT ? '{' : '[');
    assert_int_equal(v->text.p[v->text.len - 1], v->type == J_OBJECT ? '}' : ']');
    return json;
}

struct comparison {
    struct guard guard;
    long both, neither, only_here, only_there;
};

/* Where jansson is narrower, because it converts numbers and keeps keys as C strings. */
static bool jansson_is_narrower(const json_error_t *error)
{
    return json_error_code(error) == json_error_numeric_overflow ||
           json_error_code(error) == json_error_null_byte_in_key;
}

static void compare(struct comparison *c, const char *p, size_t len)
{
    struct str text = guard_text(&c->guard, p, len);
    struct arena a = {0};
    struct jdoc d;
    struct jscan fault;
    json_error_t error;
    bool here = jdoc_parse(text, &a, &d, &fault);
    json_t *there = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (memchr(p, '\0', len)) {
        assert_false(here); /* jansson overlooks a NUL right behind a number */
    } else if (here && there) {
        json_t *tree = tree_of(&d, d.value);
        if (!json_equal(tree, there))
            fail_msg("another value: %.*s", (int)len, text.p);
        json_decref(tree);
        c->both++;
    } else if (here) {
        if (!jansson_is_narrower(&error))
            fail_msg("accepted, though %s: %.*s", error.text, (int)len, text.p);
        c->only_here++;
    } else if (there) {
        /* Its limit is 2048 levels. */
        if (strcmp(fault.fault, "no more than 512 levels") != 0)
            fail_msg("rejected, expected %s: %.*s", fault.fault, (int)len, text.p);
        c->only_there++;
    } else {
        c->neither++;
    }
    json_decref(there);
    arena_free(&a);
}

static void compare_case(const struct json_case *c, void *arg)
{
    compare(arg, c->text.p, c->text.len);
}

static void test_same_as_jansson(void **state)
{
    (void)state;
    struct comparison c = {0};
    guard_open(&c.guard);
    for (size_t i = 0; i < COUNT_OF(documents); i++)
        compare(&c, documents[i], strlen(documents[i]));
    json_cases(compare_case, &c);
    assert_true(c.both > 100 && c.neither > 200);
    guard_close(&c.guard);
}

static void test_same_as_jansson_on_edited_documents(void **state)
{
    (void)state;
    struct comparison c = {0};
    uint64_t random = 20260430;
    char text[2048];
    guard_open(&c.guard);
    for (int i = 0; i < 300000; i++) {
        const char *from = documents[random_below(&random, COUNT_OF(documents))];
        size_t len = (size_t)snprintf(text, sizeof text, "%s", from);
        for (uint32_t edits = random_below(&random, 3) + 1; edits > 0; edits--)
            random_edit(&random, text, &len, sizeof text);
        compare(&c, text, len);
    }
    assert_true(c.both > 40000 && c.neither > 50000 && c.only_here > 0 && c.only_there == 0);
    guard_close(&c.guard);
}

static void test_depth_between_the_limits(void **state)
{
    (void)state;
    struct comparison c = {0};
    struct buf b = {0};
    guard_open(&c.guard);
    for (uint32_t depth = J_DEPTH_MAX; depth <= J_DEPTH_MAX + 1; depth++) {
        b.len = 0;
        for (uint32_t i = 0; i < depth; i++)
            buf_addc(&b, '[');
        for (uint32_t i = 0; i < depth; i++)
            buf_addc(&b, ']');
        compare(&c, b.p, b.len);
    }
    assert_int_equal(c.both, 1);
    assert_int_equal(c.only_there, 1);
    buf_free(&b);
    guard_close(&c.guard);
}

static void put_keys(struct buf *b, uint32_t n, uint32_t step)
{
    b->len = 0;
    for (uint32_t i = 0; i < n; i++)
        buf_addf(b, "%c\"key%u\":%u", i ? ',' : '{', i * step % n, i);
}

static void test_wide_objects(void **state)
{
    (void)state;
    static const uint32_t widths[] = {15, 16, 17, 18, 31, 32, 33, 34, 1000, 100000};
    struct arena a = {0};
    struct buf b = {0};
    struct jdoc d;
    struct jscan fault;
    for (size_t i = 0; i < COUNT_OF(widths); i++) {
        put_keys(&b, widths[i], 7919);
        buf_addc(&b, '}');
        assert_true(jdoc_parse((struct str){b.p, (uint32_t)b.len, false}, &a, &d, &fault));
        assert_int_equal(d.value->count, widths[i]);
        put_keys(&b, widths[i], 7919);
        size_t at = b.len + 1;
        buf_adds(&b, ",\"k\\u0065y3\":0,\"key3\":0}");
        assert_false(jdoc_parse((struct str){b.p, (uint32_t)b.len, false}, &a, &d, &fault));
        assert_ptr_equal(fault.fault, jdoc_duplicate_key);
        assert_int_equal(fault.fault_at - b.p, at); /* the first that repeats one */
        arena_reset(&a);
    }
    buf_free(&b);
    arena_free(&a);
}

/* An object is known by the one before only as far as their keys are the same. */
static void test_too_many_values(void **state)
{
    (void)state;
    struct buf b = {0};
    struct arena a = {0};
    struct jdoc d;
    struct jscan fault = {0};
    buf_addc(&b, '[');
    for (uint32_t i = 1; i < J_VALUES_MAX; i++)
        buf_adds(&b, i > 1 ? ",0" : "0");
    buf_addc(&b, ']');
    assert_true(jdoc_parse((struct str){b.p, (uint32_t)b.len, false}, &a, &d, &fault));
    assert_int_equal(d.n, J_VALUES_MAX);
    arena_free(&a);
    b.len--;
    buf_adds(&b, ",0]");
    assert_false(jdoc_parse((struct str){b.p, (uint32_t)b.len, false}, &a, &d, &fault));
    assert_string_equal(fault.fault, "no more than 4194304 values");
    assert_ptr_equal(fault.fault_at, b.p + b.len - 2);
    assert_null(a.block);
    buf_free(&b);
}

static void test_lists_of_objects(void **state)
{
    (void)state;
    static const struct { const char *text; long fault_at;
    } cases[] = {
        { "[{\"a\":1,\"b\":2},{\"a\":3,\"b\":4},{\"b\":5,\"a\":6},{}]", -1 },
        { "[{\"a\":{\"a\":0},\"b\":[]},{\"a\":{\"a\":0},\"b\":[{\"b\":1}]}]", -1 },
        { "[{\"a\":1,\"b\":2},{\"a\":3,\"a\":4}]", 22 },
        { "[{\"a\":1,\"b\":2},{\"a\":3,\"b\":4,\"b\":5}]", 28 },
        { "[{\"a\":1},{\"a\":{\"b\":0,\"b\":0}}]", 21 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena a = {0};
        struct jdoc d;
        struct jscan fault = {0};
        bool ok = jdoc_parse(str_of(cases[i].text), &a, &d, &fault);
        assert_int_equal(ok, cases[i].fault_at < 0);
        if (!ok)
            assert_int_equal(fault.fault_at - cases[i].text, cases[i].fault_at);
        arena_free(&a);
    }
}

static void test_paths(void **state)
{
    (void)state;
    static const struct { const char *path, *text;
    } cases[] = {
        { "a", "1" },
        { "b.c", "two" },
        { "b.d.e", "3" },
        { "b.d.f", NULL },
        { "b", "{\"c\": \"two\", \"d\": {\"e\": 3}}" },
        { "b.d", "{\"e\": 3}" },
        { "list", "[{\"a\": 9}]" },
        { "list.a", NULL },
        { "a.b", NULL },
        { "z", NULL },
        { "c", NULL },
        { "last", "null" },
        { "", "{\"a\": 1, \"b\": {\"c\": \"two\", \"d\": {\"e\": 3}}, \"list\": [{\"a\": 9}], \"last\": null}" },
    };
    struct arena a = {0};
    struct jdoc d;
    struct jscan fault;
    assert_true(jdoc_parse(str_of(cases[COUNT_OF(cases) - 1].text), &a, &d, &fault));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct jvalue *v = jdoc_path(&d, d.value, cases[i].path);
        const char *text = cases[i].text;
        if (v ? !text || !str_is(v->text, text) : text != NULL)
            fail_msg("%s", cases[i].path);
    }
    uint32_t near = 0;
    for (size_t i = 0; i < COUNT_OF(cases) * COUNT_OF(cases); i++) {
        const char *path = cases[i % 2 ? i % COUNT_OF(cases) : i / COUNT_OF(cases)].path;
        assert_ptr_equal(jdoc_path_near(&d, d.value, path, &near), jdoc_path(&d, d.value, path));
    }
    assert_null(jdoc_path_near(&d, NULL, "a", &near));
    assert_null(jdoc_path(&d, NULL, "a"));
    const struct jvalue *e = jdoc_path(&d, d.value, "b.d.e");
    assert_int_equal(e->at, strstr(cases[COUNT_OF(cases) - 1].text, "\"e\"") - cases[COUNT_OF(cases) - 1].text);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_jansson),
        cmocka_unit_test(test_same_as_jansson_on_edited_documents),
        cmocka_unit_test(test_depth_between_the_limits),
        cmocka_unit_test(test_wide_objects),
        cmocka_unit_test(test_too_many_values),
        cmocka_unit_test(test_lists_of_objects),
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
