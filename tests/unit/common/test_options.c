#include "common/stage.h"
#include "tests/unit/common/support.h"

enum { ARGUMENTS_MAX = 12 };
static const instant_t NOW = 1795226096; /* 2026-11-21T01:54:56Z */

/* Splits a command line at its spaces and parses it; words are gone with the next call. */
static bool parse(struct options *o, enum stage stage, const char *line, struct err *err)
{
    static char words[512];
    char *argv[ARGUMENTS_MAX + 1] = {words};
    int argc = 1;
    snprintf(words, sizeof words, "stage %s", line);
    strtok(words, " ");
    for (char *w = strtok(NULL, " "); w && argc < ARGUMENTS_MAX; w = strtok(NULL, " "))
        argv[argc++] = w;
    return options_parse(o, stage, argc, argv, NOW, err);
}

static struct options parse_ok(enum stage stage, const char *line)
{
    struct options o;
    struct err err = {0};
    if (!parse(&o, stage, line, &err))
        fail_msg("%s: %s", line, err.text);
    return o;
}

static void forget_array_job(void)
{
    unsetenv("SLURM_ARRAY_TASK_ID");
    unsetenv("SLURM_ARRAY_TASK_COUNT");
    unsetenv("JOB_COMPLETION_INDEX");
    unsetenv("SHARD_COUNT");
}

static void has_defaults(void **state)
{
    (void)state;
    struct options o = parse_ok(STAGE_LOAD, "");
    assert_string_equal(o.config, "pipeline.yaml");
    assert_int_equal(o.period, 2026 * 12 + 10);
    assert_null(o.staging);
    assert_null(o.run_id);
    assert_null(o.note);
    assert_int_equal(o.n_companies, 0);
    assert_int_equal(o.shard, 0);
    assert_int_equal(o.shards, 1);
    assert_true(o.as_of == INSTANT_NONE);
    assert_int_equal(o.jobs, 0);
    assert_int_equal(o.log_level, LOG_INFO);
    assert_int_equal(o.log_format, FORMAT_TEXT);
    assert_int_equal(o.progress, PROGRESS_AUTO);
    assert_false(o.dry_run || o.quiet || o.help || o.version || o.check || o.migrate || o.close || o.reopen ||
                 o.allow_empty);
    options_free(&o);
}

static void reads_every_option(void **state)
{
    (void)state;
    struct options o = parse_ok(STAGE_EXTRACT, "--config=c.yaml --period 2026-04 --run-id=r.1 --staging /s --company a");
    assert_string_equal(o.config, "c.yaml");
    assert_int_equal(o.period, 2026 * 12 + 3);
    assert_string_equal(o.run_id, "r.1");
    assert_string_equal(o.staging, "/s");
    options_free(&o);
    o = parse_ok(STAGE_TRANSFORM, "--company a --company=b --shard 2/3 --as-of 2026-04-30T04:00:00+02:00 --jobs 256");
    assert_int_equal(o.n_companies, 2);
    assert_string_equal(o.companies[1], "b");
    assert_int_equal(o.shard, 2);
    assert_int_equal(o.shards, 3);
    assert_int_equal(o.as_of, 1777514400);
    assert_int_equal(o.jobs, 256);
    options_free(&o);
    o = parse_ok(STAGE_LOAD, "--dry-run --quiet --log-format json --log-level=debug --progress never --allow-empty");
    assert_true(o.dry_run && o.quiet && o.allow_empty);
    assert_int_equal(o.log_format, FORMAT_JSON);
    assert_int_equal(o.log_level, LOG_DEBUG);
    assert_int_equal(o.progress, PROGRESS_NEVER);
    options_free(&o);
    o = parse_ok(STAGE_LOAD, "--migrate");
    assert_true(o.migrate);
    options_free(&o);
    o = parse_ok(STAGE_LOAD, "--close --note=why");
    assert_true(o.close);
    assert_string_equal(o.note, "why");
    options_free(&o);
    o = parse_ok(STAGE_LOAD, "--reopen --note=why");
    assert_true(o.reopen);
    options_free(&o);
    o = parse_ok(STAGE_LOAD, "--close");
    assert_null(o.note);
    options_free(&o);
    o = parse_ok(STAGE_EXTRACT, "--check");
    assert_true(o.check);
    options_free(&o);
    o = parse_ok(STAGE_EXTRACT, "--version --nonsense");
    assert_true(o.version);
    options_free(&o);
}

