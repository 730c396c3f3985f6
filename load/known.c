#include "load/known.h"

#include <stdio.h>

#include "load/load.h"

/* Where the run takes most companies, counting every company's rows is faster than finding those of its own. */
static bool takes_most(struct load *l, bool *ret, struct err *err)
{
    PGresult *result;
    if (!load_select(l, &sql_load_remembered, NULL, &result, err))
        return false;
    *ret = l->companies_ok * 2 > load_number(result, 0, 0);
    PQclear(result);
    return true;
}

bool known_begin(struct load *l, struct err *err)
{
    bool most;
    if (!takes_most(l, &most, err))
        return false;
    const char *counted = entity_counted(most && !l->companies_closed, l->run->opt.period, l->window_first,
                                         l->window_last, &l->arena);
    load_variable(l, "counted", counted);
    bool ok = load_run(l, &sql_load_known, NULL, &l->companies_known, err);
    l->n_variables--;
    l->known.left = l->companies_known;
    return ok && (!l->known.left || load_run(l, &sql_load_known_open, NULL, NULL, err));
}

static bool next_rows(struct load *l, struct err *err)
{
    known_end(l);
    if (!load_select(l, &sql_load_known_next, NULL, &l->known.result, err))
        return false;
    l->known.n = PQntuples(l->known.result);
    l->known.left -= l->known.n;
    return true;
}

static struct known known_row(const PGresult *result, int row)
{
    struct known k = {.closed = PQgetvalue(result, row, 1)[0] == 't', .remembered = !PQgetisnull(result, row, 2)};
    if (k.remembered) {
        snprintf(k.digest, sizeof k.digest, "%s", PQgetvalue(result, row, 2));
        k.rows = load_number(result, row, 3);
        k.kept = load_number(result, row, 4) != 0;
    }
    return k;
}

bool known_find(struct load *l, struct str company_id, struct known *ret, struct err *err)
{
    struct known_rows *k = &l->known;
    for (*ret = (struct known){0};; k->at++) {
        if (k->at == k->n && k->left > 0 && !next_rows(l, err))
            return false;
        if (k->at == k->n)
            return true;
        int order = str_cmp(pg_text(k->result, k->at, 0), company_id);
        if (order == 0)
            *ret = known_row(k->result, k->at);
        if (order >= 0)
            return true;
    }
}

void known_end(struct load *l)
{
    PQclear(l->known.result);
    l->known = (struct known_rows){.left = l->known.left};
}
