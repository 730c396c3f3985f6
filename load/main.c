/* load: what transform staged, into PostgreSQL, in one transaction. The only stage that writes to the database. */
#include <stdlib.h>

#include "load/base.h"
#include "load/close.h"
#include "load/migrate.h"

static bool open_input(struct load *l, struct err *err)
{
    char *run_id = NULL;
    struct stage_run *run = l->run;
    const struct options *o = &run->opt;
    if (!o->run_id && !staging_newest(run->staging_dir, o->period, STAGE_TRANSFORM, o->shard, o->shards, &run_id, err))
        return false;
    stage_set_run(run, o->run_id ? o->run_id : run_id);
    free(run_id);
    struct run_info info = {.stage = STAGE_TRANSFORM, .run_id = run->run_id, .period = o->period, .shard = o->shard,
                            .shards = o->shards};
    return staging_open(&l->in, run->staging_dir, &info, err);
}

/* The variables of sql/load/ that stay the same for the whole run; publish.c adds the others. */
static void set_variables(struct load *l)
{
    const struct stage_run *run = l->run;
    const struct options *o = &run->opt;
    struct arena *a = &l->arena;
    char day[DATE_TEXT_MAX], as_of[INSTANT_TEXT_MAX], began_at[INSTANT_TEXT_MAX], started_at[INSTANT_TEXT_MAX];
    month_t last = o->period - (month_t)run->config.invoice_month_shift;
    month_t first = last - (month_t)run->config.lookback_months;
    instant_text(o->as_of == INSTANT_NONE ? l->in.info.as_of : o->as_of, as_of);
    const struct variable variables[] = {
        {"run_id", run->run_id},
        {"shard", arena_printf(a, "%d", o->shard)},
        {"shards", arena_printf(a, "%d", o->shards)},
        {"period", arena_printf(a, "%s", date_text(month_first(o->period), day))},
        {"as_of", arena_printf(a, "%s", as_of)},
        {"began_at", arena_printf(a, "%s", instant_text(l->in.info.began_at, began_at))},
        {"manifest", l->in.sha256},
        {"started_at", arena_printf(a, "%s", instant_text(run->now, started_at))},
        {"stale_after", arena_printf(a, "%lld", (long long)run->config.stale_after_s)},
        {"version", TOOL_VERSION},
        {"whole", l->whole ? "true" : "false"},
        {"window", arena_printf(a, "%s", date_text(month_first(o->period - (month_t)run->config.lookback_months), day))},
        {"any_present", entity_any_present(o->period, first, last, a)},
    };
    l->window_first = first;
    l->window_last = last;
    l->n_variables = sizeof variables / sizeof *variables;
    memcpy(l->variables, variables, sizeof variables);
    for (int i = 0; i < n_entities; i++)
        entity_variables(&entities[i], o->period, first, last, a, l->entity[i].variables);
}

static bool connect(struct load *l, struct err *err)
{
    return pg_connect(&l->pg, l->run->config.database_url, "alan-load", err);
}

static bool load_body(struct stage_run *run, struct err *err)
{
    struct load l = {.run = run, .whole = run->opt.n_companies == 0};
    bool ok;
    if (run->opt.migrate) {
        ok = connect(&l, err) && migrate(&l.pg, run, err);
    } else if (run->opt.close || run->opt.reopen) {
        ok = connect(&l, err) && close_companies(&l.pg, run, err);
    } else {
        ok = open_input(&l, err);
        l.ahead = ok ? ahead_start(run, &l.in) : NULL;
        ok = ok && connect(&l, err);
        if (ok) {
            set_variables(&l);
            ok = publish(&l, err);
        }
        if (ok)
            report_fill(&l);
        if (ok && (l.companies_failed || l.rejects))
            err_set(err, ERR_PARTIAL, "%lld companies were not read, %lld records were rejected",
                    (long long)l.companies_failed, (long long)l.rejects);
    }
    pg_close(&l.pg);
    ahead_end(l.ahead);
    base_close(l.base);
    known_end(&l);
    staging_close(&l.in);
    arena_free(&l.arena);
    return ok;
}

int main(int argc, char **argv)
{
    return stage_main(STAGE_LOAD, argc, argv, load_body);
}