static void refuses_faults(void **state)
{
    static const struct { enum stage stage; const char *line, *fault; } cases[] = {
        {STAGE_LOAD, "--perod 2026-04", "unknown option --perod; did you mean --period?"},
        {STAGE_LOAD, "--nonsense", "unknown option --nonsense; --help lists the options"},
        {STAGE_LOAD, "--check", "unknown option --check; --help lists the options"},
        {STAGE_TRANSFORM, "--migrate", "unknown option --migrate; --help lists the options"},
        {STAGE_EXTRACT, "--allow-empty", "unknown option --allow-empty; --help lists the options"},
        {STAGE_LOAD, "2026-04", "unexpected argument \"2026-04\"; --help lists the options"},
        {STAGE_LOAD, "-q", "unexpected argument \"-q\"; --help lists the options"},
        {STAGE_LOAD, "--", "unexpected argument \"--\"; --help lists the options"},
        {STAGE_LOAD, "--quiet=yes", "--quiet takes no value"},
        {STAGE_LOAD, "--period", "--period needs a value: YYYY-MM"},
        {STAGE_LOAD, "--period 2026-4", "--period: expected a month as YYYY-MM, found \"2026-4\""},
        {STAGE_LOAD, "--period 2026-13", "--period: expected a month as YYYY-MM, found \"2026-13\""},
        {STAGE_LOAD, "--config=", "--config: expected 1 to 4096 bytes of text, found \"\""},
        {STAGE_LOAD, "--run-id ../x", "--run-id: expected 1 to 64 letters, digits, dots, dashes or underscores, not"
                                      " beginning with a dot or a dash, found \"../x\""},
        {STAGE_LOAD, "--company a/b", "--company: expected a company id of the configuration, found \"a/b\""},
        {STAGE_LOAD, "--shard 3/3", "--shard: expected I/N with 0 <= I < N, found \"3/3\""},
        {STAGE_LOAD, "--shard -1/3", "--shard: expected I/N with 0 <= I < N, found \"-1/3\""},
        {STAGE_LOAD, "--shard 0/0", "--shard: expected I/N with 0 <= I < N, found \"0/0\""},
        {STAGE_LOAD, "--shard 1", "--shard: expected I/N with 0 <= I < N, found \"1\""},
        {STAGE_LOAD, "--as-of 2026-04-30", "--as-of: expected an instant such as 2026-11-23T02:00:00Z, found"
                                           " \"2026-04-30\""},
        {STAGE_LOAD, "--jobs 0", "--jobs: expected a whole number from 1 to 256, found \"0\""},
        {STAGE_LOAD, "--jobs 257", "--jobs: expected a whole number from 1 to 256, found \"257\""},
        {STAGE_LOAD, "--jobs 4x", "--jobs: expected a whole number from 1 to 256, found \"4x\""},
        {STAGE_LOAD, "--log-format xml", "--log-format: expected text|json, found \"xml\""},
        {STAGE_LOAD, "--log-level err", "--log-level: expected error|warning|info|debug, found \"err\""},
        {STAGE_LOAD, "--migrate --allow-empty", "--migrate and --allow-empty contradict each other"},
        {STAGE_LOAD, "--migrate --dry-run", "--migrate and --dry-run contradict each other"},
        {STAGE_EXTRACT, "--dry-run --check", "--check and --dry-run contradict each other"},
        {STAGE_LOAD, "--close --reopen", "--close and --reopen contradict each other"},
        {STAGE_LOAD, "--close --migrate", "--migrate and --close contradict each other"},
        {STAGE_LOAD, "--close --dry-run", "--close and --dry-run contradict each other"},
        {STAGE_LOAD, "--note x", "--note goes with --close or --reopen"},
        {STAGE_LOAD, "--reopen", "--reopen needs --note: the reason, which is kept"},
        {STAGE_EXTRACT, "--close", "unknown option --close; --help lists the options"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct options o;
        struct err err = {0};
        assert_false(parse(&o, cases[i].stage, cases[i].line, &err));
        assert_int_equal(err.kind, ERR_USAGE);
        assert_string_equal(err.text, cases[i].fault);
        options_free(&o);
    }
}

static void reads_the_shard_of_an_array_job(void **state)
{
    static const struct { const char *slurm_id, *slurm_count, *index, *count, *line; int shard, shards; } cases[] = {
        {"2", "4", NULL, NULL, "", 2, 4},
        {NULL, NULL, "0", "3", "", 0, 3},
        {"2", "4", "0", "3", "", 2, 4},
        {"", "", "1", "3", "", 1, 3},
        {"2", "4", NULL, NULL, "--shard 0/1", 0, 1},
        {"9", NULL, NULL, NULL, "--shard 1/2", 1, 2},
        {"4", "4", NULL, NULL, "", -1, 0},
        {"2", NULL, NULL, NULL, "", -1, 0},
        {NULL, "4", NULL, NULL, "", -1, 0},
        {NULL, NULL, "1", NULL, "", -1, 0},
        {NULL, NULL, "x", "3", "", -1, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *const names[] = {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "JOB_COMPLETION_INDEX",
                                     "SHARD_COUNT"};
        const char *const values[] = {cases[i].slurm_id, cases[i].slurm_count, cases[i].index, cases[i].count};
        struct options o;
        struct err err = {0};
        forget_array_job();
        for (size_t v = 0; v < COUNT_OF(names); v++)
            if (values[v])
                setenv(names[v], values[v], 1);
        bool ok = parse(&o, STAGE_TRANSFORM, cases[i].line, &err);
        assert_int_equal(ok, cases[i].shard >= 0);
        if (ok) {
            assert_int_equal(o.shard, cases[i].shard);
            assert_int_equal(o.shards, cases[i].shards);
        } else {
            assert_int_equal(err.kind, ERR_USAGE);
        }
        options_free(&o);
    }
    forget_array_job();
}

static void selects_by_name_and_by_stable_hash(void **state)
{
    /* FNV-1a 64 of "acme" is 0724d383f4f6de0f */
    (void)state;
    const char *named[] = {"acme", "beta"};
    struct stage_run run = {.opt = {.companies = named, .n_companies = 2, .shards = 1}};
    assert_true(stage_selects(&run, STR("beta")));
    assert_false(stage_selects(&run, STR("bet")));
    run.opt.n_companies = 0;
    run.opt.shards = 1000;
    run.opt.shard = (int)(UINT64_C(0x0724d383f4f6de0f) % 1000);
    assert_true(stage_selects(&run, STR("acme")));
    run.opt.shard++;
    assert_false(stage_selects(&run, STR("acme")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_defaults),
        cmocka_unit_test(reads_every_option),
        cmocka_unit_test(refuses_faults),
        cmocka_unit_test(reads_the_shard_of_an_array_job),
        cmocka_unit_test(selects_by_name_and_by_stable_hash),
    };
    forget_array_job();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
