/* The index of a run into this_company. */
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

static bool company_row(struct copying *c, const struct part_in *part, const struct company *company, uint32_t skip,
                        struct arena *a, struct err *err)
{
    struct load *l = c->load;
    if (!stage_selects(l->run, company->company_id))
        return true;
    copy_row(&company_record, company, skip, 2, &c->rows);
    copy_integer(invoices(company), &c->rows);
    if (!add_closed_months(part, company, a, &c->rows, err))
        return false;
    l->companies_ok += company->status == COMPANY_OK;
    l->companies_failed += company->status != COMPANY_OK;
    return copying_flush(c, err);
}

static bool companies_of_part(struct copying *c, int number, uint32_t skip, struct err *err)
{
    struct part_in part;
    struct company company;
    struct arena a = {0};
    if (stage_stopped(err) || !part_open(&part, &c->load->in, number, &payroll_period_record, err))
        return false;
    bool ok = true;
    err->kind = ERR_NONE;
    while (ok && part_next_company(&part, &a, &company, err)) {
        ok = company_row(c, &part, &company, skip, &a, err);
        arena_reset(&a);
    }
    ok = ok && err->kind == ERR_NONE;
    part_close(&part);
    arena_free(&a);
    return ok;
}

bool stream_companies(struct load *l, struct err *err)
{
    struct copying c;
    struct buf columns = {0};
    uint32_t skip = 0;
    int64_t rows;
    for (uint32_t i = 0; i < company_record.n_fields; i++)
        if (strcmp(company_record.fields[i].name, "part") == 0 || strcmp(company_record.fields[i].name, "ranges") == 0)
            skip |= 1u << i;
    copy_columns(&company_record, skip, "", &columns);
    buf_adds(&columns, ", invoices, payroll_closed");
    bool ok = copying_start(&c, l, "this_company", buf_str(&columns), err);
    for (int part = 0; ok && part < l->in.n_parts; part++)
        ok = companies_of_part(&c, part, skip, err);
    ok = copying_end(&c, ok, &rows, err);
    buf_free(&columns);
    return ok;
}
