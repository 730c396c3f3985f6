/* Random records of every entity, with jansson as the oracle of both directions. */
#include "tests/unit/common/support.h"

#include <jansson.h>

#include "common/ndjson.h"

enum { RECORDS_PER_ENTITY = 400, EDITS = 100000, DAMAGED = 3, DAMAGED_BYTES_MAX = 3000 };

/* ---- random records ---- */

static struct str random_text(uint64_t *random, struct arena *a, uint32_t max, bool may_be_empty)
{
    static const char *const pieces[] = { "a",
                                          "Z",
                                          "0",
                                          " ",
                                          "/",
                                          "\"",
                                          "\\",
                                          "\n",
                                          "\t",
                                          "\x01",
                                          "\x1f",
                                          "\x7f",
                                          "\xc3\xa9",
                                          "\xe2\x82\xac",
                                          "\xf0\x9f\x98\x80",
                                          "plain piece of text",
                                          "u0041",
                                          "{}",
                                          "null" };
    bool simple = random_below(random, 2);
    uint32_t wanted = random_below(random, 8) == 0 ? max : random_below(random, max < 40 ? max + 1 : 40), len = 0;
    char *text = arena_alloc(a, max + 1);
    while (len < wanted) {
        const char *piece = simple ? "x" : pieces[random_below(random, COUNT_OF(pieces))];
        if (len + strlen(piece) > max)
            piece = "y";
        while (*piece)
            text[len++] = *piece++;
    }
    if (len == 0 && !may_be_empty)
        text[len++] = '-';
    return (struct str){text, len, simple};
}

static int64_t random_integer(uint64_t *random, bool negative)
{
    static const int64_t edges[] = {0, 1, 9, 10, 99999999999999999, 999999999999999999, 1000000000000000000, INT64_MAX};
    int64_t n = random_below(random, 4) ? (int64_t)(random_next(random) >> (1 + random_below(random, 62)))
                                        : edges[random_below(random, COUNT_OF(edges))];
    return negative && random_below(random, 2) ? -n : n;
}

static void random_record(uint64_t *random, const struct record *r, char *rec, struct arena *a);

static struct list random_list(uint64_t *random, const struct field *f, struct arena *a)
{
    size_t size = f->type == F_LIST ? f->sub->size : sizeof(struct str);
    struct list l = {NULL, random_below(random, 7)};
    l.v = l.n ? arena_alloc(a, l.n * size) : NULL;
    for (uint32_t i = 0; i < l.n; i++)
        if (f->type == F_LIST)
            random_record(random, f->sub, list_at(l, size, i), a);
        else
            *(struct str *)list_at(l, size, i) = random_text(random, a, f->max, false);
    return l;
}

static void random_field(uint64_t *random, const struct field *f, void *at, struct arena *a)
{
    date_t day = date_of(1000, 1, 1) + (date_t)random_below(random, 9000 * 365);
    field_init(f, at);
    if (f->need == NEED_OPT && random_below(random, 3) == 0)
        return;
    switch (f->type) {
    case F_TEXT: *(struct str *)at = random_text(random, a, f->max, f->need == NEED_OPT); break;
    case F_ENUM: *(uint8_t *)at = (uint8_t)(1 + random_below(random, (uint32_t)f->values->count - 1)); break;
    case F_CENTS: *(int64_t *)at = random_integer(random, true); break;
    case F_PPM: case F_COUNT: *(int64_t *)at = random_integer(random, false); break;
    case F_DATE: *(date_t *)at = day; break;
    case F_MONTH: *(month_t *)at = month_of(day); break;
    case F_INSTANT: *(instant_t *)at = (instant_t)day * 86400 + random_below(random, 86400); break;
    case F_BOOL: *(int8_t *)at = (int8_t)random_below(random, 2); break;
    case F_TEXTS: case F_LIST: *(struct list *)at = random_list(random, f, a); break;
    }
}

static void random_record(uint64_t *random, const struct record *r, char *rec, struct arena *a)
{
    for (uint32_t i = 0; i < r->n_fields; i++)
        random_field(random, &r->fields[i], rec + r->fields[i].offset, a);
}

