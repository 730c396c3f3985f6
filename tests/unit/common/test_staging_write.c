#include "staging_fixture.h"

#include <dirent.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Every call that changes the disk, counted: the process dies in front of the kill_at-th one. */
static struct {
    int calls, kill_at;
} disk;

enum { KILLED = 99 };

static void change(void)
{
    if (++disk.calls == disk.kill_at)
        _exit(KILLED);
}

ssize_t write(int fd, const void *buf, size_t n)
{
    change();
    if (disk.calls + 1 == disk.kill_at) /* next to die: torn in the middle */
        n = (n + 1) / 2;
    return syscall(SYS_write, fd, buf, n);
}

int fsync(int fd)
{
    change();
    return (int)syscall(SYS_fsync, fd);
}

int rename(const char *old, const char *new)
{
    change();
    return (int)syscall(SYS_rename, old, new);
}

int unlink(const char *name)
{
    change();
    return (int)syscall(SYS_unlink, name);
}

int unlinkat(int fd, const char *name, int flag)
{
    change();
    return (int)syscall(SYS_unlinkat, fd, name, flag);
}

int mkdir(const char *path, mode_t mode)
{
    change();
    return (int)syscall(SYS_mkdir, path, mode);
}

/* Digest of all names and bytes in a stage's folder but its lock. */
static const char *folder_digest(const struct run_info *info)
{
    struct dirent **entry;
    char *path = staging_path(scratch, info), *hex = arena_alloc(&names, SHA256_HEX + 1);
    int n = scandir(path, &entry, NULL, alphasort);
    struct sha256 h;
    sha256_start(&h);
    for (int i = 0; i < n; i++) {
        if (entry[i]->d_name[0] != '.') {
            const char *text = text_of(stage_file(info, entry[i]->d_name));
            sha256_add(&h, entry[i]->d_name, strlen(entry[i]->d_name) + 1);
            sha256_add(&h, text, strlen(text) + 1);
        }
        free(entry[i]);
    }
    free(entry);
    free(path);
    sha256_end(&h, hex);
    return hex;
}

