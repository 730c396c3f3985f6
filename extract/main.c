/* extract: from the sources to staged records. What it does, in order: read the descriptions, see that the database can
 * be read, choose the run, read the files that hold all companies, fetch, put companies together as they come,
 * publish. */
#include "extract/assemble.h"

/* Transfers wait more than they compute, so there are more of them than cores; as many as a server takes from one
 * client without calling it an attack. */
enum { PARALLEL_DEFAULT = 16 };

struct extracting {
    struct stage_run *run;
    struct source *sources;
    int n_sources;
    month_t first, last;           /* billing months */
    struct extract_run extract;
    struct staging_out out;
    struct assembly assembly;
    int next;                      /* company to be fetched */
};

/* ---- what is to be read ---- */

static void select_companies(struct extracting *x)
{
    const struct config *config = &x->run->config;
    struct assembly *a = &x->assembly;
    queue_init(&a->queue, config->n_companies, x->n_sources);
    for (int i = 0; i < config->n_companies; i++)
        if (stage_selects(x->run, str_of(config->companies[i].id)))
            queue_add(&a->queue, &config->companies[i]);
    a->good = mem_alloc(sizeof *a->good * ((size_t)a->queue.n + 1));
}

static bool prepare(struct extracting *x, struct err *err)
{
    struct assembly *a = &x->assembly;
    const struct config *config = &x->run->config;
    if (!sources_read(&x->run->config, &x->sources, &x->n_sources, err))
        return false;
    select_companies(x);
    x->last = x->run->opt.period - (month_t)config->invoice_month_shift;
    x->first = x->last - (month_t)config->lookback_months;
    a->run = x->run;
    a->extract = &x->extract;
    a->sources = x->sources;
    a->n_sources = x->n_sources;
    a->first = x->first;
    a->last = x->last;
    a->out = &x->out;
    a->mapping.log = &a->log;
    return decided_open(&a->decided, config->database_url, x->first, x->last, (int)config->invoice_month_shift, err);
}

static const struct config_company *next_company(void *arg)
{
    struct extracting *x = arg;
    if (x->next == x->assembly.queue.n)
        return NULL;
    const struct config_company *company = x->assembly.queue.companies[x->next++];
    if (x->extract.raw_dir)
        extract_run_company(&x->extract, company->id);
    return company;
}

static void company_done(void *arg, const struct fetch_outcome *outcome)
{
    assembly_take(&((struct extracting *)arg)->assembly, outcome);
}

static bool go_on(void *arg, struct err *err)
{
    return assembly_goes_on(&((struct extracting *)arg)->assembly, err);
}

static struct fetch_plan plan_of(struct extracting *x)
{
    return (struct fetch_plan){
        .sources = x->sources, .n_sources = x->n_sources, .first = x->first, .last = x->last,
        .raw_dir = x->extract.raw_dir, .cache_dir = x->extract.cache_dir,
        .parallel = x->run->opt.jobs ? x->run->opt.jobs : PARALLEL_DEFAULT,
        .next_company = next_company, .company_done = company_done, .go_on = go_on, .arg = x,
    };
}

/* Rows of unknown companies are told once: by a run over all companies, by its first shard. */
static bool read_shared(struct extracting *x, struct err *err)
{
    struct assembly *a = &x->assembly;
    bool strangers = x->run->opt.n_companies == 0 && x->run->opt.shard == 0;
    mapping_begin(&a->mapping, a->part_open ? &a->part : NULL, NULL, &a->arena);
    bool ok = shared_read(&a->shared, x->sources, x->n_sources, &x->run->config, x->first, x->last, strangers,
                          &a->mapping, err);
    a->read += a->mapping.read;
    return ok;
}

/* ---- --check ---- */

static void report(const char *line)
{
    log_info("%s", line);
}

static bool check(struct extracting *x, struct err *err)
{
    struct fetch_plan plan = plan_of(x);
    struct err file = {0};
    bool ok = fetch_check(&plan, report, err);
    if (!read_shared(x, &file))
        return err_set(err, file.kind, "%s", file.text);
    for (int s = 0; s < x->n_sources; s++) {
        const struct err *fault = NULL;
        if (shared_outcome(&x->assembly.shared, &x->sources[s], &fault) != SYNC_FAILED)
            continue;
        ok = ok ? err_set(err, fault->kind, "%s: %s", x->sources[s].name, fault->text)
                : err_add(err, fault->kind, "%s: %s", x->sources[s].name, fault->text);
    }
    reject_log_write(&x->assembly.log);
    return ok;
}

/* ---- a run ---- */

