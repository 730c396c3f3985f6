#include "common/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/bus_error.h"

enum { LARGE_BYTES = 4 << 20 };

atomic_bool stop_requested;

static void on_stop(int signal)
{
    (void)signal;
    stop_requested = true;
}

bool stage_stopped(struct err *err)
{
    if (!stop_requested)
        return false;
    err_set(err, ERR_TRY_AGAIN, "stopped by a signal; run it again to go on");
    return true;
}

static void watch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop}; /* no SA_RESTART: a wait must end */
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

/* Memory holds social security numbers and keys: it must reach neither a core file nor a debugger of the same user,
 * and what is written is for this user alone. */
static void keep_private(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    umask(077);
}

/* What is large goes back to the system as soon as it is freed. By itself malloc learns from each such block to keep the
 * next one of its size. */
static void give_back_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    mallopt(M_TRIM_THRESHOLD, LARGE_BYTES);
}

static void *crypto_take(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return mem_take(size);
}

static void *crypto_realloc(void *p, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return mem_realloc(p, size);
}

static void crypto_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

/* What lacks memory and goes on says less than it should: a report without its counts, a digest that is none. */
static void share_memory(void)
{
    json_set_alloc_funcs(mem_take, free);
    CRYPTO_set_mem_functions(crypto_take, crypto_realloc, crypto_free);
}

/* A closed standard stream would lend its number to the next file opened, and messages would end in that file. */
static void occupy_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY) < 0)
            exit(ERR_IO);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void set_up_log(const struct stage_run *run)
{
    const struct options *o = &run->opt;
    int level = o->quiet && o->log_level > LOG_WARNING ? LOG_WARNING : o->log_level;
    log_setup((enum log_level)level, o->log_format == FORMAT_JSON, stage_enumeration.names[run->stage], run->run_id);
}

void stage_set_run(struct stage_run *run, const char *run_id)
{
    snprintf(run->run_id, sizeof run->run_id, "%s", run_id);
    set_up_log(run);
}

void stage_progress(const struct stage_run *run, long companies)
{
    const struct options *o = &run->opt;
    bool fit = isatty(STDERR_FILENO) && o->log_format == FORMAT_TEXT && !o->quiet;
    progress_setup(o->progress == PROGRESS_ALWAYS || (o->progress == PROGRESS_AUTO && fit),
                   stage_enumeration.names[run->stage], companies);
}

/* ---- selection ---- */

