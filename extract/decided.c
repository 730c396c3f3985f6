#include "extract/decided.h"

#include <stdlib.h>

#include "extract/value.h"

enum { PARAMETERS = 4, EARLIER_MONTHS = 12 };

static const struct decided_query {
    const struct record *record;
    const struct query *query;
    int parameters;
    bool payroll_months;           /* $2 and $3 are payroll months, else billing months */
} queries[DECIDED_ENTITIES] = {
    {&link_record, &sql_extract_links, 1, false},
    {&dispense_record, &sql_extract_dispenses, 1, false},
    {&closed_period_record, &sql_extract_closed_periods, 3, true},
    {&posted_record, &sql_extract_posted, 4, false},
};

/* ---- connection ---- */

/* Undefined schema, table or column: another version of the schema than this program's. */
static bool explain(const struct decided *d, struct err *err)
{
    static const char *const undefined[] = {"3F000", "42P01", "42703"};
    for (size_t i = 0; i < sizeof undefined / sizeof *undefined; i++)
        if (strcmp(d->pg.sqlstate, undefined[i]) == 0)
            return err_set(err, ERR_CONFIG, "database: the schema is not the one this program works with; run "
                           "`load --migrate`");
    return false;
}

static bool is_ready(struct decided *d, struct err *err)
{
    PGresult *result = NULL;
    if (!pg_select(&d->pg, &sql_extract_ready, NULL, 0, &result, err))
        return false;
    bool ready = PQntuples(result) == 1 && str_is(pg_text(result, 0, 0), "t");
    PQclear(result);
    return ready || err_set(err, ERR_CONFIG, "database: it has no schema yet; run `load --migrate`");
}

bool decided_open(struct decided *d, const char *url, month_t first, month_t last, int month_shift, struct err *err)
{
    *d = (struct decided){.url = url, .first = first, .last = last, .month_shift = month_shift};
    for (int i = 0; i < DECIDED_ENTITIES; i++)
        d->rows[i].record = queries[i].record;
    if (!pg_connect(&d->pg, url, "alan-extract", err))
        return false;
    if (is_ready(d, err))
        return true;
    decided_close(d);
    return false;
}

void decided_close(struct decided *d)
{
    pg_close(&d->pg);
    for (int i = 0; i < DECIDED_ENTITIES; i++) {
        free(d->rows[i].rec);
        free(d->rows[i].place);
    }
    arena_free(&d->arena);
    *d = (struct decided){0};
}

/* ---- a batch ---- */

struct filling {
    struct decided *d;
    struct decided_rows *rows;
    const struct config_company *const *companies;
};

static void *rows_add(struct decided_rows *rows, int place)
{
    if (rows->n == rows->cap) {
        rows->cap = rows->cap ? rows->cap * 2 : 64;
        rows->rec = mem_realloc(rows->rec, rows->record->size * rows->cap);
        rows->place = mem_realloc(rows->place, sizeof *rows->place * rows->cap);
    }
    rows->place[rows->n] = place;
    return rows->rec + rows->record->size * rows->n++;
}

/* Columns are the place of the company from 1, then the record's fields behind company_id, in order. */
static bool on_tuple(void *arg, PGresult *tuple, struct err *err)
{
    struct filling *f = arg;
    const struct record *record = f->rows->record;
    struct arena *a = &f->d->arena;
    int64_t place;
    if (PQnfields(tuple) != (int)record->n_fields || !money_parse_int(pg_text(tuple, 0, 0), &place))
        return err_set(err, ERR_BUG, "%s: the query's columns are not the record's", record->entity);
    int at = f->d->from + (int)place - 1;
    void *rec = rows_add(f->rows, at);
    record_init(record, rec);
    *(struct str *)rec = str_of(f->companies[at]->id);
    struct faults faults = {0};
    for (uint32_t i = 1; i < record->n_fields; i++) {
        struct field_map map = {.field = &record->fields[i], .type = wire_type_default(&record->fields[i])};
        struct str text = pg_text(tuple, 0, (int)i);
        if (!text.p)
            continue;
        text.p = arena_copy(a, text.p, text.len);
        map_value(&map, &(struct wire_value){.text = text, .is_string = true}, '.', a, rec, &faults);
    }
    if (faults.n == 0 && record_check(record, rec, a, &faults))
        return true;
    return err_set(err, ERR_DATA, "%s of company %s in the database: %.*s", record->entity, f->companies[at]->id,
                   (int)faults.text[0].len, faults.text[0].p);
}

/* {"a","b"}; ids need no escape. */
static char *array_of(const struct config_company *const *companies, int from, int n, struct arena *a)
{
    struct buf b = {0};
    buf_addc(&b, '{');
    for (int i = 0; i < n; i++)
        buf_addf(&b, "%s\"%s\"", i ? "," : "", companies[from + i]->id);
    buf_addc(&b, '}');
    char *text = arena_copy(a, buf_str(&b), b.len);
    buf_free(&b);
    return text;
}

static char *day_text(month_t month, struct arena *a)
{
    char *text = arena_alloc(a, DATE_TEXT_MAX);
    return date_text(month_first(month), text);
}

static bool batch_read(struct decided *d, const struct config_company *const *companies, int n, int at, struct err *err)
{
    arena_reset(&d->arena);
    d->from = at;
    d->n = n - at < DECIDED_BATCH ? n - at : DECIDED_BATCH;
    const char *ids = array_of(companies, at, d->n, &d->arena);
    for (int i = 0; i < DECIDED_ENTITIES; i++) {
        const struct decided_query *q = &queries[i];
        struct filling f = {d, &d->rows[i], companies};
        int shift = q->payroll_months ? d->month_shift : 0;
        const char *values[PARAMETERS] = {
            ids, day_text(d->first + shift, &d->arena), day_text(d->last + shift, &d->arena),
            day_text(d->first - EARLIER_MONTHS, &d->arena),
        };
        f.rows->n = 0;
        if (!pg_each(&d->pg, q->query, values, q->parameters, on_tuple, &f, err))
            return explain(d, err);
    }
    return true;
}

bool decided_read(struct decided *d, const struct config_company *const *companies, int n, int at, struct err *err)
{
    if (at >= d->from && at < d->from + d->n)
        return true;
    if (batch_read(d, companies, n, at, err))
        return true;
    d->n = 0;
    if (!pg_lost(&d->pg) || err->kind == ERR_BUG)
        return false;
    /* A connection that idled while sources were fetched may have been cut; reading again changes nothing. */
    pg_close(&d->pg);
    err->kind = ERR_NONE;
    if (pg_connect(&d->pg, d->url, "alan-extract", err) && batch_read(d, companies, n, at, err))
        return true;
    d->n = 0;
    return false;
}

const void *decided_rows(const struct decided *d, int entity, int at, uint32_t *ret_n)
{
    const struct decided_rows *rows = &d->rows[entity];
    uint32_t low = 0, high = rows->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (rows->place[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t end = low;
    while (end < rows->n && rows->place[end] == at)
        end++;
    *ret_n = end - low;
    return rows->rec ? rows->rec + rows->record->size * low : NULL;
}
