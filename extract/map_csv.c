#include "extract/map_csv.h"

#include <ctype.h>

static const char COMPANY_COLUMN[] = "company_id";

enum { NAME_SHOWN_MAX = 60, NAME_DIGITS_MAX = 4, LIST_SEPARATOR = '|', LIST_MAX = 256 };

/* ---- header ---- */

static int column_named(const struct csv_row *row, const char *name)
{
    for (int i = 0; i < row->n; i++)
        if (str_is(row->cell[i], name))
            return i;
    return -1;
}

/* A file without a header would have a person's data here: names with many digits are not repeated. */
static const char *shown_name(struct str name, struct arena *a)
{
    int digits = 0;
    for (uint32_t i = 0; i < name.len; i++)
        digits += isdigit((unsigned char)name.p[i]) != 0;
    if (name.len > NAME_SHOWN_MAX || digits > NAME_DIGITS_MAX)
        return "";
    return arena_printf(a, " \"%.*s\"", (int)name.len, name.p);
}

static bool is_ignored(const struct entity_source *e, struct str name)
{
    for (int i = 0; i < e->n_ignored; i++)
        if (strcmp(e->ignored[i], "*") == 0 || str_is(name, e->ignored[i]))
            return true;
    return false;
}

static void check_columns(const struct entity_source *e, const struct csv_row *row, const struct csv_header *h,
                          struct arena *a, struct faults *faults)
{
    for (int i = 0; i < row->n; i++) {
        const char *shown = shown_name(row->cell[i], a);
        bool known = i == h->company_column;
        for (int f = 0; f < e->n_fields; f++)
            known = known || h->column[f] == i;
        for (int j = 0; j < i && row->cell[i].len; j++)
            if (str_eq(row->cell[i], row->cell[j]))
                faults_add(faults, a, REJECT_DUPLICATE_KEY, "line %lld: column %d%s is there twice",
                           (long long)row->line, i + 1, shown);
        if (row->cell[i].len && !known && !is_ignored(e, row->cell[i]))
            faults_add(faults, a, REJECT_UNKNOWN_VALUE,
                       "line %lld: column %d%s is not one of %s; name it under fields: or ignore:",
                       (long long)row->line, i + 1, shown, e->record->entity);
    }
}

/* Two places of one field: gross_cents and gross. */
static void check_fields(const struct source *source, const struct entity_source *e, const struct csv_row *row,
                         const struct csv_header *h, struct arena *a, struct faults *faults)
{
    for (int f = 0; f < e->n_fields; f++) {
        const struct field_map *map = &e->fields[f], *twin = NULL;
        if (f > 0 && e->fields[f - 1].field == map->field)
            continue;
        if (f + 1 < e->n_fields && e->fields[f + 1].field == map->field)
            twin = &e->fields[f + 1];
        bool there = h->column[f] >= 0 || (twin && h->column[f + 1] >= 0) || map->fallback;
        for (int i = 0; i < PATHS_MAX && map->at[i]; i++)
            there = there || is_template(map->at[i]);
        if (twin && h->column[f] >= 0 && h->column[f + 1] >= 0)
            faults_add(faults, a, REJECT_DUPLICATE_KEY, "line %lld: columns %s and %s, one of them expected",
                       (long long)row->line, map->at[0], twin->at[0]);
        if (!there && map->field->need != NEED_OPT && !e->fill)
            faults_add(faults, a, REJECT_MISSING_FIELD, "line %lld: column %s%s%s is missing (separator \"%c\")",
                       (long long)row->line, map->at[0], twin ? " or " : "", twin ? twin->at[0] : "",
                       source->separator);
    }
}

bool csv_header_bind(const struct source *source, const struct entity_source *e, const struct csv_row *row,
                     struct arena *a, struct csv_header *ret, struct faults *faults)
{
    uint32_t before = faults->n;
    *ret = (struct csv_header){.entity = e, .n_columns = row->n, .company_column = column_named(row, COMPANY_COLUMN)};
    ret->column = arena_alloc(a, sizeof *ret->column * ((size_t)e->n_fields + 1));
    ret->named = arena_alloc(a, sizeof *ret->named * ((size_t)row->n + 1));
    for (int i = 0; i < row->n; i++)
        ret->named[i] = row->cell[i].len > 0;
    for (int f = 0; f < e->n_fields; f++) {
        ret->column[f] = -1;
        for (int i = 0; i < PATHS_MAX && e->fields[f].at[i] && ret->column[f] < 0; i++)
            ret->column[f] = column_named(row, e->fields[f].at[i]);
    }
    if (e->shared && ret->company_column < 0)
        faults_add(faults, a, REJECT_MISSING_FIELD, "line %lld: column %s is missing; the file holds all companies",
                   (long long)row->line, COMPANY_COLUMN);
    check_fields(source, e, row, ret, a, faults);
    check_columns(e, row, ret, a, faults);
    return faults->n == before;
}

/* ---- rows ---- */

/* Cells last until the next row; only text is kept longer than that. */
static struct wire_value cell_value(const struct map_record *r, const struct csv_row *row, int column, bool keep)
{
    if (column < 0 || column >= row->n || row->cell[column].len == 0)
        return (struct wire_value){.is_null = true};
    struct str cell = row->cell[column];
    if (keep)
        cell.p = arena_copy(r->m->arena, cell.p, cell.len);
    return (struct wire_value){.text = cell, .is_string = true};
}

