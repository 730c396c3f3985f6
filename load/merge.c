/* A run's rows laid over those of the runs before it: only what differs is written. */
#include "load/load.h"

bool merge_stage(struct load *l, struct err *err)
{
    if (!load_run(l, &sql_load_plan, NULL, NULL, err))
        return false;
    for (int i = 0; i < n_entities; i++) {
        struct entity_load *e = &l->entity[i];
        PGresult *result;
        if (!load_select(l, &sql_load_present, e, &result, err))
            return false;
        e->direct = PQgetvalue(result, 0, 0)[0] == 'f';
        PQclear(result);
        if (!load_run(l, e->direct ? &sql_load_stage_direct : &sql_load_stage_compare, e, NULL, err))
            return false;
    }
    return true;
}

static bool merge_entity(struct load *l, struct entity_load *e, struct err *err)
{
    struct changes found;
    if (e->direct) {
        e->changes.inserted = e->arrived;
        return true;
    }
    if (!load_run(l, &sql_load_compare, e, NULL, err) || !load_changes(l, &sql_load_changes, e, &found, err))
        return false;
    if (!found.inserted && !found.updated && !found.deleted)
        return true;
    return load_run(l, &sql_load_analyze_changes, e, NULL, err) &&
           (!found.deleted || load_run(l, &sql_load_delete, e, &e->changes.deleted, err)) &&
           (!found.updated || load_run(l, &sql_load_update, e, &e->changes.updated, err)) &&
           (!found.inserted || load_run(l, &sql_load_insert, e, &e->changes.inserted, err));
}

bool merge_entities(struct load *l, struct err *err)
{
    for (int i = 0; i < n_entities; i++)
        if (!merge_entity(l, &l->entity[i], err))
            return false;
    return true;
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
    l->discrepancy.refreshed = load_number(result, 0, 5);
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
