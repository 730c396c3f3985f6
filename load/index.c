/* The index of a run into this_company, and the outcome of its sources into this_source. */
#include <string.h>

#include "load/copy.h"
#include "load/copying.h"

/* The months that the payroll system reports closed, appended as a date[]. */
static bool add_closed_months(const struct part_in *part, const struct company *c, struct arena *a, struct buf *b,
                              struct err *err)
{
    struct str lines = part_lines(part, c, &payroll_period_record, NULL, NULL), line;
    struct list months = {0};
    uint32_t cap = 0;
    while (str_next_line(&lines, &line)) {
        struct payroll_period period;
        struct faults faults = {0};
        if (!ndjson_decode(&payroll_period_record, line, a, &period, &faults))
            return err_set(err, ERR_DATA, "%s/payroll_periods-%04d.ndjson: company %.*s: %.*s", part->in->path,
                           part->number, (int)c->company_id.len, c->company_id.p, (int)faults.text[0].len,
                           faults.text[0].p);
        if (period.status == PERIOD_CLOSED)
            *(date_t *)list_grow(&months, &cap, sizeof(date_t), a) = month_first(period.month);
    }
    copy_dates(months.v, months.n, b);
    return true;
}

static int64_t invoices(const struct company *c)
{
    for (uint32_t i = 0; i < c->ranges.n; i++) {
        const struct range *range = list_at(c->ranges, sizeof *range, i);
        if (str_is(range->entity, invoice_record.entity))
            return range->rows;
    }
    return 0;
}

/* One COPY of what the index says. */
struct walk {
    struct copying copying;
    const struct record *only;    /* opened; NULL: no file, the index alone */
    uint32_t skip;                /* fields of a company that are no columns */
    bool (*add_company)(struct walk *w, const struct part_in *part, const struct company *c, struct arena *a,
                        struct err *err);
};

static bool add_company(struct walk *w, const struct part_in *part, const struct company *c, struct arena *a,
                        struct err *err)
{
    struct load *l = w->copying.load;
    copy_row(&company_record, c, w->skip, 2, &w->copying.rows);
    copy_integer(invoices(c), &w->copying.rows);
    if (!add_closed_months(part, c, a, &w->copying.rows, err))
        return false;
    l->companies_ok += c->status == COMPANY_OK;
    l->companies_failed += c->status != COMPANY_OK;
    return true;
}

static bool add_sources(struct walk *w, const struct part_in *part, const struct company *c, struct arena *a,
                        struct err *err)
{
    (void)part, (void)a, (void)err;
    for (uint32_t i = 0; i < c->sources.n; i++) {
        copy_row(&source_sync_record, list_at(c->sources, source_sync_record.size, i), 0, 1, &w->copying.rows);
        copy_text(c->company_id, &w->copying.rows);
    }
    return true;
}

static bool walk_part(struct walk *w, int number, struct err *err)
{
    struct load *l = w->copying.load;
    struct part_in part;
    struct company company;
    struct arena a = {0};
    if (stage_stopped(err) || !(w->only ? part_open(&part, &l->in, number, w->only, err)
                                        : part_index(&part, &l->in, number, err)))
        return false;
    bool ok = true;
    err->kind = ERR_NONE;
    while (ok && part_next_company(&part, &a, &company, err)) {
        if (stage_selects(l->run, company.company_id))
            ok = w->add_company(w, &part, &company, &a, err) && copying_flush(&w->copying, err);
        arena_reset(&a);
    }
    ok = ok && err->kind == ERR_NONE;
    part_close(&part);
    arena_free(&a);
    return ok;
}

static bool walk_index(struct walk *w, struct load *l, const char *destination, const char *columns, struct err *err)
{
    int64_t rows;
    bool ok = copying_start(&w->copying, l, destination, columns, err);
    for (int part = 0; ok && part < l->in.n_parts; part++)
        ok = walk_part(w, part, err);
    return copying_end(&w->copying, ok, &rows, err);
}

bool stream_companies(struct load *l, struct err *err)
{
    static const char *const no_columns[] = {"sources", "part", "ranges"};
    struct walk w = {.only = &payroll_period_record, .add_company = add_company};
    struct buf columns = {0};
    for (uint32_t i = 0; i < company_record.n_fields; i++)
        for (size_t k = 0; k < sizeof no_columns / sizeof *no_columns; k++)
            w.skip |= (uint32_t)(strcmp(company_record.fields[i].name, no_columns[k]) == 0) << i;
    copy_columns(&company_record, w.skip, "", &columns);
    buf_adds(&columns, ", invoices, payroll_closed");
    bool ok = walk_index(&w, l, "this_company", buf_str(&columns), err);
    buf_free(&columns);
    return ok;
}

bool stream_sources(struct load *l, struct err *err)
{
    struct walk w = {.add_company = add_sources};
    struct buf columns = {0};
    copy_columns(&source_sync_record, 0, "", &columns);
    buf_adds(&columns, ", company_id");
    bool ok = walk_index(&w, l, "this_source", buf_str(&columns), err);
    buf_free(&columns);
    return ok;
}
