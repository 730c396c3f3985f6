/* The transaction: all of a run or nothing of it. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load/base.h"
#include "load/migrate.h"

enum {
    ATTEMPTS = 4,              /* of a transaction that the server gave up on for another's sake */
    SETTLE_ATTEMPTS = 10,      /* looks for a run after a connection lost at COMMIT … */
    SETTLE_PAUSE_MS = 500      /* … and the pause between them: the server may still be at it */
};

/* ---- the companies ---- */

static bool refuse_empty(struct load *l, struct err *err)
{
    PGresult *result;
    if (l->run->opt.allow_empty)
        return true;
    if (!load_select(l, &sql_load_empty, NULL, &result, err))
        return false;
    bool ok = true;
    for (int i = 0; i < PQntuples(result); i++)
        ok = err_add(err, ERR_DATA, "company %s: the run has no invoice, but the month holds contributions; "
                     "run load with --allow-empty when that is right", PQgetvalue(result, i, 0));
    PQclear(result);
    return ok;
}

/* Before anything of this run is written, months loaded earlier are frozen as they stand; at its end, a month that this
 * run was the first to load. */
static bool close_reported(struct load *l, struct err *err)
{
    PGresult *result;
    if (!load_select(l, &sql_load_close_reported, NULL, &result, err))
        return false;
    l->months_closed += load_number(result, 0, 0);
    PQclear(result);
    return true;
}

static bool take_companies(struct load *l, struct err *err)
{
    return stream_companies(l, err) && load_run(l, &sql_load_analyze_companies, NULL, NULL, err) &&
           load_run(l, &sql_load_company_new, NULL, &l->companies.inserted, err) &&
           load_run(l, &sql_load_company_lock, NULL, NULL, err) && close_reported(l, err) &&
           load_run(l, &sql_load_company_changed, NULL, &l->companies.updated, err) &&
           load_run(l, &sql_load_closed, NULL, &l->companies_closed, err) && refuse_empty(l, err) &&
           load_run(l, &sql_load_period, NULL, NULL, err) && load_run(l, &sql_load_plan_count, NULL, NULL, err) &&
           known_begin(l, err);
}

/* ---- the run's own row ---- */

