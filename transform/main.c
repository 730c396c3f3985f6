/* transform: from the canonical records of extract to contributions, discrepancies and controls. A pure function of staged
 * files, the rules of pipeline.yaml and --as-of. */
#include <stdlib.h>
#include <unistd.h>

#include "transform/workers.h"

static bool open_input(struct stage_run *run, struct staging_in *in, struct err *err)
{
    char *run_id = NULL;
    const struct options *o = &run->opt;
    if (!o->run_id && !staging_newest(run->staging_dir, o->period, STAGE_EXTRACT, o->shard, o->shards, &run_id, err))
        return false;
    stage_set_run(run, o->run_id ? o->run_id : run_id);
    free(run_id);
    struct run_info info = {.stage = STAGE_EXTRACT, .run_id = run->run_id, .period = o->period, .shard = o->shard,
                            .shards = o->shards};
    return staging_open(in, run->staging_dir, &info, err);
}

static bool begin_output(const struct stage_run *run, const struct staging_in *in, struct staging_out *out,
                         struct err *err)
{
    struct run_info info = in->info;
    info.stage = STAGE_TRANSFORM;
    info.run_id = run->run_id;
    info.made_from = in->sha256;
    info.shard = run->opt.shard;
    info.shards = run->opt.shards;
    info.dry_run = run->opt.dry_run;
    if (run->opt.as_of != INSTANT_NONE)
        info.as_of = run->opt.as_of;
    return staging_begin(out, run->staging_dir, &info, err);
}

static struct days days_of(month_t month)
{
    return (struct days){month_first(month), month_last(month)};
}

static struct rules rules_of(const struct stage_run *run, instant_t as_of)
{
    month_t last = run->opt.period - (month_t)run->config.invoice_month_shift;
    return (struct rules){.period = run->opt.period, .first_billing = last - (month_t)run->config.lookback_months,
                          .last_billing = last, .period_days = days_of(run->opt.period), .billing_days = days_of(last),
                          .as_of = as_of, .today = instant_date(as_of), .config = &run->config};
}

/* What extract rejected goes on to the reports with what is rejected here: the lines of the selected companies. */
static bool keep_earlier_rejects(const struct stage_run *run, const struct staging_in *in, struct buf *kept,
                                 int64_t *ret_n, struct err *err)
{
    struct map map;
    struct arena arena = {0};
    bool ok = true;
    int64_t line = 1;
    *ret_n = 0;
    if (!in->rejects)
        return true;
    if (!rejects_open(&map, in, err))
        return false;
    for (size_t at = 0; ok && at < map.len;) {
        const char *newline = memchr(map.p + at, '\n', map.len - at);
        size_t end = newline ? (size_t)(newline - map.p) : map.len;
        struct reject reject;
        struct faults faults = {0};
        ok = ndjson_decode(&reject_record, (struct str){map.p + at, (uint32_t)(end - at), false}, &arena, &reject, &faults) ||
             err_set(err, ERR_DATA, "%s/rejects.ndjson: line %lld is no reject", in->path, (long long)line);
        if (ok && (!reject.company_id.p || stage_selects(run, reject.company_id))) {
            buf_add(kept, map.p + at, end - at);
            buf_addc(kept, '\n');
            ++*ret_n;
        }
        arena_reset(&arena);
        at = end + 1;
        line++;
    }
    map_close(&map);
    arena_free(&arena);
    return ok;
}

static int64_t rows_read(const struct staging_in *in)
{
    int64_t rows = 0;
    for (int i = 0; i < in->n_files; i++)
        rows += in->file[i].part >= 0 ? in->file[i].rows : 0;
    return rows;
}

/* Publishes unless too much was rejected; status 3 where something was left behind. */
static bool publish(struct stage_run *run, const struct staging_in *in, struct staging_out *out, struct err *err)
{
    struct staging_totals totals;
    struct err limit = {0};
    if (!staging_count(out, in->n_parts, &totals, err))
        return false;
    bool within = config_within_reject_limit(&run->config, totals.rejects, rows_read(in), &limit);
    if (!staging_publish(out, in->n_parts, within && !run->opt.dry_run, &totals, err))
        return false;
    stage_report_totals(run, &totals);
    if (!within) {
        *err = limit;
        return false;
    }
    if (totals.companies_failed || totals.rejects) {
        err_set(err, ERR_PARTIAL, "%lld companies were not read, %lld records were rejected",
                (long long)totals.companies_failed, (long long)totals.rejects);
    }
    return true;
}

static void report_found(struct stage_run *run, const int64_t found[severity_count])
{
    json_t *counts = json_object();
    for (int i = 1; i < severity_count; i++)
        json_object_set_new(counts, severity_enumeration.names[i], json_integer(found[i]));
    json_object_set_new(run->report, "discrepancies", counts);
}

static bool transform(struct stage_run *run, struct err *err)
{
    struct staging_in in = {0};
    struct staging_out out = {.lock_fd = -1};
    struct buf earlier = {0};
    bool ok = open_input(run, &in, err) && begin_output(run, &in, &out, err) &&
              keep_earlier_rejects(run, &in, &earlier, &out.n_earlier_rejects, err);
    if (ok) {
        struct rules rules = rules_of(run, out.info.as_of);
        out.earlier_rejects = (struct str){earlier.p, (uint32_t)earlier.len, false};
        int jobs = run->opt.jobs ? run->opt.jobs : (int)sysconf(_SC_NPROCESSORS_ONLN);
        stage_progress(run, (long)(in.companies_ok + in.companies_failed));
        int64_t found[severity_count];
        ok = workers_run(run, &rules, &in, &out, jobs, found, err);
        progress_end();
        report_found(run, found);
        ok = ok && publish(run, &in, &out, err);
    }
    if (!ok)
        staging_abandon(&out);
    staging_close(&in);
    buf_free(&earlier);
    return ok;
}

int main(int argc, char **argv)
{
    return stage_main(STAGE_TRANSFORM, argc, argv, transform);
}
