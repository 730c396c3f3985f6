#include "staging_fixture.h"

#include <sys/wait.h>

/* Three links: one as it is encoded, one with a space and an escape, one as it is encoded behind a line that is none. */
static void a_record_is_read_again_from_its_line(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_info info = run_info_sample("run");
    struct staging_out out;
    struct staging_totals totals;
    struct part to;
    struct company acme = company_sample("acme");
    struct link link = link_sample("acme", 1);
    const struct str other = STR("{\"company_id\":\"acme\", \"member_id\":\"a\\\"b\",\"employee_id\":\"e\"}\n");
    assert_ok(staging_begin(&out, scratch, &info, &err));
    part_begin(&to, &out, 0);
    assert_ok(part_put(&to, &link_record, &link, &err) && part_put_lines(&to, &link_record, other, 1, 0, &err) &&
              part_put_lines(&to, &link_record, STR("{}\n"), 1, 0, &err) && part_put(&to, &link_record, &link, &err));
    assert_ok(part_end_company(&to, &acme, &err) && part_commit(&to, &err));
    assert_ok(staging_publish(&out, 1, true, &totals, &err));

    struct staging_in in;
    struct part_in p;
    struct company c;
    struct scan scan;
    struct list rejects = {0};
    struct link first[3], again;
    uint32_t at[3] = {0};
    int n = 0;
    assert_ok(staging_open(&in, scratch, &info, &err));
    assert_ok(part_stream(&p, &in, 0, &err) && part_next_company(&p, &names, &c, &err));
    scan_begin(&scan, &p, &c, &link_record, &names, &rejects);
    assert_int_equal(scan.rows, 4);
    for (; scan_next(&scan, &first[n]); n++)
        at[n] = scan_keep(&scan, &first[n]);
    assert_int_equal(n, 3);
    assert_int_equal(rejects.n, 1);
    assert_int_equal(at[0], 0);
    assert_int_equal(at[1], scan.lines.text.len);
    assert_true(str_is(first[1].member_id, "a\"b"));
    part_forget(&p, NULL);
    for (int i = n; i-- > 0;) {
        lines_read(&scan.lines, at[i], &names, &again);
        assert_ptr_equal(again.member_id.p, first[i].member_id.p);
        assert_true(str_eq(again.member_id, first[i].member_id));
        assert_true(str_eq(again.employee_id, first[i].employee_id));
    }
    part_close(&p);
    staging_close(&in);
}

static void a_line_that_has_changed_ends_the_process(void **state)
{
    (void)state;
    const struct lines changed = {.record = &link_record, .text = STR("{\"company_id\":\"acme\",\"mem")};
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct link link;
        struct arena a = {0};
        lines_read(&changed, 0, &a, &link);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_is_read_again_from_its_line),
        TEST(a_line_that_has_changed_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