static bool write_run(struct load *l, const struct query *q, struct err *err)
{
    PGresult *result;
    int n = l->n_variables;
    load_variable(l, "counts", report_counts(l, &l->arena));
    load_variable(l, "cents", report_cents(l, &l->arena));
    load_variable(l, "status", l->companies_failed || l->rejects ? "partial" : "ok");
    bool ok = load_select(l, q, NULL, &result, err);
    l->n_variables = n;
    if (!ok)
        return false;
    snprintf(l->finished_at, sizeof l->finished_at, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return true;
}

/* A run that is loaded again without any change leaves no trace. */
static bool record_run(struct load *l, struct err *err)
{
    PGresult *result;
    if (!load_select(l, &sql_load_run_known, NULL, &result, err))
        return false;
    bool exists = PQntuples(result) == 1, same = exists && PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    if (!exists && !write_run(l, &sql_load_run, err))   /* rejects refer to it */
        return false;
    if (!load_changes(l, &sql_load_rejects, NULL, &l->reject_changes, err))
        return false;
    if (!exists || (same && !merge_changed(l)))
        return true;
    return write_run(l, l->whole ? &sql_load_run : &sql_load_run_touch, err);
}

/* ---- the transaction ---- */

/* Every file of the run is what its manifest says, also those that nothing was read from. */
static bool verified(struct load *l, struct err *err)
{
    return !l->in.n_parts || ahead_wait(l->ahead, l->in.n_parts - 1, err);
}

/* The facts, of companies that do not bring the same again. */
static bool facts(struct load *l, struct err *err)
{
    if (!stream_entities(l, err))
        return false;
    if (!l->staged)
        return true;
    log_debug("%lld companies by what differs, %lld whole", (long long)l->companies_based,
              (long long)l->companies_whole);
    return (!l->suspended || load_run(l, &sql_load_restore_indexes, NULL, NULL, err)) &&
           load_run(l, &sql_load_analyze_brought, NULL, NULL, err) &&
           check_came(l, err) && merge_entities(l, err) && load_run(l, &sql_load_remember, NULL, NULL, err) &&
           check_now(l, err);
}

static bool month_read(struct load *l, struct err *err)
{
    PGresult *result;
    if (!load_select(l, &sql_load_month_read, NULL, &result, err))
        return false;
    l->companies_later = load_number(result, 0, 0);
    PQclear(result);
    return true;
}

static bool body(struct load *l, struct err *err)
{
    return load_run(l, &sql_load_begin, NULL, NULL, err) &&
           (!l->run->opt.dry_run || load_run(l, &sql_load_partition, NULL, NULL, err)) && take_companies(l, err) &&
           facts(l, err) && verified(l, err) && stream_sources(l, err) &&
           load_changes(l, &sql_load_source_sync, NULL, &l->syncs, err) && merge_discrepancies(l, err) &&
           month_read(l, err) && close_reported(l, err) && record_run(l, err);
}

/* After a connection lost at COMMIT: whether the server did it. */
static bool settle(struct load *l, struct err *err)
{
    if (!*l->finished_at)
        return err_set(err, ERR_TRY_AGAIN, "connection lost at COMMIT: run load again");  /* nothing to look up */
    char shard[16], shards[16];
    snprintf(shard, sizeof shard, "%d", l->run->opt.shard);
    snprintf(shards, sizeof shards, "%d", l->run->opt.shards);
    const char *values[] = {l->run->run_id, shard, shards, l->finished_at};
    log_warning("connection lost at COMMIT: looking up whether run %s was published", l->run->run_id);
    for (int i = 0; i < SETTLE_ATTEMPTS; i++) {
        struct err ignored = {0};
        PGresult *result;
        pg_close(&l->pg);
        if (!pg_connect(&l->pg, l->run->config.database_url, "alan-load", &ignored))
            return err_set(err, ERR_TRY_AGAIN, "connection lost at COMMIT; %s; it is not known whether run %s was "
                           "published: run load again", ignored.text, l->run->run_id);
        if (pg_select(&l->pg, &sql_load_run_committed, values, 4, &result, &ignored)) {
            bool there = PQntuples(result) == 1;
            PQclear(result);
            if (there)
                return true;
        }
        poll(NULL, 0, SETTLE_PAUSE_MS);
    }
    return err_set(err, ERR_TRY_AGAIN, "connection lost at COMMIT and run %s is not in the database: run load again",
                   l->run->run_id);
}

static bool finish(struct load *l, struct err *err)
{
    struct err commit_err = {0};
    if (stage_stopped(err))
        return false;
    if (l->run->opt.dry_run)
        return load_run(l, &sql_load_rollback, NULL, NULL, err);
    l->pg.uninterruptible = true;
    if (load_run(l, &sql_load_commit, NULL, NULL, &commit_err))
        return true;
    if (pg_lost(&l->pg))
        return settle(l, err);
    *err = commit_err;
    return false;
}

/* What one attempt counted, for the next one to count again. */
static void forget(struct load *l)
{
    l->companies_ok = l->companies_failed = l->rejects = l->discrepancy.seen = l->months_closed = 0;
    l->companies_same = l->companies_based = l->companies_whole = 0;
    l->staged = false;
    l->suspended = 0;
    base_close(l->base);
    l->base = NULL;
    known_end(l);
    for (int i = 0; i < n_entities; i++) {
        struct entity_load *e = &l->entity[i], clean = {0};
        memcpy(clean.variables, e->variables, sizeof clean.variables);
        *e = clean;
    }
    l->companies = l->syncs = l->reject_changes = (struct changes){0};
    *l->finished_at = *l->pg.sqlstate = '\0';
    l->pg.uninterruptible = false;
}

bool publish(struct load *l, struct err *err)
{
    if (!schema_check(&l->pg, err))
        return false;
    /* On its own: made inside the transaction, a month's partition would keep other shards waiting to its end, and who had
     * planned a query before would read everything else as it is after. */
    if (!l->run->opt.dry_run && !load_run(l, &sql_load_partition, NULL, NULL, err))
        return false;
    for (int attempt = 1;; attempt++) {
        struct err attempt_err = {0};
        if (body(l, &attempt_err) && finish(l, &attempt_err))
            return true;
        if (attempt == ATTEMPTS || pg_lost(&l->pg) || stop_requested || !pg_can_retry(l->pg.sqlstate)) {
            *err = attempt_err;
            return false;
        }
        log_warning("%s; trying again", attempt_err.text);
        if (!load_run(l, &sql_load_rollback, NULL, NULL, err))
            return false;
        forget(l);
    }
}
