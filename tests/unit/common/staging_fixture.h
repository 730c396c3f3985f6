/* What the tests of the staging directory share: a scratch folder and a small output to write, break and read. */
#ifndef TESTS_UNIT_COMMON_STAGING_FIXTURE_H
#define TESTS_UNIT_COMMON_STAGING_FIXTURE_H

#include "common/staging.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PARTS = 3, COMPANIES_PER_PART = 4, LINES_PER_COMPANY = 5 };

static char scratch[64];
static struct arena names; /* of one test */

static inline int scratch_make(void **state)
{
    (void)state;
    strcpy(scratch, "/tmp/test_staging-XXXXXX");
    return mkdtemp(scratch) ? 0 : -1;
}

static inline int scratch_remove(void **state)
{
    (void)state;
    int status = system(arena_printf(&names, "rm -rf %s", scratch)); /* NOLINT(cert-env33-c): a name of our own */
    arena_free(&names);
    return status;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_remove)

#define assert_ok(call)                                        \
    do {                                                       \
        if (!(call))                                           \
            fail_msg("%s: %d %s", #call, err.kind, err.text);  \
    } while (0)

#define assert_refused(call, expected_kind, expected_text)                                              \
    do {                                                                                                \
        if (call)                                                                                       \
            fail_msg("%s: expected to be refused with \"%s\"", #call, expected_text);                   \
        if (err.kind != (expected_kind) || !strstr(err.text, expected_text))                            \
            fail_msg("expected %d \"%s\", found %d \"%s\"", expected_kind, expected_text, err.kind, err.text); \
    } while (0)

static inline struct run_info run_info_sample(const char *run_id)
{
    struct run_info info = {.stage = STAGE_EXTRACT, .run_id = run_id, .shards = 1};
    month_parse(STR("2026-04"), &info.period);
    instant_parse(STR("2026-05-02T03:00:00Z"), &info.as_of);
    instant_parse(STR("2026-05-02T03:00:00Z"), &info.began_at);
    return info;
}

static inline char *stage_file(const struct run_info *info, const char *name)
{
    char *path = staging_path(scratch, info);
    char *file = arena_printf(&names, "%s/%s", path, name);
    free(path);
    return file;
}

static inline struct pay_base pay_base_sample(const char *company_id, int i)
{
    struct pay_base b;
    record_init(&pay_base_record, &b);
    b.company_id = str_of(company_id);
    b.employment_id = str_of(arena_printf(&names, "%s-job-%d", company_id, i));
    month_parse(STR("2026-04"), &b.month);
    b.gross_cents = 250000 + i;
    return b;
}

static inline struct link link_sample(const char *company_id, int i)
{
    struct link l;
    record_init(&link_record, &l);
    l.company_id = str_of(company_id);
    l.member_id = str_of(arena_printf(&names, "member-%d", i));
    l.employee_id = str_of(arena_printf(&names, "employee-%d", i));
    return l;
}

static inline struct company company_sample(const char *company_id)
{
    struct company c;
    record_init(&company_record, &c);
    c.company_id = str_of(company_id);
    c.siren = STR("404833048");
    c.status = COMPANY_OK;
    c.part = 0;
    return c;
}

static inline struct reject reject_sample(const char *raw)
{
    struct reject r;
    record_init(&reject_record, &r);
    r.stage = STAGE_EXTRACT;
    r.entity = STR("employees");
    r.reason = REJECT_MISSING_FIELD;
    r.source = STR("imports/staff.csv");
    r.line = 7;
    r.raw = str_of(raw);
    return r;
}

/* Company number i: bases and links in turn (but no link in the second company), a reject in every third. */
static inline bool company_write(struct part *p, int i, struct err *err)
{
    const char *id = arena_printf(&names, "company-%c", 'a' + i);
    struct company c = company_sample(id);
    for (int k = 0; k < LINES_PER_COMPANY; k++) {
        struct pay_base base = pay_base_sample(id, k);
        struct link link = link_sample(id, k);
        if (!part_put(p, &pay_base_record, &base, err) || (i != 1 && !part_put(p, &link_record, &link, err)))
            return false;
    }
    if (i % 3 == 0) {
        struct reject reject = reject_sample("2 95 10;Émilie");
        part_reject(p, &reject);
    }
    return part_end_company(p, &c, err);
}

static inline bool part_write(const struct staging_out *out, int number, struct err *err)
{
    struct part p;
    part_begin(&p, out, number);
    bool ok = true;
    for (int i = 0; ok && i < COMPANIES_PER_PART; i++)
        ok = company_write(&p, number * COMPANIES_PER_PART + i, err);
    if (ok)
        return part_commit(&p, err);
    part_abandon(&p);
    return false;
}

static inline bool output_write(const struct run_info *info, int n_parts, struct err *err)
{
    struct staging_out out;
    struct staging_totals totals;
    if (!staging_begin(&out, scratch, info, err))
        return false;
    for (int i = 0; i < n_parts; i++)
        if (!part_write(&out, i, err)) {
            staging_abandon(&out);
            return false;
        }
    return staging_publish(&out, n_parts, true, &totals, err);
}

static inline bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* A whole file as NUL-terminated text in the arena. */
static inline char *text_of(const char *path)
{
    struct err err = {0};
    struct map m;
    assert_ok(map_open(&m, path, &err));
    char *text = arena_copy(&names, m.p, m.len);
    map_close(&m);
    return text;
}

static inline void text_put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

#endif
