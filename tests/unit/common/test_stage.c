/* A stage from its arguments to its exit status: stage_main in a child process, its two streams read back. */
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/stage.h"
#include "tests/unit/common/support.h"

static const char CONFIG[] = "version: 1\ncompanies:\n  - {id: acme, siren: '842139073'}\n";

struct outcome {
    int status;
    char out[4096], err[8192];
};

static void read_back(const char *path, char *text, size_t size)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, size - 1, f)] = '\0';
    fclose(f);
}

static void redirect(const char *path, int fd)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || dup2(file, fd) < 0)
        _exit(99);
}

/* argv ends with NULL. */
static struct outcome run_to(const char *out, enum stage stage, bool (*body)(struct stage_run *, struct err *),
                             const char *const *argv)
{
    struct outcome o;
    int argc = 0, status;
    while (argv[argc])
        argc++;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        redirect(out, STDOUT_FILENO);
        redirect("err.txt", STDERR_FILENO);
        char *copy[8] = {0};
        for (int i = 0; i < argc; i++)
            copy[i] = mem_strdup(argv[i]);
        int code = stage_main(stage, argc, copy, body);
        fflush(stdout);
        for (int i = 0; i < argc; i++)
            free(copy[i]);
        _exit(code);
    }
    assert_true(waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status));
    o.status = WEXITSTATUS(status);
    read_back("err.txt", o.err, sizeof o.err);
    o.out[0] = '\0';
    if (strcmp(out, "out.txt") == 0)
        read_back(out, o.out, sizeof o.out);
    return o;
}

#define RUN(stage, body, ...) run_to("out.txt", stage, body, (const char *const[]){"stage", __VA_ARGS__, NULL})

