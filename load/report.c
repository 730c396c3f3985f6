/* What a load did: the final JSON line, the log, and the texts of pipeline.run. */
#include <stdlib.h>

#include "load/load.h"

static void set(json_t *object, const char *key, int64_t n)
{
    json_object_set_new(object, key, json_integer(n));
}

static json_t *changes_json(const struct changes *c)
{
    json_t *json = json_object();
    set(json, "inserted", c->inserted);
    set(json, "updated", c->updated);
    set(json, "deleted", c->deleted);
    return json;
}

static json_t *all_changes(const struct load *l)
{
    json_t *json = json_object();
    json_object_set_new(json, "companies", changes_json(&l->companies));
    for (int i = 0; i < n_entities; i++)
        json_object_set_new(json, entities[i].record->entity, changes_json(&l->entity[i].changes));
    json_object_set_new(json, "rejects", changes_json(&l->reject_changes));
    return json;
}

static json_t *discrepancies_json(const struct load *l)
{
    json_t *json = json_object();
    set(json, "seen", l->discrepancy.seen);
    set(json, "opened", l->discrepancy.opened);
    set(json, "returned", l->discrepancy.returned);
    set(json, "reopened", l->discrepancy.reopened);
    set(json, "changed", l->discrepancy.changed);
    set(json, "resolved", l->discrepancy.resolved);
    return json;
}

static json_t *rows_json(const struct load *l)
{
    json_t *rows = json_object();
    for (int i = 0; i < n_entities; i++)
        set(rows, entities[i].record->entity, l->entity[i].rows);
    set(rows, "discrepancies", l->discrepancy.seen);
    return rows;
}

static json_t *cents_json(const struct load *l)
{
    json_t *cents = json_object();
    for (int i = 0; i < n_entities; i++)
        if (entities[i].record->sum_field >= 0)
            set(cents, entities[i].record->entity, l->entity[i].cents);
    return cents;
}

static json_t *companies_json(const struct load *l)
{
    json_t *companies = json_object();
    set(companies, "ok", l->companies_ok);
    set(companies, "failed", l->companies_failed);
    set(companies, "closed", l->companies_closed);
    set(companies, "unchanged", l->companies_same);
    return companies;
}

static int64_t skipped(const struct load *l)
{
    int64_t rows = 0;
    for (int i = 0; i < n_entities; i++)
        rows += l->entity[i].skipped;
    return rows;
}

static char *dump(json_t *json, struct arena *a)
{
    char *text = json_dumps(json, JSON_COMPACT);
    char *copy = arena_copy(a, text, strlen(text));
    free(text);
    json_decref(json);
    return copy;
}

char *report_counts(const struct load *l, struct arena *a)
{
    json_t *json = json_object();
    json_object_set_new(json, "companies", companies_json(l));
    json_object_set_new(json, "rows", rows_json(l));
    json_object_set_new(json, "changes", all_changes(l));
    json_object_set_new(json, "discrepancies", discrepancies_json(l));
    set(json, "rejects", l->rejects);
    set(json, "rows_of_closed_months", skipped(l));
    set(json, "months_closed_by_payroll", l->months_closed);
    for (int i = 0; i < l->run->opt.n_companies; i++) {
        json_t *only = json_object_get(json, "only");
        if (!only)
            json_object_set_new(json, "only", only = json_array());
        json_array_append_new(only, json_string(l->run->opt.companies[i]));
    }
    return dump(json, a);
}

char *report_cents(const struct load *l, struct arena *a)
{
    return dump(cents_json(l), a);
}

static void log_changes(const struct load *l)
{
    for (int i = 0; i < n_entities; i++) {
        const struct changes *c = &l->entity[i].changes;
        if (c->inserted || c->updated || c->deleted)
            log_info("%s: %lld inserted, %lld updated, %lld deleted", entities[i].record->entity,
                     (long long)c->inserted, (long long)c->updated, (long long)c->deleted);
    }
    if (l->discrepancy.opened || l->discrepancy.returned || l->discrepancy.reopened || l->discrepancy.changed ||
        l->discrepancy.resolved)
        log_info("discrepancies: %lld opened, %lld returned, %lld reopened, %lld changed, %lld resolved",
                 (long long)l->discrepancy.opened, (long long)l->discrepancy.returned,
                 (long long)l->discrepancy.reopened, (long long)l->discrepancy.changed,
                 (long long)l->discrepancy.resolved);
    if (skipped(l))
        log_info("%lld rows of %lld companies left out: their month is closed", (long long)skipped(l),
                 (long long)l->companies_closed);
    if (l->companies_later)
        log_warning("%lld companies: the database had a later extract of this month; load the newest run to have it back",
                    (long long)l->companies_later);
    if (l->months_closed)
        log_info("%lld months closed, as the payroll system did", (long long)l->months_closed);
    if (!merge_changed(l))
        log_info("nothing changed");
    if (l->run->opt.dry_run)
        log_info("dry run: everything was rolled back");
}

void report_fill(const struct load *l)
{
    json_t *report = l->run->report;
    log_changes(l);
    json_object_set_new(report, "companies", companies_json(l));
    json_object_set_new(report, "rows", rows_json(l));
    json_object_set_new(report, "cents", cents_json(l));
    json_object_set_new(report, "discrepancies", discrepancies_json(l));
    json_object_set_new(report, "changes", all_changes(l));
    json_object_set_new(report, "changed", json_boolean(merge_changed(l)));
    set(report, "rejects", l->rejects);
    set(report, "rows_of_closed_months", skipped(l));
    set(report, "months_closed_by_payroll", l->months_closed);
    if (l->run->opt.dry_run)
        json_object_set_new(report, "dry_run", json_true());
}
