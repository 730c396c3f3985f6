#include "load/close.h"

#include "common/date.h"
#include "load/load.h"
#include "load/migrate.h"

struct closing {
    struct stage_run *run;
    struct pg *pg;
    const struct query *query;
    const char *month, *note, *as_of;
    json_t *done, *refused;
    int64_t rows, cents;
};

/* What a function of sql/functions/ says no to, as opposed to what goes wrong: a state that does not allow it, a
 * company or month that is not known. */
static bool is_refusal(const char *sqlstate)
{
    return strcmp(sqlstate, "55000") == 0 || strcmp(sqlstate, "P0002") == 0;
}

/* The server's own words, without the query's name and the SQLSTATE around them. */
static struct str reason_of(const struct err *err, const struct query *q)
{
    const char *text = err->text;
    size_t prefix = strlen(q->name);
    if (strncmp(text, q->name, prefix) == 0 && strncmp(text + prefix, ": ", 2) == 0)
        text += prefix + 2;
    const char *end = strstr(text, " (SQLSTATE ");
    return (struct str){text, end ? (uint32_t)(end - text) : (uint32_t)strlen(text), false};
}

static void refuse(struct closing *c, const char *company_id, const struct err *err)
{
    struct str why = reason_of(err, c->query);
    log_warning("%.*s", (int)why.len, why.p);
    json_t *one = json_pack("{s:s, s:s%}", "company_id", company_id, "why", why.p, (size_t)why.len);
    json_array_append_new(c->refused, one);
}

static void tell_closed(struct closing *c, const char *company_id, const PGresult *result)
{
    static const char *const counts[] = {"rows", "amount_cents", "employer_cents", "employee_cents", "held_cents"};
    json_t *one = json_pack("{s:s}", "company_id", company_id);
    for (int i = 0; i < (int)(sizeof counts / sizeof *counts); i++)
        json_object_set_new(one, counts[i], json_integer(load_number(result, 0, i)));
    json_object_set_new(one, "digest", json_string(PQgetvalue(result, 0, 5)));
    json_array_append_new(c->done, one);
    c->rows += load_number(result, 0, 0);
    c->cents += load_number(result, 0, 1);
}

/* One company: done, refused, or false when it makes no sense to go on. */
static bool close_company(struct closing *c, const char *company_id, struct err *err)
{
    bool reopen = c->run->opt.reopen;
    const char *values[] = {company_id, c->month, c->note, c->as_of};
    PGresult *result;
    if (!pg_select(c->pg, c->query, values, reopen ? 3 : 4, &result, err)) {
        if (!is_refusal(c->pg->sqlstate))
            return err_prefix(err, "company %s", company_id);
        refuse(c, company_id, err);
        *err = (struct err){0};
        return true;
    }
    if (reopen)
        json_array_append_new(c->done, json_string(company_id));
    else
        tell_closed(c, company_id, result);
    PQclear(result);
    return true;
}

static void report(const struct closing *c)
{
    json_t *line = c->run->report;
    bool reopen = c->run->opt.reopen;
    size_t done = json_array_size(c->done), refused = json_array_size(c->refused);
    log_info("payroll month %.7s %s for %zu companies, refused for %zu", c->month, reopen ? "reopened" : "closed", done,
             refused);
    json_object_set_new(line, "companies",
                        json_pack("{s:I, s:I}", "ok", (json_int_t)done, "failed", (json_int_t)refused));
    if (!reopen) {
        json_object_set_new(line, "rows", json_pack("{s:I}", "contributions", (json_int_t)c->rows));
        json_object_set_new(line, "cents", json_pack("{s:I}", "contributions", (json_int_t)c->cents));
    }
    json_object_set_new(line, reopen ? "reopened" : "closed", c->done);
    json_object_set_new(line, "refused", c->refused);
}

static bool close_all(struct closing *c, struct err *err)
{
    const struct config *config = &c->run->config;
    stage_progress(c->run, config->n_companies);
    bool ok = true;
    for (int i = 0; ok && i < config->n_companies; i++) {
        const char *company_id = config->companies[i].id;
        if (!stage_selects(c->run, str_of(company_id)))
            continue;
        ok = !stage_stopped(err) && close_company(c, company_id, err);
        progress_step(i + 1, c->rows);
    }
    progress_end();
    return ok;
}

bool close_companies(struct pg *pg, struct stage_run *run, struct err *err)
{
    char month[DATE_TEXT_MAX], as_of[INSTANT_TEXT_MAX];
    const struct options *o = &run->opt;
    struct closing c = {
        .run = run, .pg = pg, .query = o->reopen ? &sql_load_reopen_period : &sql_load_close_period,
        .month = date_text(month_first(o->period), month), .note = o->note ? o->note : "load --close",
        .as_of = instant_text(o->as_of == INSTANT_NONE ? run->now : o->as_of, as_of)};
    if (!schema_check(pg, err))
        return false;
    c.done = json_array();
    c.refused = json_array();
    bool ok = close_all(&c, err);
    size_t done = json_array_size(c.done), refused = json_array_size(c.refused);
    report(&c);
    if (!ok || !refused)
        return ok;
    err_set(err, done ? ERR_PARTIAL : ERR_DATA, "payroll month %.7s could not be %s for %zu of %zu companies", month,
            o->reopen ? "reopened" : "closed", refused, done + refused);
    return done > 0;
}
