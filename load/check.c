/* What came adds up before it is merged, and what is there afterwards before it is committed. */
#include <string.h>

#include "common/log.h"
#include "load/load.h"

static bool add_cents(struct load *l, const struct query *q, const struct entity_load *e, int64_t *cents,
                      struct err *err)
{
    PGresult *result;
    if (!load_select(l, q, e, &result, err))
        return false;
    int64_t found = load_number(result, 0, 0);
    PQclear(result);
    return money_add(cents, found) || err_set(err, ERR_DATA, "%s: the sum of cents is beyond 64 bits", q->name);
}

/* Rows as the server counted them, cents as it adds them up. */
static bool check_totals(struct load *l, int i, struct err *err)
{
    const struct entity_load *e = &l->entity[i];
    const struct query *q = entities[i].record == &contribution_record ? &sql_load_check_made : &sql_load_check_totals;
    int64_t cents = 0;
    if (entities[i].record->sum_field >= 0 &&
        (!add_cents(l, q, e, &cents, err) ||
         (e->outside && !add_cents(l, &sql_load_check_outside, e, &cents, err))))
        return false;
    if (e->brought_rows == e->arrived && e->brought_cents == cents)
        return true;
    return err_add(err, ERR_DATA,
                   "%s: the manifest says %lld rows and %lld cents, the database has %lld rows and %lld cents",
                   entities[i].record->entity, (long long)e->brought_rows, (long long)e->brought_cents,
                   (long long)e->arrived, (long long)cents);
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

static const struct entity_load *entity_of(const struct load *l, const struct record *record)
{
    int i = 0;
    while (entities[i].record != record)
        i++;
    return &l->entity[i];
}

/* Contributions that went straight into the month's partition have met its constraints, which say the same. */
bool check_came(struct load *l, struct err *err)
{
    return entity_of(l, &contribution_record)->partition || check_none(l, &sql_load_check_contributions, err);
}

/* The contributions where anything differs that decides them. */
static bool find_touched(struct load *l, struct err *err)
{
    for (int i = 0; i < n_entities; i++)
        if (!load_run(l, &sql_load_changed, &l->entity[i], NULL, err))
            return false;
    return load_run(l, &sql_load_touched, entity_of(l, &contribution_record), NULL, err);
}

/* Whether what decides contributions differs for little of them, and no row stays that is gone from the source: each is
 * then faster looked up than found among all. */
static bool one_by_one(const struct load *l)
{
    int64_t sent = entity_of(l, &contribution_record)->sent + entity_of(l, &employment_record)->sent +
                   entity_of(l, &coverage_record)->sent;
    for (int i = 0; i < n_entities; i++)
        if (strcmp(entity_value(l->entity[i].variables, "staying"), "true") != 0)
            return false;
    return !l->companies_whole && sent < entity_of(l, &contribution_record)->arrived / 8;
}

/* Where every company came whole, every contribution is looked at as it stands. */
static bool check_ready(struct load *l, struct err *err)
{
    bool narrow = l->companies_based;
    int n = l->n_variables;
    load_variable(l, "looked_at", narrow ? "touched_contribution" : "now_contribution");
    load_variable(l, "portability", narrow ? "TABLE portability ON COMMIT DROP" : "VIEW portability");
    load_variable(l, "one_by_one", one_by_one(l) ? "OFFSET 0" : "");
    bool ok = load_run(l, &sql_load_portability, NULL, NULL, err) && (!narrow || find_touched(l, err)) &&
              check_none(l, &sql_load_check_ready, err);
    l->n_variables = n;
    return ok;
}

/* The view loaded: what the checks take for brought. */
static bool show_loaded(struct load *l, struct err *err)
{
    PGresult *result;
    if (!load_select(l, &sql_load_transaction, NULL, &result, err))
        return false;
    load_variable(l, "transaction", PQgetvalue(result, 0, 0));
    bool ok = load_run(l, &sql_load_loaded, NULL, NULL, err);
    l->n_variables--;
    PQclear(result);
    return ok;
}

/* What is wrong with the data does not keep the next check from being made; anything else does. */
static bool goes_on(const struct load *l, struct err *err)
{
    return !*l->pg.sqlstate && !pg_lost(&l->pg) && !stage_stopped(err) &&
           (err->kind == ERR_NONE || err->kind == ERR_DATA);
}

bool check_now(struct load *l, struct err *err)
{
    if (!load_run(l, &sql_load_plan_count, NULL, NULL, err) || !show_loaded(l, err) ||
        !load_run(l, &sql_load_made, NULL, NULL, err))
        return false;
    bool ok = true;
    for (int i = 0; i < n_entities; i++) {
        ok = check_totals(l, i, err) && ok;
        if (!goes_on(l, err))
            return false;
    }
    ok = check_none(l, &sql_load_check_invoices, err) && ok;
    return goes_on(l, err) && check_ready(l, err) && ok;
}