static uint64_t fnv1a(struct str s)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (uint32_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

bool stage_selects(const struct stage_run *run, struct str company_id)
{
    bool named = run->opt.n_companies == 0;
    for (int i = 0; i < run->opt.n_companies && !named; i++)
        named = str_is(company_id, run->opt.companies[i]);
    return named && (run->opt.shards <= 1 || fnv1a(company_id) % (uint64_t)run->opt.shards == (uint64_t)run->opt.shard);
}

/* A misspelt company would else select nothing and look like success. */
static bool check_companies(const struct stage_run *run, struct err *err)
{
    bool ok = true;
    for (int i = 0; i < run->opt.n_companies; i++)
        if (!config_find(&run->config, str_of(run->opt.companies[i])))
            ok = err_add(err, ERR_USAGE, "--company %s: no such company in %s", run->opt.companies[i],
                         run->config.path);
    return ok;
}

/* ---- the final line ---- */

static json_t *company_counts(int64_t ok, int64_t failed)
{
    json_t *counts = json_object();
    json_object_set_new(counts, "ok", json_integer(ok));
    json_object_set_new(counts, "failed", json_integer(failed));
    return counts;
}

void stage_report_totals(struct stage_run *run, const struct staging_totals *totals)
{
    json_t *rows = json_object(), *cents = json_object();
    for (int i = 0; i < totals->n_entities; i++) {
        const struct record *record = totals->entity[i].record;
        json_object_set_new(rows, record->entity, json_integer(totals->entity[i].rows));
        if (record->sum_field >= 0)
            json_object_set_new(cents, record->entity, json_integer(totals->entity[i].cents));
    }
    json_object_set_new(run->report, "companies", company_counts(totals->companies_ok, totals->companies_failed));
    json_object_set_new(run->report, "rows", rows);
    json_object_set_new(run->report, "cents", cents);
    json_object_set_new(run->report, "rejects", json_integer(totals->rejects));
}

/* Moves a member of the report into the line; the line has the usual ones whatever happened. */
static void take(json_t *line, json_t *report, const char *key, json_t *otherwise)
{
    json_t *value = json_object_get(report, key);
    json_object_set(line, key, value ? value : otherwise);
    json_object_del(report, key);
    json_decref(otherwise);
}

/* The text of an error with its lines kept apart and everything else made printable. */
static json_t *error_json(const char *text)
{
    struct buf clean = {0};
    for (const char *p = text; *p; p += strcspn(p, "\n")) {
        if (*p == '\n') {
            buf_addc(&clean, '\n');
            p++;
        }
        char *line = mem_printf("%.*s", (int)strcspn(p, "\n"), p);
        log_escape(&clean, line);
        free(line);
    }
    json_t *json = json_string(buf_str(&clean));
    buf_free(&clean);
    return json;
}

static char *final_line(const struct stage_run *run, const struct err *err, int64_t elapsed_ms)
{
    char period[MONTH_TEXT_MAX];
    json_t *line = json_object();
    const char *status = err->kind == ERR_NONE ? "ok" : err->kind == ERR_PARTIAL ? "partial" : "failed";
    json_object_set_new(line, "stage", json_string(stage_enumeration.names[run->stage]));
    json_object_set_new(line, "run_id", *run->run_id ? json_string(run->run_id) : json_null());
    json_object_set_new(line, "period",
                        run->opt.shards ? json_string(month_text(run->opt.period, period)) : json_null());
    json_object_set_new(line, "status", json_string(status));
    take(line, run->report, "companies", company_counts(0, 0));
    take(line, run->report, "rows", json_object());
    take(line, run->report, "cents", json_object());
    take(line, run->report, "discrepancies", json_object());
    json_object_update_missing(line, run->report);
    json_object_set_new(line, "elapsed_ms", json_integer(elapsed_ms));
    if (err->kind != ERR_NONE)
        json_object_set_new(line, "error", error_json(err->text));
    if (err->kind != ERR_NONE && err->retry_after_s > 0)
        json_object_set_new(line, "retry_after_s", json_integer(err->retry_after_s));
    char *text = json_dumps(line, JSON_COMPACT);
    json_decref(line);
    return text;
}

static void log_final(const struct err *err)
{
    for (const char *p = err->text; *p; p += *p == '\n') {
        int len = (int)strcspn(p, "\n");
        log_at(err->kind == ERR_PARTIAL ? LOG_WARNING : LOG_ERROR, "%.*s", len, p);
        p += len;
    }
}

/* In one piece, whatever signal comes: who started us reads nothing else. */
static bool tell(const char *line)
{
    struct buf b = {0};
    buf_adds(&b, line);
    buf_addc(&b, '\n');
    bool ok = true;
    for (size_t at = 0; ok && at < b.len;) {
        ssize_t n = write(STDOUT_FILENO, b.p + at, b.len - at);
        ok = n > 0 || (n < 0 && errno == EINTR);
        at += n > 0 ? (size_t)n : 0;
    }
    buf_free(&b);
    return ok;
}

/* Says how it ended, on stderr and stdout, and returns the exit status. */
static int finish(const struct stage_run *run, const struct err *err, int64_t elapsed_ms)
{
    progress_end();
    if (err->kind != ERR_NONE)
        log_final(err);
    char *line = final_line(run, err, elapsed_ms);
    bool told = line && tell(line);
    free(line);
    if (told)
        return (int)err->kind;
    log_error("cannot write the final line to standard output");
    return err->kind == ERR_NONE || err->kind == ERR_PARTIAL ? ERR_IO : (int)err->kind;
}

static int show_help(const struct stage_run *run)
{
    if (run->opt.help)
        options_help(run->stage);
    else
        printf("%s %s\n", stage_enumeration.names[run->stage], TOOL_VERSION);
    return fflush(stdout) == 0 ? ERR_NONE : ERR_IO;
}

static bool prepare(struct stage_run *run, struct err *err)
{
    const struct options *o = &run->opt;
    bool of_all = run->stage == STAGE_EXTRACT || o->close || o->reopen;
    stage_set_run(run, o->run_id ? o->run_id : "");
    if (!config_read(&run->config, o->config, run->stage, of_all || o->n_companies, err) || !check_companies(run, err))
        return false;
    if (!of_all)
        config_forget_companies(&run->config);
    malloc_trim(0);  /* of what it took to read them */
    run->staging_dir = o->staging ? o->staging : run->config.staging_dir;
    return true;
}

int stage_main(enum stage stage, int argc, char **argv, bool (*body)(struct stage_run *run, struct err *err))
{
    int64_t began_ms = now_ms();
    struct err err = {0};
    occupy_standard_streams();
    keep_private();
    give_back_memory();
    share_memory();
    watch_signals();
    bus_error_watch();
    struct stage_run run = {.stage = stage, .now = time(NULL), .report = json_object()};
    log_setup(LOG_INFO, false, stage_enumeration.names[stage], "");
    bool ok = options_parse(&run.opt, stage, argc, argv, run.now, &err);
    int status;
    if (!ok)
        options_free(&run.opt);
    if (ok && (run.opt.help || run.opt.version)) {
        status = show_help(&run);
    } else {
        ok = ok && prepare(&run, &err) && body(&run, &err);
        if (!ok && err.kind == ERR_NONE)
            err_set(&err, ERR_BUG, "failed without saying why");
        status = finish(&run, &err, now_ms() - began_ms);
    }
    config_free(&run.config);
    options_free(&run.opt);
    json_decref(run.report);
    return status;
}