static json_t *final_line(const struct outcome *o)
{
    const char *newline = strchr(o->out, '\n');
    assert_non_null(newline);
    assert_int_equal(newline[1], '\0');
    json_t *line = json_loads(o->out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(line);
    return line;
}

static void assert_ends(const struct outcome *o, int status, const char *word, const char *error)
{
    json_t *line = final_line(o);
    assert_int_equal(o->status, status);
    assert_string_equal(json_string_value(json_object_get(line, "status")), word);
    assert_true(json_is_integer(json_object_get(line, "elapsed_ms")));
    if (error)
        assert_string_equal(json_string_value(json_object_get(line, "error")), error);
    else
        assert_null(json_object_get(line, "error"));
    json_decref(line);
}

static bool succeed(struct stage_run *run, struct err *err)
{
    (void)err;
    struct staging_totals totals = {
        .entity = {{&invoice_line_record, 3, 11710}, {&employee_record, 2, 0}}, .n_entities = 2,
        .companies_ok = 4, .companies_failed = 1, .rejects = 5};
    stage_set_run(run, "2026-04-a");
    stage_report_totals(run, &totals);
    json_object_set_new(run->report, "changed", json_integer(9));
    log_info("caf\xc3\xa9 \x1b[31m \xff\ntwo");
    log_debug("not shown");
    return true;
}

static bool fail_twice(struct stage_run *run, struct err *err)
{
    (void)run;
    err_add(err, ERR_UNAVAILABLE, "one \xff");
    err->retry_after_s = 30;
    return err_add(err, ERR_UNAVAILABLE, "two");
}

static bool end_partly(struct stage_run *run, struct err *err)
{
    (void)run;
    err_set(err, ERR_PARTIAL, "1 of 2 companies failed");
    return true;
}

static bool say_nothing(struct stage_run *run, struct err *err)
{
    (void)run;
    (void)err;
    return false;
}

static bool wait_for_a_signal(struct stage_run *run, struct err *err)
{
    (void)run;
    kill(getpid(), SIGPIPE);
    kill(getpid(), SIGTERM);
    return !stage_stopped(err);
}

static bool look_around(struct stage_run *run, struct err *err)
{
    struct rlimit core;
    mode_t mask = umask(0);
    getrlimit(RLIMIT_CORE, &core);
    if (mask != 077 || core.rlim_max != 0 || prctl(PR_GET_DUMPABLE) != 0 || strcmp(run->staging_dir, "/elsewhere") != 0)
        return err_set(err, ERR_BUG, "not private");
    return true;
}

static bool show_progress(struct stage_run *run, struct err *err)
{
    (void)err;
    stage_progress(run, 5000);
    struct timespec tenth = {0, 110000000};
    nanosleep(&tenth, NULL);
    progress_step(2500, 1234567);
    log_warning("in between");
    return true;
}

static void tells_how_it_ended(void **state)
{
    (void)state;
    struct outcome o = RUN(STAGE_TRANSFORM, succeed, "--config=c.yaml", "--period=2026-04");
    assert_ends(&o, 0, "ok", NULL);
    static const char begins[] =
        "{\"stage\":\"transform\",\"run_id\":\"2026-04-a\",\"period\":\"2026-04\",\"status\":\"ok\","
        "\"companies\":{\"ok\":4,\"failed\":1},\"rows\":{\"invoice_lines\":3,\"employees\":2},"
        "\"cents\":{\"invoice_lines\":11710},\"discrepancies\":{},\"rejects\":5,\"changed\":9,\"elapsed_ms\":";
    assert_memory_equal(o.out, begins, sizeof begins - 1);
    assert_string_equal(strchr(o.err, ' '), " info transform 2026-04-a: caf\xc3\xa9 \\x1b[31m \\xff\\x0atwo\n");

    o = RUN(STAGE_LOAD, fail_twice, "--config=c.yaml");
    assert_ends(&o, 69, "failed", "one \\xff\ntwo");
    assert_non_null(strstr(o.out, "\"retry_after_s\":30}"));
    assert_non_null(strstr(o.err, " error load: one \\xff\n"));
    assert_non_null(strstr(o.err, " error load: two\n"));

    o = RUN(STAGE_LOAD, end_partly, "--config=c.yaml", "--run-id=r1", "--log-format=json");
    assert_ends(&o, 3, "partial", "1 of 2 companies failed");
    assert_non_null(strstr(o.err, ",\"level\":\"warning\",\"stage\":\"load\",\"run_id\":\"r1\","
                                  "\"message\":\"1 of 2 companies failed\"}\n"));

    o = RUN(STAGE_LOAD, say_nothing, "--config=c.yaml");
    assert_ends(&o, 70, "failed", "failed without saying why");
}

static void tells_faults_before_it_begins(void **state)
{
    (void)state;
    struct outcome o = RUN(STAGE_LOAD, succeed, "--nonsense");
    assert_ends(&o, 64, "failed", "unknown option --nonsense; --help lists the options");
    o = RUN(STAGE_LOAD, succeed, "--config=none.yaml");
    assert_ends(&o, 78, "failed", "cannot open none.yaml: No such file or directory");
    o = RUN(STAGE_LOAD, succeed, "--config=c.yaml", "--company=acme", "--company=acne");
    assert_ends(&o, 64, "failed", "--company acne: no such company in c.yaml");
}

static void helps_without_a_final_line(void **state)
{
    (void)state;
    struct outcome o = RUN(STAGE_EXTRACT, succeed, "--help");
    assert_int_equal(o.status, 0);
    assert_non_null(strstr(o.out, "--check"));
    assert_null(strstr(o.out, "--migrate"));
    assert_string_equal(o.err, "");
    o = RUN(STAGE_EXTRACT, succeed, "--version");
    assert_int_equal(o.status, 0);
    assert_string_equal(o.out, "extract " TOOL_VERSION "\n");
}

static void ends_on_a_signal(void **state)
{
    (void)state;
    struct outcome o = RUN(STAGE_LOAD, wait_for_a_signal, "--config=c.yaml");
    assert_ends(&o, 75, "failed", "stopped by a signal; run it again to go on");
}

static void keeps_memory_and_files_private(void **state)
{
    (void)state;
    struct outcome o = RUN(STAGE_LOAD, look_around, "--config=c.yaml", "--staging=/elsewhere");
    assert_ends(&o, 0, "ok", NULL);
}

static void fails_when_the_final_line_cannot_be_written(void **state)
{
    (void)state;
    const char *const argv[] = {"stage", "--config=c.yaml", NULL};
    struct outcome o = run_to("/dev/full", STAGE_LOAD, succeed, argv);
    assert_int_equal(o.status, 74);
    o = run_to("/dev/full", STAGE_LOAD, fail_twice, argv);
    assert_int_equal(o.status, 69);
}

static void is_quiet_when_asked(void **state)
{
    (void)state;
    struct outcome o = RUN(STAGE_TRANSFORM, succeed, "--config=c.yaml", "--quiet", "--log-level=debug");
    assert_string_equal(o.err, "");
    o = RUN(STAGE_TRANSFORM, show_progress, "--config=c.yaml");
    assert_null(strchr(o.err, '\r'));
}

static void draws_progress_around_messages(void **state)
{
    (void)state;
    struct outcome o = RUN(STAGE_TRANSFORM, show_progress, "--config=c.yaml", "--progress=always");
    assert_ends(&o, 0, "ok", NULL);
    assert_non_null(strstr(o.err, "\r\033[Ktransform [......"));
    assert_non_null(strstr(o.err, "] 0/5,000 companies  0 records  0/s"));
    assert_non_null(strstr(o.err, " 2,500/5,000 companies  1,234,567 records  "));
    const char *message = strstr(o.err, "in between\n");
    assert_non_null(message);
    assert_memory_equal(message + strlen("in between\n"), "\r\033[Ktransform", 13);
    assert_int_equal(o.err[strlen(o.err) - 1], '\n');
}

/* Every test works in a folder of its own. */
static char folder[] = "/tmp/test_stage.XXXXXX";

static int enter(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || chdir(folder))
        return -1;
    FILE *f = fopen("c.yaml", "w");
    return f && fputs(CONFIG, f) >= 0 && fclose(f) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    unlink("c.yaml");
    unlink("out.txt");
    unlink("err.txt");
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_how_it_ended),
        cmocka_unit_test(tells_faults_before_it_begins),
        cmocka_unit_test(helps_without_a_final_line),
        cmocka_unit_test(ends_on_a_signal),
        cmocka_unit_test(keeps_memory_and_files_private),
        cmocka_unit_test(fails_when_the_final_line_cannot_be_written),
        cmocka_unit_test(is_quiet_when_asked),
        cmocka_unit_test(draws_progress_around_messages),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
