/* A run's rows laid over those of the runs before it: only what differs is written. */
#include "load/load.h"

enum { ROWS_WORTH_IT = 50000 };   /* to take indexes away for: it takes as long as the entries of these */

/* Rows that name the partition go in many at a time; by way of a partitioned table with a trigger, one by one. */
static bool find_partition(struct load *l, struct entity_load *e, struct err *err)
{
    PGresult *result;
    if (!e->direct)
        return true;
    if (!load_select(l, &sql_load_partition_name, NULL, &result, err))
        return false;
    if (PQntuples(result) == 1)
        e->partition = arena_printf(&l->arena, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return true;
}

/* Whether anything may go straight into its table; where the month was loaded before, there is something to compare with. */
static bool find_direct(struct load *l, struct err *err)
{
    PGresult *result;
    if (l->companies_known)
        return true;
    if (!load_select(l, &sql_load_present, NULL, &result, err))
        return false;
    for (int i = 0; i < n_entities; i++)
        l->entity[i].direct = PQgetvalue(result, 0, i)[0] == 'f';
    PQclear(result);
    return true;
}

/* The tables that rows go straight into, as an array in SQL; NULL when there is none. */
static const char *direct_tables(struct load *l)
{
    struct buf b = {0};
    for (int i = 0; i < n_entities; i++)
        if (l->entity[i].direct)
            buf_addf(&b, "%s'payroll.%s'", b.len ? ", " : "", entities[i].record->name);
    const char *text = b.len ? arena_printf(&l->arena, "ARRAY[%s]::regclass[]", buf_str(&b)) : NULL;
    buf_free(&b);
    return text;
}

/* Large tables are filled before their indexes when this is the first load that they see. Not by a shard: the others fill
 * them at the same time. */
static bool suspend_indexes(struct load *l, struct err *err)
{
    PGresult *result;
    int64_t rows = 0;
    for (int i = 0; i < l->in.n_files; i++)
        rows += l->in.file[i].rows;
    const char *direct = direct_tables(l);
    if (!direct || !l->whole || l->run->opt.shards > 1 || rows < ROWS_WORTH_IT)
        return true;
    load_variable(l, "direct", direct);
    bool ok = load_select(l, &sql_load_suspend_indexes, NULL, &result, err);
    l->n_variables--;
    if (!ok)
        return false;
    l->suspended = load_number(result, 0, 0);
    PQclear(result);
    log_debug("%lld tables are filled before their indexes", (long long)l->suspended);
    return true;
}

bool merge_stage(struct load *l, struct err *err)
{
    if (!load_run(l, &sql_load_plan, NULL, NULL, err) || !find_direct(l, err) || !suspend_indexes(l, err))
        return false;
    for (int i = 0; i < n_entities; i++) {
        struct entity_load *e = &l->entity[i];
        if (!load_run(l, e->direct ? &sql_load_stage_direct : &sql_load_stage_compare, e, NULL, err) ||
            (entities[i].record == &contribution_record && !find_partition(l, e, err)))
            return false;
    }
    return true;
}

/* What came is little of what its companies have: worth an index scan for each row. */
static bool few(const struct load *l, const struct entity_load *e)
{
    return !l->companies_whole && e->sent < e->arrived / 8;
}

/* What new_<table> is laid over, and how that is best found. */
static bool prepare(struct load *l, struct entity_load *e, struct err *err)
{
    const char *whole = entity_value(e->variables, "whole"), *touched = entity_value(e->variables, "touched");
    bool both = l->companies_whole && l->companies_based;
    entity_set(e->variables, "before", both ? arena_printf(&l->arena, "%s\nUNION ALL\n%s", whole, touched)
                                            : l->companies_whole ? whole : touched);
    return load_run(l, few(l, e) ? &sql_load_analyze_new : &sql_load_plan, e, NULL, err);
}

/* What was sent as gone was there. */
static bool check_past(struct load *l, const struct entity_load *e, struct err *err)
{
    PGresult *result;
    if (!e->past)
        return true;
    if (!load_select(l, &sql_load_past, e, &result, err))
        return false;
    int64_t found = load_number(result, 0, 0);
    PQclear(result);
    return found == e->past ||
           err_set(err, ERR_DATA, "%s: the last load left %lld rows of those that change, the database has %lld",
                   entity_value(e->variables, "entity"), (long long)e->past, (long long)found);
}

static bool apply(struct load *l, struct entity_load *e, struct err *err)
{
    struct changes found;
    const char *table = entity_value(e->variables, "table");
    entity_set(e->variables, "changed", arena_printf(&l->arena, "change_%s", table));
    if (!load_run(l, &sql_load_compare, e, NULL, err) || !load_changes(l, &sql_load_changes, e, &found, err))
        return false;
    if (!found.inserted && !found.updated && !found.deleted)
        return true;
    if (!load_run(l, &sql_load_analyze_changes, e, NULL, err) ||
        (found.deleted && !load_run(l, &sql_load_delete, e, &e->changes.deleted, err)) ||
        (found.updated && !load_run(l, &sql_load_update, e, &e->changes.updated, err)) ||
        (found.inserted && !load_run(l, &sql_load_insert, e, &e->changes.inserted, err)))
        return false;
    if (found.deleted == e->changes.deleted)
        return true;
    entity_set(e->variables, "staying", arena_printf(&l->arena, "NOT EXISTS (SELECT FROM change_%s AS n "
               "WHERE n.change = 'delete' AND %s)", table, entity_value(e->variables, "match")));
    return load_run(l, &sql_load_kept, e, NULL, err);
}

static bool merge_entity(struct load *l, struct entity_load *e, struct err *err)
{
    entity_set(e->variables, "staying", "true");
    entity_set(e->variables, "changed", arena_printf(&l->arena, "new_%s", entity_value(e->variables, "table")));
    if (e->direct)
        e->changes.inserted = e->sent;
    else if ((l->companies_whole || e->sent) && (!prepare(l, e, err) || !check_past(l, e, err) || !apply(l, e, err)))
        return false;
    return load_run(l, &sql_load_now, e, NULL, err);
}

bool merge_entities(struct load *l, struct err *err)
{
    for (int i = 0; i < n_entities; i++)
        if (!merge_entity(l, &l->entity[i], err))
            return false;
    return load_run(l, &sql_load_plan, NULL, NULL, err);
}

bool merge_discrepancies(struct load *l, struct err *err)
{
    PGresult *result;
    if (!load_run(l, &sql_load_plan, NULL, NULL, err) || !load_select(l, &sql_load_discrepancies, NULL, &result, err))
        return false;
    l->discrepancy.opened = load_number(result, 0, 0);
    l->discrepancy.returned = load_number(result, 0, 1);
    l->discrepancy.reopened = load_number(result, 0, 2);
    l->discrepancy.changed = load_number(result, 0, 3);
    l->discrepancy.resolved = load_number(result, 0, 4);
    PQclear(result);
    return true;
}

static bool any(const struct changes *c)
{
    return c->inserted || c->updated || c->deleted;
}

bool merge_changed(const struct load *l)
{
    bool changed = any(&l->companies) || any(&l->reject_changes) || l->months_closed || l->discrepancy.opened ||
                   l->discrepancy.returned || l->discrepancy.reopened || l->discrepancy.changed ||
                   l->discrepancy.resolved;
    for (int i = 0; i < n_entities && !changed; i++)
        changed = any(&l->entity[i].changes);
    return changed;
}
