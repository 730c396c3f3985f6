/* A staged line, as transform and load read it. First byte: which record. */
#include <jansson.h>

#include "tests/fuzz/fuzz.h"

static int n_records(void)
{
    int n = 0;
    while (record_all[n])
        n++;
    return n;
}

/* A second reader of JSON, which may only be pickier about numbers that do not fit. */
static void check_json(struct str line)
{
    json_error_t error;
    json_t *root = json_loadb(line.p, line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    CHECK(root && json_is_object(root));
    json_decref(root);
}

void fuzz_one(struct str text)
{
    const struct record *r = record_all[fuzz_select(&text, n_records())];
    struct arena a = {0};
    struct faults faults = {.n = 7};
    void *rec = arena_alloc(&a, r->size);
    if (ndjson_decode(r, text, &a, rec, &faults)) {
        CHECK(faults.n == 0);
        check_json(text);
        CHECK(record_check(r, rec, &a, &faults));
        fuzz_check_line(r, rec);
    } else {
        fuzz_check_faults(&faults);
    }
    arena_free(&a);
}