/* ---- the same through jansson ---- */

static json_t *json_of(const struct record *r, const char *rec);

static json_t *json_of_text(const struct str *s)
{
    return s->p ? json_stringn(s->p, s->len) : json_null();
}

static json_t *json_of_list(const struct field *f, const struct list *l)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < l->n; i++)
        json_array_append_new(array, f->type == F_LIST ? json_of(f->sub, list_at(*l, f->sub->size, i))
                                                       : json_of_text(list_at(*l, sizeof(struct str), i)));
    return array;
}

static json_t *json_of_field(const struct field *f, const void *at)
{
    char text[INSTANT_TEXT_MAX];
    switch (f->type) {
    case F_TEXT: return json_of_text(at);
    case F_ENUM: return *(const uint8_t *)at ? json_string(f->values->names[*(const uint8_t *)at]) : json_null();
    case F_CENTS: case F_PPM: case F_COUNT:
        return *(const int64_t *)at == INT_NONE ? json_null() : json_integer(*(const int64_t *)at);
    case F_DATE:
        return *(const date_t *)at == DATE_NONE ? json_null() : json_string(date_text(*(const date_t *)at, text));
    case F_MONTH:
        return *(const month_t *)at == MONTH_NONE ? json_null() : json_string(month_text(*(const month_t *)at, text));
    case F_INSTANT:
        return *(const instant_t *)at == INSTANT_NONE ? json_null()
                                                      : json_string(instant_text(*(const instant_t *)at, text));
    case F_BOOL: return *(const int8_t *)at < 0 ? json_null() : json_boolean(*(const int8_t *)at);
    default: return json_of_list(f, at);
    }
}

static json_t *json_of(const struct record *r, const char *rec)
{
    json_t *object = json_object();
    for (uint32_t i = 0; i < r->n_fields; i++)
        json_object_set_new(object, r->fields[i].name, json_of_field(&r->fields[i], rec + r->fields[i].offset));
    return object;
}

/* Nested objects too; nulls are sometimes left out. */
static json_t *shuffled(uint64_t *random, json_t *json)
{
    const char *keys[64];
    size_t n = 0;
    if (json_is_array(json)) {
        json_t *array = json_array();
        for (size_t i = 0; i < json_array_size(json); i++)
            json_array_append_new(array, shuffled(random, json_array_get(json, i)));
        return array;
    }
    if (!json_is_object(json))
        return json_deep_copy(json);
    json_t *object = json_object();
    for (void *it = json_object_iter(json); it; it = json_object_iter_next(json, it))
        keys[n++] = json_object_iter_key(it);
    while (n > 0) {
        size_t pick = random_below(random, (uint32_t)n);
        json_t *value = json_object_get(json, keys[pick]);
        if (!json_is_null(value) || random_below(random, 2))
            json_object_set_new(object, keys[pick], shuffled(random, value));
        keys[pick] = keys[--n];
    }
    return object;
}

/* ---- tests ---- */

struct oracle {
    uint64_t random;
    struct guard guard;
    struct arena arena;
};

static void expect_decoded(struct oracle *o, const struct record *r, const char *rec, const char *line, size_t len)
{
    struct faults faults;
    char *back = arena_alloc(&o->arena, r->size);
    if (!ndjson_decode(r, guard_text(&o->guard, line, len), &o->arena, back, &faults))
        fail_msg("%s: %s: %.*s", r->name, faults.text[0].p, (int)len, line);
    json_t *before = json_of(r, rec), *after = json_of(r, back);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
}