/* A list of ids in one cell: "a|b". */
static void texts_of(const struct map_record *r, const struct field_map *f, const struct wire_value *cell)
{
    struct wire_value values[LIST_MAX];
    uint32_t n = 0;
    if (wire_is_null(cell))
        return;
    const char *p = cell->text.p, *end = p + cell->text.len;
    while (p <= end && n < LIST_MAX) {
        const char *next = memchr(p, LIST_SEPARATOR, (size_t)(end - p));
        uint32_t len = (uint32_t)((next ? next : end) - p);
        values[n++] = (struct wire_value){.text = {p, len, false}, .is_string = true};
        p += len + 1;
    }
    if (p <= end)
        faults_add(r->target.faults, r->target.arena, REJECT_TOO_LONG, "%s: at most %d values expected", f->field->name,
                   LIST_MAX);
    map_texts(&r->target, f, values, n);
}

/* gross_cents has a twin, gross. */
static bool has_twin(const struct entity_source *e, int i)
{
    const struct field *f = e->fields[i].field;
    return (i > 0 && e->fields[i - 1].field == f) || (i + 1 < e->n_fields && e->fields[i + 1].field == f);
}

static void field_of(struct map_record *r, const struct csv_header *h, const struct csv_row *row, int i)
{
    const struct entity_source *e = h->entity;
    const struct field_map *f = &e->fields[i];
    struct wire_value candidates[PATHS_MAX];
    int n = 0;
    if (has_twin(e, i) && h->column[i] < 0)
        return;            /* the other one is there, or neither need be */
    candidates[n++] = cell_value(r, row, h->column[i], f->field->type == F_TEXT || f->field->type == F_TEXTS);
    for (int k = 0; k < PATHS_MAX && f->at[k]; k++)
        if (is_template(f->at[k]) && n < PATHS_MAX)
            candidates[n++] = map_template(r, f->at[k]);
    if (f->field->type == F_TEXTS)
        texts_of(r, f, &candidates[0]);
    else
        map_field(&r->target, f, candidates, n);
}

static void check_cells(struct map_record *r, const struct csv_header *h, const struct csv_row *row)
{
    struct arena *a = r->m->arena;
    if (row->n < h->n_columns)
        faults_add(&r->faults, a, REJECT_MISSING_FIELD, "%d cells, %d expected", row->n, h->n_columns);
    for (int i = 0; i < row->n; i++)
        if (row->cell[i].len && (i >= h->n_columns || !h->named[i]))
            faults_add(&r->faults, a, REJECT_OUT_OF_RANGE, "column %d: a value under no header", i + 1);
    if (h->company_column >= 0 && h->company_column < row->n &&
        !str_is(row->cell[h->company_column], r->m->company->id))
        faults_add(&r->faults, a, REJECT_UNKNOWN_COMPANY, "column %d, %s: %s expected", h->company_column + 1,
                   COMPANY_COLUMN, r->m->company->id);
}

/* Faults tell the column as well as the field. */
static void add_column(struct map_record *r, const struct csv_header *h, int field, uint32_t before)
{
    if (h->column[field] < 0)
        return;
    for (uint32_t i = before; i < r->faults.n; i++) {
        struct str *text = &r->faults.text[i];
        char *with = arena_printf(r->m->arena, "column %d, %.*s", h->column[field] + 1, (int)text->len, text->p);
        *text = str_of(with);
    }
}

void csv_row_map(struct mapping *m, const struct request *request, const struct csv_header *header, struct str source,
                 const struct csv_row *row)
{
    struct map_record r;
    struct origin origin = {.source = source, .raw = row->raw, .line = row->line};
    map_begin(&r, m, request, header->entity, &origin);
    check_cells(&r, header, row);
    for (int i = 0; i < header->entity->n_fields && row->n >= header->n_columns; i++) {
        uint32_t before = r.faults.n;
        field_of(&r, header, row, i);
        add_column(&r, header, i, before);
    }
    map_end(&r);
}

/* ---- a file of one company ---- */

struct csv_page {
    struct mapping *m;
    const struct request *request;
    const struct page *page;
    struct csv_header header;
    struct faults faults;
    bool bound;
    struct str header_raw;
    int64_t records;
};

static bool on_row(void *arg, const struct csv_row *row)
{
    struct csv_page *c = arg;
    if (c->bound) {
        csv_row_map(c->m, c->request, &c->header, c->page->url, row);
        c->records++;
        return map_goes_on(c->m, &c->faults);
    }
    c->header_raw = row->raw;
    c->bound = csv_header_bind(c->request->source, c->request->entity, row, &c->m->page, &c->header, &c->faults);
    return c->bound;
}

bool map_csv(struct mapping *m, const struct request *request, const struct page *page, int64_t *ret_records)
{
    struct csv_page c = {.m = m, .request = request, .page = page};
    char fault[CSV_FAULT_MAX] = "";
    struct str text;
    bool ok = csv_decode(page->body, request->source, m->arena, &text, fault) &&
              csv_rows(text, request->source->separator, 1, on_row, &c, fault);
    *ret_records = c.records;
    if (ok && c.bound)
        return true;
    if (c.faults.n == 0)
        faults_add(&c.faults, m->arena, fault[0] ? REJECT_WRONG_TYPE : REJECT_MISSING_FIELD, "%s",
                   fault[0] ? fault : "line 1: a header expected, the file is empty");
    for (uint32_t i = 0; i < c.faults.n; i++) /* they may lie in the page's arena */
        c.faults.text[i].p = arena_copy(m->arena, c.faults.text[i].p, c.faults.text[i].len);
    struct origin origin = {.entity = request->entity, .source = page->url, .raw = c.header_raw, .line = INT_NONE};
    map_reject(m, &origin, &c.faults);
    return false;
}
