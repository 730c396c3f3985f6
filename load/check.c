/* Nothing is merged before it adds up. */
#include "common/log.h"
#include "load/load.h"

static bool check_totals(struct load *l, int i, struct err *err)
{
    PGresult *result;
    struct entity_load *e = &l->entity[i];
    if (!load_select(l, &sql_load_check_totals, e, &result, err))
        return false;
    int64_t rows = load_number(result, 0, 0), cents = load_number(result, 0, 1);
    int64_t found_cents = load_number(result, 0, 3);
    e->arrived = load_number(result, 0, 2);
    PQclear(result);
    if (rows == e->arrived && cents == found_cents)
        return true;
    return err_add(err, ERR_DATA,
                   "%s: the manifest says %lld rows and %lld cents, the database has %lld rows and %lld cents",
                   entities[i].record->entity, (long long)rows, (long long)cents, (long long)e->arrived,
                   (long long)found_cents);
}

/* A query that answers with (company_id, what is wrong), and nothing when all is well. */
static bool check_none(struct load *l, const struct query *q, struct err *err)
{
    PGresult *result;
    if (!load_select(l, q, NULL, &result, err))
        return false;
    bool ok = true;
    for (int i = 0; i < PQntuples(result); i++) {
        struct buf what = {0};
        log_escape(&what, PQgetvalue(result, i, 1)); /* an id may hold a newline: a fault is one line */
        ok = err_add(err, ERR_DATA, "company %s: %s", PQgetvalue(result, i, 0), buf_str(&what));
        buf_free(&what);
    }
    PQclear(result);
    return ok;
}

bool check_all(struct load *l, struct err *err)
{
    static const struct query *const invariants[] = {&sql_load_check_contributions, &sql_load_check_invoices,
                                                     &sql_load_check_ready};
    bool ok = true;
    for (int i = 0; i < n_entities; i++) {
        ok = check_totals(l, i, err) && ok;
        if (pg_lost(&l->pg) || stage_stopped(err))
            return false;
    }
    for (size_t i = 0; i < sizeof invariants / sizeof *invariants; i++) {
        ok = check_none(l, invariants[i], err) && ok;
        if (pg_lost(&l->pg) || stage_stopped(err))
            return false;
    }
    return ok;
}