/* Parts divided among worker processes. */
static void output_write_by(const struct run_info *info, int workers)
{
    struct err err = {0};
    struct staging_out out;
    struct staging_totals totals;
    assert_ok(staging_begin(&out, scratch, info, &err));
    for (int w = 0; w < workers; w++) {
        pid_t pid = fork();
        if (pid == 0) {
            for (int i = w; i < PARTS; i += workers)
                if (!part_write(&out, i, &err))
                    _exit(1);
            _exit(0);
        }
        assert_true(pid > 0);
    }
    for (int w = 0, status; w < workers; w++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_ok(staging_publish(&out, PARTS, true, &totals, &err));
}

static void workers_do_not_change_a_byte(void **state)
{
    (void)state;
    struct run_info info = run_info_sample("run");
    output_write_by(&info, 1);
    const char *one = folder_digest(&info);
    output_write_by(&info, 2);
    assert_string_equal(folder_digest(&info), one);
    output_write_by(&info, 3);
    assert_string_equal(folder_digest(&info), one);
}

static void the_manifest_says_what_is_there(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_info info = run_info_sample("run");
    info.made_from = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_ok(output_write(&info, PARTS, &err));
    const char *manifest = text_of(stage_file(&info, "manifest.json"));
    static const char *const said[] = {
        "\"schema_version\": 2", "\"stage\": \"extract\"", "\"run_id\": \"run\"", "\"period\": \"2026-04\"",
        "\"as_of\": \"2026-05-02T03:00:00Z\"", "\"made_from\": \"e3b0c442", "\"ok\": 12", "\"rejects\": 4",
        "\"name\": \"companies.ndjson\"", "\"name\": \"rejects.ndjson\"", "\"name\": \"pay_bases-0002.ndjson\"",
        "\"rows\": 20", "\"cents\": 5000040", /* 4 companies of 5 × 250000 + 0 + 1 + 2 + 3 + 4 */
    };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (!strstr(manifest, said[i]))
            fail_msg("manifest.json lacks %s", said[i]);
    assert_int_equal(manifest[strlen(manifest) - 1], '\n');
}

static void nothing_is_visible_before_the_manifest(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_info info = run_info_sample("run");
    struct staging_out out;
    struct staging_in in;
    struct staging_totals totals;
    char *newest;
    assert_ok(staging_begin(&out, scratch, &info, &err));
    for (int i = 0; i < PARTS; i++) {
        assert_ok(part_write(&out, i, &err));
        assert_refused(staging_open(&in, scratch, &info, &err), ERR_NO_INPUT, "manifest.json");
        assert_refused(staging_newest(scratch, info.period, STAGE_EXTRACT, 0, 1, &newest, &err), ERR_NO_INPUT,
                       "run extract --period 2026-04 first");
    }
    assert_ok(staging_count(&out, PARTS, &totals, &err));
    assert_int_equal(totals.companies_ok, 12);
    assert_refused(staging_open(&in, scratch, &info, &err), ERR_NO_INPUT, "manifest.json");
    assert_ok(staging_publish(&out, PARTS, true, &totals, &err));
    assert_ok(staging_open(&in, scratch, &info, &err));
    staging_close(&in);
    assert_false(is_there(stage_file(&info, "part-0000.done")));
}

static void totals_are_those_of_the_parts(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_info info = run_info_sample("run");
    struct staging_out out;
    struct staging_totals t;
    assert_ok(staging_begin(&out, scratch, &info, &err));
    for (int i = 0; i < PARTS; i++)
        assert_ok(part_write(&out, i, &err));
    assert_ok(staging_publish(&out, PARTS, true, &t, &err));
    assert_int_equal(t.companies_ok, PARTS * COMPANIES_PER_PART);
    assert_int_equal(t.companies_failed, 0);
    assert_int_equal(t.rejects, 4);
    assert_int_equal(t.n_entities, 2);
    assert_ptr_equal(t.entity[0].record, &pay_base_record);
    assert_int_equal(t.entity[0].rows, 60);
    assert_int_equal(t.entity[0].cents, 12 * (5 * 250000 + 10));
    assert_ptr_equal(t.entity[1].record, &link_record);
    assert_int_equal(t.entity[1].rows, 55);
}

/* Dies in front of each change to the disk in turn: the manifest is gone from the first removal to the last rename,
 * what it stands for is whole while it is there, and the next run over what was left gives the bytes of a clean one. */
static void a_killed_writer_leaves_no_output(void **state)
{
    (void)state;
    struct err err = {0};
    struct staging_in in;
    struct run_info info = run_info_sample("clean");
    assert_ok(output_write(&info, PARTS, &err));
    info.run_id = "run";
    assert_ok(output_write(&info, PARTS, &err));
    const char *clean = folder_digest(&info);
    int status = 0, kill_at = 0, changes = 0;
    bool before = true;
    do {
        kill_at++;
        pid_t pid = fork();
        if (pid == 0) {
            disk.calls = 0;
            disk.kill_at = kill_at;
            _exit(output_write(&info, PARTS, &err) ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        bool published = is_there(stage_file(&info, "manifest.json"));
        changes += published != before;
        before = published;
        if (published) {
            assert_ok(staging_open(&in, scratch, &info, &err)); /* the old one not begun upon, or the new one whole */
            staging_close(&in);
        }
        assert_ok(output_write(&info, PARTS, &err));
        assert_string_equal(folder_digest(&info), clean);
    } while (WEXITSTATUS(status) == KILLED && kill_at < 10000);
    assert_int_equal(status, 0);
    assert_true(kill_at > 50);       /* it did die in many places */
    assert_int_equal(changes, 2);    /* published until it is withdrawn, then never before the last rename */
}

static void a_run_over_an_older_one_leaves_no_stale_part(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_info info = run_info_sample("run");
    struct staging_out out;
    struct staging_in in;
    assert_ok(output_write(&info, 1, &err));
    const char *one_part = folder_digest(&info);
    assert_ok(output_write(&info, PARTS, &err));
    text_put(stage_file(&info, "pay_bases-0007.ndjson.tmp"), "torn");
    text_put(stage_file(&info, "part-0007.done"), "torn");
    assert_ok(staging_begin(&out, scratch, &info, &err));
    assert_refused(staging_open(&in, scratch, &info, &err), ERR_NO_INPUT, "manifest.json");
    assert_false(is_there(stage_file(&info, "pay_bases-0002.ndjson")));
    staging_abandon(&out);
    assert_ok(output_write(&info, 1, &err));
    assert_string_equal(folder_digest(&info), one_part);
}

static void one_process_writes_a_stage(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_info info = run_info_sample("run");
    struct staging_in in;
    struct staging_out out;
    int ready[2], done[2];
    char byte = 0;
    assert_ok(output_write(&info, 1, &err));
    assert_int_equal(pipe(ready) | pipe(done), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char *lock = stage_file(&info, ".lock");
        int fd;
        bool ok = lock_take(lock, &fd, &err) && syscall(SYS_write, ready[1], "x", 1) == 1;
        close(done[1]);
        _exit(ok && read(done[0], &byte, 1) == 0 ? 0 : 1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_refused(staging_begin(&out, scratch, &info, &err), ERR_TRY_AGAIN, "/2026-04/run/extract/.lock");
    assert_ok(staging_open(&in, scratch, &info, &err)); /* untouched */
    staging_close(&in);
    close(done[0]);
    close(done[1]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_ok(staging_begin(&out, scratch, &info, &err)); /* a dead process holds nothing */
    staging_abandon(&out);
}

static void rejects_alone_stay_where_nothing_is_published(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_info info = run_info_sample("run");
    struct staging_out out;
    struct staging_totals t;
    assert_ok(staging_begin(&out, scratch, &info, &err));
    for (int i = 0; i < PARTS; i++)
        assert_ok(part_write(&out, i, &err));
    assert_ok(staging_publish(&out, PARTS, false, &t, &err));
    assert_int_equal(t.rejects, 4);
    assert_true(is_there(stage_file(&info, "rejects.ndjson")));
    assert_non_null(strstr(text_of(stage_file(&info, "rejects.ndjson")), "imports/staff.csv"));
    static const char *const gone[] = {"manifest.json", "companies.ndjson", "companies.ndjson.tmp",
                                       "pay_bases-0000.ndjson", "part-0000.done"};
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        assert_false(is_there(stage_file(&info, gone[i])));
    assert_ok(staging_begin(&out, scratch, &info, &err)); /* the lock was released */
    staging_abandon(&out);
}

static void a_dry_run_touches_no_output(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_info info = run_info_sample("run");
    struct staging_out out;
    struct staging_totals t;
    assert_ok(output_write(&info, PARTS, &err));
    const char *before = folder_digest(&info);
    struct run_info dry = info;
    dry.dry_run = true;
    assert_ok(staging_begin(&out, scratch, &dry, &err));
    assert_ok(part_write(&out, 0, &err));
    assert_ok(staging_publish(&out, 1, false, &t, &err));
    assert_string_equal(folder_digest(&info), before);
    assert_true(is_there(stage_file(&dry, "rejects.ndjson")));
}

static void everything_is_private_whatever_the_umask(void **state)
{
    (void)state;
    static const mode_t umasks[] = {0, 0777};
    static const char *const files[] = {"manifest.json", "companies.ndjson", "rejects.ndjson", "links-0000.ndjson",
                                        ".lock"};
    for (size_t u = 0; u < 2; u++) {
        struct err err = {0};
        struct stat st;
        struct run_info info = run_info_sample(u ? "run-1" : "run-0");
        mode_t old = umask(umasks[u]);
        bool ok = output_write(&info, 1, &err);
        umask(old);
        assert_ok(ok);
        for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
            assert_int_equal(lstat(stage_file(&info, files[i]), &st), 0);
            assert_int_equal(st.st_mode & 07777, 0600);
        }
        assert_int_equal(lstat(stage_file(&info, "."), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        assert_int_equal(lstat(stage_file(&info, ".."), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
    }
}

static void no_level_may_be_written_to_by_others(void **state)
{
    (void)state;
    struct run_info info = run_info_sample("run");
    struct err err = {0};
    assert_ok(output_write(&info, 1, &err));
    const char *const levels[] = {"../../..", "../..", "..", "."};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        struct staging_out out;
        struct staging_in in;
        char *level = stage_file(&info, levels[i]);
        assert_int_equal(chmod(level, 0770), 0);
        assert_refused(staging_begin(&out, scratch, &info, &err), ERR_REFUSED, "others can write to folder");
        assert_refused(staging_open(&in, scratch, &info, &err), ERR_REFUSED, "others can write to folder");
        assert_int_equal(chmod(level, 0700), 0);
    }
    struct staging_in in;
    assert_ok(staging_open(&in, scratch, &info, &err));
    staging_close(&in);
}

static void a_part_that_was_never_completed_is_a_bug(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_info info = run_info_sample("run");
    struct staging_out out;
    struct staging_totals t;
    assert_ok(staging_begin(&out, scratch, &info, &err));
    assert_ok(part_write(&out, 0, &err));
    assert_refused(staging_publish(&out, 2, true, &t, &err), ERR_BUG, "part 1 was never completed");
    assert_false(is_there(stage_file(&info, "manifest.json")));
    assert_false(is_there(stage_file(&info, "links-0000.ndjson")));

    assert_ok(staging_begin(&out, scratch, &info, &err));
    assert_ok(part_write(&out, 0, &err));
    text_put(stage_file(&info, "part-0000.done"), "{\"ok\":1}\n");
    assert_refused(staging_publish(&out, 1, true, &t, &err), ERR_BUG, "part-0000.done.files: missing");
}

static void run_ids_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {"", ".", "..", "-x", "a/b", "a b", "é",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        struct staging_out out;
        struct run_info info = run_info_sample(bad[i]);
        assert_refused(staging_begin(&out, scratch, &info, &err), ERR_USAGE, "run id");
    }
    assert_true(run_id_valid("2026-04-20260502T030000Z"));
    assert_true(run_id_valid("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    assert_false(run_id_valid(NULL));
}

/* ---- one part ---- */

static void part_make(struct staging_out *out, struct part *p)
{
    struct err err = {0};
    struct run_info info = run_info_sample("run");
    assert_ok(staging_begin(out, scratch, &info, &err));
    part_begin(p, out, 0);
}

static void a_sum_beyond_64_bits_is_refused(void **state)
{
    (void)state;
    struct err err = {0};
    struct staging_out out;
    struct part p;
    part_make(&out, &p);
    struct pay_base base = pay_base_sample("acme", 0);
    base.gross_cents = INT64_MAX;
    assert_ok(part_put(&p, &pay_base_record, &base, &err));
    base.gross_cents = 1;
    assert_refused(part_put(&p, &pay_base_record, &base, &err), ERR_DATA, "pay_base.gross_cents");
    part_abandon(&p);
    staging_abandon(&out);
}

static void an_unfit_record_is_a_bug(void **state)
{
    (void)state;
    struct err err = {0};
    struct staging_out out;
    struct part p;
    part_make(&out, &p);
    struct pay_base base = pay_base_sample("acme", 0);
    base.employment_id = STR_NULL;
    assert_refused(part_put(&p, &pay_base_record, &base, &err), ERR_BUG, "employment_id");
    assert_non_null(strstr(err.text, "pay_base"));
    struct company c = company_sample("acme");
    c.status = 0;
    assert_refused(part_end_company(&p, &c, &err), ERR_BUG, "status");
    c.status = COMPANY_OK;
    assert_refused(part_put(&p, &company_record, &c, &err), ERR_BUG, "cannot hold");
    assert_refused(part_put_lines(&p, &link_record, STR("{}"), 1, 0, &err), ERR_BUG, "links");
    part_abandon(&p);
    assert_false(is_there(arena_printf(&names, "%s/pay_bases-0000.ndjson.tmp", out.path)));
    staging_abandon(&out);
}

static void records_outside_a_company_are_a_bug(void **state)
{
    (void)state;
    struct err err = {0};
    struct staging_out out;
    struct part p;
    part_make(&out, &p);
    struct link link = link_sample("acme", 0);
    assert_ok(part_put(&p, &link_record, &link, &err));
    assert_refused(part_commit(&p, &err), ERR_BUG, "not ended");
    staging_abandon(&out);
}

static void a_part_is_full_after_16_mib(void **state)
{
    (void)state;
    struct err err = {0};
    struct staging_out out;
    struct part p;
    part_make(&out, &p);
    char *raw = arena_alloc(&names, 60001);
    memset(raw, 'x', 60000);
    struct reject reject = reject_sample(raw);
    struct company c = company_sample("acme");
    int n = 0;
    for (; !part_full(&p); n++)
        part_reject(&p, &reject); /* a feed of nothing but faults fills parts too */
    assert_in_range(n, 270, 280);
    assert_ok(part_end_company(&p, &c, &err));
    assert_ok(part_commit(&p, &err));
    staging_abandon(&out);
}

static void rejects_are_told_whatever_they_hold(void **state)
{
    (void)state;
    struct err err = {0};
    struct staging_out out;
    struct staging_totals t;
    struct part p;
    part_make(&out, &p);
    char *endless = arena_alloc(&names, 70001);
    memset(endless, 'e', 70000);
    endless[65535] = '\xC3'; /* é, whose second byte is one too many */
    endless[65536] = '\xA9';
    struct str faults[] = {str_of("bad\xE9"), str_of("ok")};
    struct reject reject = reject_sample(endless);
    reject.faults = (struct list){faults, 2};
    reject.source = (struct str){"a\0b", 3, false};
    part_reject(&p, &reject);
    struct company c = company_sample("acme");
    assert_ok(part_end_company(&p, &c, &err));
    assert_ok(part_commit(&p, &err));
    assert_ok(staging_publish(&out, 1, true, &t, &err));

    struct run_info info = run_info_sample("run");
    char *line = text_of(stage_file(&info, "rejects.ndjson"));
    struct faults found;
    struct reject read;
    assert_true(ndjson_decode(&reject_record, (struct str){line, (uint32_t)strlen(line) - 1, false}, &names, &read,
                              &found));
    assert_int_equal(read.raw.len, 65535);
    assert_true(str_is(read.source, "a\xEF\xBF\xBD" "b"));
    assert_true(str_is(*(struct str *)list_at(read.faults, sizeof(struct str), 0), "bad\xEF\xBF\xBD"));
}

static void a_reject_without_reason_is_a_bug(void **state)
{
    (void)state;
    struct err err = {0};
    struct staging_out out;
    struct part p;
    part_make(&out, &p);
    struct reject reject = reject_sample("x");
    reject.reason = 0;
    part_reject(&p, &reject);
    struct company c = company_sample("acme");
    assert_refused(part_end_company(&p, &c, &err), ERR_BUG, "acme");
    part_abandon(&p);
    staging_abandon(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(workers_do_not_change_a_byte),
        TEST(the_manifest_says_what_is_there),
        TEST(nothing_is_visible_before_the_manifest),
        TEST(totals_are_those_of_the_parts),
        TEST(a_killed_writer_leaves_no_output),
        TEST(a_run_over_an_older_one_leaves_no_stale_part),
        TEST(one_process_writes_a_stage),
        TEST(rejects_alone_stay_where_nothing_is_published),
        TEST(a_dry_run_touches_no_output),
        TEST(everything_is_private_whatever_the_umask),
        TEST(no_level_may_be_written_to_by_others),
        TEST(a_part_that_was_never_completed_is_a_bug),
        TEST(run_ids_are_checked),
        TEST(a_sum_beyond_64_bits_is_refused),
        TEST(an_unfit_record_is_a_bug),
        TEST(records_outside_a_company_are_a_bug),
        TEST(a_part_is_full_after_16_mib),
        TEST(rejects_are_told_whatever_they_hold),
        TEST(a_reject_without_reason_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
