/* Queries of sql/load/ with their variables filled in. */
#include "load/load.h"

enum { ALL_VARIABLES = RUN_VARIABLES + ENTITY_VARIABLES };

void load_variable(struct load *l, const char *name, const char *value)
{
    l->variables[l->n_variables++] = (struct variable){name, value};
}

static bool fill(const struct load *l, const struct query *q, const struct entity_load *e, struct buf *sql,
                 struct err *err)
{
    struct variable all[ALL_VARIABLES];
    int n = l->n_variables;
    memcpy(all, l->variables, (size_t)n * sizeof *all);
    if (e) {
        memcpy(all + n, e->variables, sizeof e->variables);
        n += ENTITY_VARIABLES;
    }
    return template_fill(q->text, all, n, sql, err) || err_prefix(err, "%s", q->name);
}

bool load_select(struct load *l, const struct query *q, const struct entity_load *e, PGresult **ret_result,
                 struct err *err)
{
    struct buf sql = {0};
    bool ok = fill(l, q, e, &sql, err);
    const struct query filled = {q->name, buf_str(&sql)};
    ok = ok && pg_select(&l->pg, &filled, NULL, 0, ret_result, err);
    buf_free(&sql);
    return ok;
}

bool load_run(struct load *l, const struct query *q, const struct entity_load *e, int64_t *ret_rows, struct err *err)
{
    struct buf sql = {0};
    bool ok = fill(l, q, e, &sql, err);
    const struct query filled = {q->name, buf_str(&sql)};
    ok = ok && pg_run(&l->pg, &filled, ret_rows, err);
    buf_free(&sql);
    return ok;
}

bool load_changes(struct load *l, const struct query *q, const struct entity_load *e, struct changes *ret,
                  struct err *err)
{
    PGresult *result;
    if (!load_select(l, q, e, &result, err))
        return false;
    *ret = (struct changes){load_number(result, 0, 0), load_number(result, 0, 1), load_number(result, 0, 2)};
    PQclear(result);
    return true;
}

int64_t load_number(const PGresult *result, int row, int column)
{
    int64_t n = 0;
    money_parse_int(pg_text(result, row, column), &n);
    return n;
}