static void check_one(struct oracle *o, const struct record *r)
{
    char *rec = arena_alloc(&o->arena, r->size);
    struct faults faults = {0};
    struct buf line = {0};
    random_record(&o->random, r, rec, &o->arena);
    assert_true(record_check(r, rec, &o->arena, &faults));

    /* What is written is what jansson writes, byte for byte. */
    json_t *json = json_of(r, rec);
    char *dump = json_dumps(json, JSON_COMPACT);
    ndjson_encode(r, rec, &line);
    assert_int_equal(line.len, strlen(dump) + 1);
    assert_memory_equal(line.p, dump, line.len - 1);
    assert_int_equal(line.p[line.len - 1], '\n');
    expect_decoded(o, r, rec, line.p, line.len - 1);

    /* And read in any order, with white space, with every character escaped that can be. */
    json_t *mixed = shuffled(&o->random, json);
    char *spaced = json_dumps(mixed, JSON_INDENT(3)), *ascii = json_dumps(mixed, JSON_ENSURE_ASCII | JSON_ESCAPE_SLASH);
    expect_decoded(o, r, rec, spaced, strlen(spaced));
    expect_decoded(o, r, rec, ascii, strlen(ascii));

    free(spaced);
    free(ascii);
    free(dump);
    json_decref(mixed);
    json_decref(json);
    buf_free(&line);
    arena_reset(&o->arena);
}

static void test_random_records(void **state)
{
    (void)state;
    struct oracle o = {.random = 1};
    guard_open(&o.guard);
    for (const struct record *const *r = record_all; *r; r++)
        for (int i = 0; i < RECORDS_PER_ENTITY; i++)
            check_one(&o, *r);
    guard_close(&o.guard);
    arena_free(&o.arena);
}

/* An instant may have another spelling, a null list is an empty one; every other member has the same value. */
static void expect_same_members(const struct record *r, const json_t *there, const json_t *here)
{
    size_t known = 0;
    for (uint32_t i = 0; i < r->n_fields; i++) {
        const struct field *f = &r->fields[i];
        const json_t *given = json_object_get(there, f->name), *read = json_object_get(here, f->name);
        known += given != NULL;
        if (f->type == F_LIST || f->type == F_TEXTS)
            assert_int_equal(json_array_size(given), json_array_size(read));
        else if (!given || f->type == F_INSTANT)
            assert_int_equal(!given || json_is_null(given), json_is_null(read));
        else if (!json_equal(given, read))
            fail_msg("%s.%s", r->name, f->name);
    }
    assert_int_equal(known, json_object_size(there));
}

/* No edited line is taken for a record unless jansson takes it too, and then both have read the same. */
static bool check_edited(struct oracle *o, const struct record *r, const char *line, size_t len)
{
    char *rec = arena_alloc(&o->arena, r->size);
    struct str edited = guard_text(&o->guard, line, len);
    struct faults faults;
    if (!ndjson_decode(r, edited, &o->arena, rec, &faults)) {
        assert_true(faults.n > 0 && faults.n <= FAULTS_MAX && faults.reason > 0);
        return false;
    }
    json_t *there = json_loadb(edited.p, edited.len, JSON_REJECT_DUPLICATES, NULL), *here = json_of(r, rec);
    if (!there)
        fail_msg("accepted: %.*s", (int)len, edited.p);
    expect_same_members(r, there, here);
    json_decref(there);
    json_decref(here);
    return true;
}

static void test_edited_lines(void **state)
{
    (void)state;
    struct oracle o = {.random = 2};
    const struct record *const *r = record_all;
    int accepted = 0;
    guard_open(&o.guard);
    for (int i = 0; i < EDITS; i++, r = r[1] ? r + 1 : record_all) {
        struct buf line = {0};
        char *rec = arena_alloc(&o.arena, (*r)->size);
        random_record(&o.random, *r, rec, &o.arena);
        ndjson_encode(*r, rec, &line);
        buf_reserve(&line, 64);
        for (uint32_t edits = 1 + random_below(&o.random, 2); edits > 0; edits--)
            random_edit(&o.random, line.p, &line.len, line.cap);
        if (line.len < 1 << 17)
            accepted += check_edited(&o, *r, line.p, line.len);
        buf_free(&line);
        arena_reset(&o.arena);
    }
    assert_true(accepted > EDITS / 20 && accepted < EDITS / 2);
    guard_close(&o.guard);
    arena_free(&o.arena);
}

