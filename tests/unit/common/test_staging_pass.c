#include "staging_fixture.h"

#include <sys/stat.h>

/* What happens to the companies of a part: passed on, left out, or written anew. */
enum fate { PASSED, LEFT_OUT, WRITTEN };

static void company_pass(struct part *out, const struct part_in *in, const struct company *c, enum fate fate)
{
    struct err err = {0};
    struct arena a = {0};
    struct list rejects = {0};
    uint32_t n;
    if (fate == LEFT_OUT)
        return;
    assert_ok(part_pass(out, &link_record, in, c, &err));
    if (fate == PASSED) {
        assert_ok(part_pass(out, &pay_base_record, in, c, &err));
    } else {
        const struct pay_base *base = part_decode(in, c, &pay_base_record, &a, &n, &rejects);
        for (uint32_t i = 0; i < n; i++)
            assert_ok(part_put(out, &pay_base_record, &base[i], &err));
    }
    assert_ok(part_end_company(out, c, &err));
    arena_free(&a);
}

/* Passes on part 0 of an extract output; `odd` is the fate of company number odd_one. The output is read back, which
 * compares rows, bytes, cents and digests. Returns the output's run. */
static struct run_info part_0_pass(int odd_one, enum fate odd)
{
    struct err err = {0};
    struct run_info from = run_info_sample("run"), to = from;
    struct staging_in in, back;
    struct staging_out out;
    struct staging_totals totals;
    struct part_in p;
    struct part written;
    struct company c;
    struct arena a = {0};
    to.stage = STAGE_TRANSFORM;
    assert_ok(staging_open(&in, scratch, &from, &err));
    assert_ok(staging_begin(&out, scratch, &to, &err));
    assert_ok(part_stream(&p, &in, 0, &err));
    part_begin(&written, &out, 0);
    for (int i = 0; part_next_company(&p, &a, &c, &err); i++)
        company_pass(&written, &p, &c, i == odd_one ? odd : PASSED);
    assert_int_equal(err.kind, ERR_NONE);
    assert_ok(part_verify(&p, &err));
    assert_ok(part_commit(&written, &err));
    part_close(&p);
    staging_close(&in);
    assert_ok(staging_publish(&out, 1, true, &totals, &err));
    assert_ok(staging_open(&back, scratch, &to, &err));
    assert_ok(part_open(&p, &back, 0, NULL, &err));
    while (part_next_company(&p, &a, &c, &err))
        ;
    assert_int_equal(err.kind, ERR_NONE);
    part_close(&p);
    staging_close(&back);
    arena_free(&a);
    return to;
}

static nlink_t names_of(const struct run_info *info, const char *name)
{
    struct stat st;
    assert_int_equal(lstat(stage_file(info, name), &st), 0);
    return st.st_nlink;
}

static struct run_info extract_output(void)
{
    struct err err = {0};
    struct run_info info = run_info_sample("run");
    assert_ok(output_write(&info, PARTS, &err));
    return info;
}

static void a_file_passed_on_whole_gets_a_second_name(void **state)
{
    (void)state;
    struct run_info from = extract_output(), to = part_0_pass(-1, PASSED);
    assert_int_equal(names_of(&to, "pay_bases-0000.ndjson"), 2);
    assert_string_equal(text_of(stage_file(&to, "links-0000.ndjson")), text_of(stage_file(&from, "links-0000.ndjson")));
}

static void a_file_passed_on_in_part_is_a_copy(void **state)
{
    (void)state;
    for (int odd_one = 0; odd_one < COMPANIES_PER_PART; odd_one++) {
        struct run_info from = extract_output(), to = part_0_pass(odd_one, LEFT_OUT);
        const char *before = text_of(stage_file(&from, "pay_bases-0000.ndjson")),
                   *after = text_of(stage_file(&to, "pay_bases-0000.ndjson"));
        assert_int_equal(names_of(&to, "pay_bases-0000.ndjson"), 1);
        assert_null(strstr(after, arena_printf(&names, "\"company-%c\"", 'a' + odd_one)));
        size_t kept = strlen(before) / COMPANIES_PER_PART * (COMPANIES_PER_PART - 1);
        assert_int_equal(strlen(after), kept);
        assert_memory_equal(after, odd_one ? before : before + strlen(before) - kept, strlen(before) / COMPANIES_PER_PART);
    }
}

static void a_file_written_anew_in_part_is_a_copy(void **state)
{
    (void)state;
    for (int odd_one = 0; odd_one < COMPANIES_PER_PART; odd_one++) {
        struct run_info from = extract_output(), to = part_0_pass(odd_one, WRITTEN);
        assert_int_equal(names_of(&to, "pay_bases-0000.ndjson"), 1);
        assert_int_equal(names_of(&to, "links-0000.ndjson"), 2);
        assert_string_equal(text_of(stage_file(&to, "pay_bases-0000.ndjson")),
                            text_of(stage_file(&from, "pay_bases-0000.ndjson")));
    }
}

/* Its rights would be those of both names. */
static void a_file_that_others_may_read_is_copied(void **state)
{
    (void)state;
    struct stat st;
    struct run_info from = extract_output();
    assert_int_equal(chmod(stage_file(&from, "pay_bases-0000.ndjson"), 0640), 0);
    struct run_info to = part_0_pass(-1, PASSED);
    assert_int_equal(names_of(&to, "pay_bases-0000.ndjson"), 1);
    assert_int_equal(stat(stage_file(&to, "pay_bases-0000.ndjson"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_passed_on_whole_gets_a_second_name),
        TEST(a_file_passed_on_in_part_is_a_copy),
        TEST(a_file_written_anew_in_part_is_a_copy),
        TEST(a_file_that_others_may_read_is_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