static bool begin(struct extracting *x, struct err *err)
{
    const struct stage_run *run = x->run;
    extract_run_choose(&x->extract, run, x->sources, x->n_sources);
    stage_set_run(x->run, x->extract.run_id);
    struct run_info info = {
        .stage = STAGE_EXTRACT, .run_id = x->extract.run_id, .period = run->opt.period,
        .as_of = run->opt.as_of != INSTANT_NONE ? run->opt.as_of : x->extract.began_at, .began_at = x->extract.began_at,
        .shard = run->opt.shard, .shards = run->opt.shards, .dry_run = run->opt.dry_run,
    };
    if (!staging_begin(&x->out, run->staging_dir, &info, err) || !extract_run_begin(&x->extract, run, x->out.path, err))
        return false;
    char first[MONTH_TEXT_MAX], last[MONTH_TEXT_MAX];
    log_info("%s: %d companies, billing months %s to %s", x->extract.continued ? "continuing" : "beginning",
             x->assembly.queue.n, month_text(x->first, first), month_text(x->last, last));
    part_begin(&x->assembly.part, &x->out, 0);
    x->assembly.part_open = true;
    return read_shared(x, err);
}

static bool beyond_limit(const struct config *config, int64_t rejects, int64_t read)
{
    if (config->reject_limit_count != INT_NONE)
        return rejects > config->reject_limit_count;
    return rejects * PPM_ONE > config->reject_limit_ppm * read;
}

/* What the pages of each company become: the cache of the next run where they made good records of a published run. */
static bool keep_pages(struct extracting *x, bool published, struct err *err)
{
    const struct assembly *a = &x->assembly;
    if (!extract_run_end(&x->extract, err))
        return false;
    for (int i = 0; i < a->queue.n; i++)
        if (!extract_run_keep(&x->extract, a->queue.companies[i]->id, x->run->config.archive_raw && !x->run->opt.dry_run,
                              published && a->good[i], err))
            return false;
    return true;
}

static bool tidy(struct extracting *x, struct err *err)
{
    return extract_run_tidy(&x->extract, x->run->now, err) &&
           staging_purge(x->run->staging_dir, (int)x->run->config.keep_runs, (int)x->run->config.keep_months, err);
}

/* Nobody could be read: there is nothing to publish, and the run may go on later. */
static bool all_failed(struct extracting *x, struct err *err)
{
    *err = x->assembly.worst;
    return err_prefix(err, "all %d companies failed, the first reason that counts", x->assembly.n_failed);
}

static bool refuse(struct extracting *x, const char *folder, int64_t rejects, struct err *err)
{
    if (!keep_pages(x, false, err))
        return false;
    return err_set(err, ERR_DATA, "%lld records rejected, more than rules.reject_limit allows; nothing was published, "
                   "%s/rejects.ndjson tells what and why", (long long)rejects, folder);
}

/* What there is to tell, whether it is published or not. */
static void tell(struct extracting *x, const struct staging_totals *totals)
{
    const struct assembly *a = &x->assembly;
    stage_report_totals(x->run, totals);
    json_object_set_new(x->run->report, "read", json_integer(a->read));
    json_object_set_new(x->run->report, "repeated", json_integer(a->repeated));
    json_object_set_new(x->run->report, "passed_over", json_integer(a->passed_over));
    reject_log_write(&a->log);
}

static bool publish(struct extracting *x, struct err *err)
{
    struct assembly *a = &x->assembly;
    struct staging_totals totals;
    if (!staging_count(&x->out, a->n_parts, &totals, err))
        return false;
    bool none = a->queue.n > 0 && a->n_failed == a->queue.n;
    bool refused = beyond_limit(&x->run->config, totals.rejects, a->read);
    char *folder = arena_copy(&a->arena, x->out.path, strlen(x->out.path));
    if (!staging_publish(&x->out, a->n_parts, !none && !refused && !x->run->opt.dry_run, &totals, err))
        return false;
    tell(x, &totals);
    if (refused)
        return refuse(x, folder, totals.rejects, err);
    if (none)
        return all_failed(x, err);
    bool published = !x->run->opt.dry_run;
    if (!keep_pages(x, published, err) || (published && !tidy(x, err)))
        return false;
    if (a->n_failed || totals.rejects) {
        err_set(err, ERR_PARTIAL, "%d of %d companies failed, %lld records rejected", a->n_failed, a->queue.n,
                (long long)totals.rejects);
        if (a->n_failed)
            err_add(err, ERR_PARTIAL, "%s", a->worst.text);
    }
    return true;
}

static bool extract(struct extracting *x, struct err *err)
{
    struct fetch_plan plan;
    if (!begin(x, err))
        return false;
    plan = plan_of(x);
    stage_progress(x->run, x->assembly.queue.n);
    assembly_begin(&x->assembly);
    bool fetched = fetch_all(&plan, err), ok = assembly_end(&x->assembly, fetched, err);
    progress_end();
    return ok && publish(x, err);
}

static bool body(struct stage_run *run, struct err *err)
{
    struct extracting x = {.run = run};
    bool ok = prepare(&x, err) && (run->opt.check ? check(&x, err) : extract(&x, err));
    assembly_free(&x.assembly);
    if (x.out.path)
        staging_abandon(&x.out);
    extract_run_close(&x.extract);
    return ok;
}

int main(int argc, char **argv)
{
    return stage_main(STAGE_EXTRACT, argc, argv, body);
}