/* A line cut short anywhere is none; of one closed there, or with another byte, jansson thinks the same. */
static void damage_everywhere(struct oracle *o, const struct record *r, char *line, size_t len)
{
    static const char others[] = "x\"n0-,}]";
    for (size_t at = 0; at < len; at++) {
        char was = line[at];
        assert_false(check_edited(o, r, line, at));
        for (size_t i = 0; i + 1 < sizeof others; i++) {
            line[at] = others[i];
            check_edited(o, r, line, len);
        }
        line[at] = '}';
        check_edited(o, r, line, at + 1);
        line[at] = was;
    }
}

static void test_damage_at_every_byte(void **state)
{
    (void)state;
    struct oracle o = {.random = 3};
    guard_open(&o.guard);
    for (const struct record *const *r = record_all; *r; r++)
        for (int damaged = 0; damaged < DAMAGED;) {
            struct buf line = {0};
            char *rec = arena_alloc(&o.arena, (*r)->size);
            random_record(&o.random, *r, rec, &o.arena);
            ndjson_encode(*r, rec, &line);
            if (line.len <= DAMAGED_BYTES_MAX && ++damaged)
                damage_everywhere(&o, *r, line.p, line.len - 1);
            buf_free(&line);
            arena_reset(&o.arena);
        }
    guard_close(&o.guard);
    arena_free(&o.arena);
}

/* ---- limits ---- */

/* Sets a field to the nth value that its type may not have; false when there is no nth. */
static bool set_forbidden(const struct field *f, void *at, uint32_t nth, struct arena *a)
{
    const date_t early = date_of(1000, 1, 1) - 1, late = date_of(9999, 12, 31) + 1, day = nth ? late : early;
    char *longer = memset(arena_alloc(a, f->max + 1), 'x', f->max + 1);
    const struct str texts[] = {{longer, f->max + 1, true}, TEXT("a\0b"), TEXT("\xed\xa0\x80")};
    switch (f->type) {
    case F_TEXT: return nth < COUNT_OF(texts) && (*(struct str *)at = texts[nth], true);
    case F_ENUM: return nth < 1 && (*(uint8_t *)at = (uint8_t)f->values->count, true);
    case F_PPM: case F_COUNT: return nth < 1 && (*(int64_t *)at = -1, true);
    case F_DATE: return nth < 2 && (*(date_t *)at = day, true);
    case F_MONTH: return nth < 2 && (*(month_t *)at = month_of(day), true);
    case F_INSTANT: return nth < 2 && (*(instant_t *)at = (instant_t)day * 86400, true);
    default: return false;
    }
}

/* Refused for this field alone, by its name. */
static void expect_refused(struct oracle *o, const struct record *r, const void *rec, const struct field *f)
{
    struct faults faults = {0};
    char name[80];
    if (record_check(r, rec, &o->arena, &faults))
        fail_msg("%s: %s may be anything", r->name, f->name);
    snprintf(name, sizeof name, "%s: ", f->name);
    assert_int_equal(faults.n, 1);
    assert_memory_equal(faults.text[0].p, name, strlen(name));
}

static void check_limits(struct oracle *o, const struct record *r)
{
    for (uint32_t i = 0; i < r->n_fields; i++) {
        const struct field *f = &r->fields[i];
        char *rec = arena_alloc(&o->arena, r->size), *at = rec + f->offset;
        struct faults faults = {0};
        random_record(&o->random, r, rec, &o->arena);
        for (uint32_t nth = 0; set_forbidden(f, at, nth, &o->arena); nth++)
            expect_refused(o, r, rec, f);
        field_init(f, at);
        if (f->need == NEED_OPT)
            assert_true(record_check(r, rec, &o->arena, &faults));
        else
            expect_refused(o, r, rec, f);
        if (f->sub)
            check_limits(o, f->sub);
    }
}

static void test_limits_of_every_field(void **state)
{
    (void)state;
    struct oracle o = {.random = 4};
    for (const struct record *const *r = record_all; *r; r++)
        check_limits(&o, *r);
    arena_free(&o.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_records),
        cmocka_unit_test(test_edited_lines),
        cmocka_unit_test(test_damage_at_every_byte),
        cmocka_unit_test(test_limits_of_every_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
