#include "extract/map.h"

#include <stdlib.h>

/* ---- what a company's pages give ---- */

void mapping_begin(struct mapping *m, struct part *part, const struct config_company *company, struct arena *a)
{
    m->part = part;
    m->company = company;
    m->arena = a;
    m->read = m->rejected = m->repeated = m->passed_over = 0;
    for (int i = 0; i < m->n_rows; i++)
        m->rows[i].n = 0;
}

void mapping_free(struct mapping *m)
{
    for (int i = 0; i < m->n_rows; i++) {
        free(m->rows[i].rec);
        free(m->rows[i].origin);
    }
    m->n_rows = 0;
    arena_free(&m->page);
}

struct rows *mapping_rows(struct mapping *m, const struct record *record, bool fill)
{
    for (int i = 0; i < m->n_rows; i++)
        if (m->rows[i].record == record && m->rows[i].fill == fill)
            return &m->rows[i];
    m->rows[m->n_rows] = (struct rows){.record = record, .fill = fill};
    return &m->rows[m->n_rows++];
}

struct rows *mapping_find(struct mapping *m, const struct record *record)
{
    for (int i = 0; i < m->n_rows; i++)
        if (m->rows[i].record == record && !m->rows[i].fill)
            return &m->rows[i];
    return NULL;
}

/* Room for one more behind the n that are there. */
static void rows_reserve(struct rows *rows)
{
    if (rows->n < rows->cap)
        return;
    rows->cap = rows->cap ? rows->cap * 2 : 16;
    rows->rec = mem_realloc(rows->rec, rows->record->size * rows->cap);
    rows->origin = mem_realloc(rows->origin, sizeof *rows->origin * rows->cap);
}

/* ---- rejects ---- */

void map_reject(struct mapping *m, const struct origin *origin, const struct faults *faults)
{
    struct reject reject;
    record_init(&reject_record, &reject);
    reject.stage = STAGE_EXTRACT;
    reject.entity = str_of(origin->entity->record->entity);
    reject.company_id = m->company ? str_of(m->company->id) : STR_NULL;
    reject.reason = (uint8_t)faults->reason;
    reject.faults.v = arena_alloc(m->arena, sizeof *faults->text * (faults->n + 1));
    memcpy(reject.faults.v, faults->text, sizeof *faults->text * faults->n);
    reject.faults.n = faults->n;
    reject.source = origin->source;
    reject.line = origin->line;
    reject.raw = origin->raw;
    if (m->part)
        part_reject(m->part, &reject);
    if (m->log)
        reject_log_add(m->log, &reject);
}

bool map_goes_on(const struct mapping *m, struct faults *faults)
{
    if (m->rejected < REJECTS_MAX)
        return true;
    faults_add(faults, m->arena, REJECT_TOO_LONG, "%d records rejected: the rest is not read", REJECTS_MAX);
    return false;
}

/* ---- a record ---- */

void map_begin(struct map_record *r, struct mapping *m, const struct request *request, const struct entity_source *e,
               const struct origin *origin)
{
    r->rows = mapping_rows(m, e->record, e->fill);
    rows_reserve(r->rows);
    r->m = m;
    r->request = request;
    r->entity = e;
    r->origin = *origin;
    r->faults.n = 0;
    r->target = (struct map_target){
        .rec = rows_at(r->rows, r->rows->n), .faults = &r->faults, .arena = m->arena,
        .decimal_point = request->source->decimal_point, .partial = e->fill || e->record == &company_record,
    };
    record_init(e->record, r->target.rec);
    struct str *company_id = (void *)((char *)r->target.rec + e->record->fields[0].offset);
    *company_id = str_of(m->company->id);
}

/* A list asked for by month that answers with another month would have its money counted twice. */
static void check_month(struct map_record *r)
{
    month_t asked = r->request->month;
    for (uint32_t i = 0; asked != MONTH_NONE && i < r->entity->record->n_fields; i++) {
        const struct field *f = &r->entity->record->fields[i];
        if (f->type != F_MONTH)
            continue;
        if (r->entity->record == &payroll_period_record)
            asked += r->request->source->month_shift;
        month_t found = *(month_t *)(void *)((char *)r->target.rec + f->offset);
        char text[MONTH_TEXT_MAX];
        if (found != MONTH_NONE && found != asked)
            faults_add(&r->faults, r->m->arena, REJECT_OUT_OF_RANGE, "%s: %s was asked for", f->name,
                       month_text(asked, text));
        return;
    }
}

void map_end(struct map_record *r)
{
    struct mapping *m = r->m;
    check_month(r);
    if (r->faults.n == 0) {
        r->rows->origin[r->rows->n] = r->origin;
        r->rows->origin[r->rows->n++].entity = r->entity;
        m->read += !r->entity->fill;
        return;
    }
    if (r->entity->fill)
        return;            /* the record of the page that it belongs to tells the same */
    m->read++;
    if (r->origin.spare) {
        m->passed_over++;
        return;
    }
    m->rejected++;
    r->origin.entity = r->entity;
    map_reject(m, &r->origin, &r->faults);
}

struct wire_value map_template(const struct map_record *r, const char *template)
{
    char *text = source_fill(template, r->request, false, r->m->arena);
    return (struct wire_value){.text = str_of(text), .is_string = true, .is_null = text[0] == '\0'};
}

/* ---- a field ---- */

static bool has_content(const struct map_target *t, const struct field_map *f, const struct wire_value *v)
{
    if (!v->is_null && !v->is_string && !v->is_number && !v->is_bool) {
        faults_add(t->faults, t->arena, REJECT_WRONG_TYPE, "%s: %s expected", f->field->name, wire_type_names[f->type]);
        return true;
    }
    return !wire_is_null(v);
}

void map_field(const struct map_target *t, const struct field_map *f, const struct wire_value *candidates, int n)
{
    for (int i = 0; i < n; i++) {
        if (!has_content(t, f, &candidates[i]))
            continue;
        if (candidates[i].text.p)
            map_value(f, &candidates[i], t->decimal_point, t->arena, t->rec, t->faults);
        return;
    }
    if (f->fallback) {
        struct field_map plain = {.field = f->field, .type = wire_type_default(f->field)};
        struct wire_value v = {.text = str_of(f->fallback), .is_string = true};
        map_value(&plain, &v, '.', t->arena, t->rec, t->faults);
    } else if (f->field->need != NEED_OPT && !t->partial) {
        faults_add(t->faults, t->arena, REJECT_MISSING_FIELD, "%s: missing", f->field->name);
    }
}

void map_texts(const struct map_target *t, const struct field_map *f, const struct wire_value *values, uint32_t n)
{
    struct list *list = (void *)((char *)t->rec + f->field->offset);
    struct str *text = arena_alloc(t->arena, sizeof *text * ((size_t)n + 1));
    struct field one = *f->field;
    struct field_map plain = {.field = &one, .type = WIRE_TEXT};
    one.type = F_TEXT;
    list->v = text;
    list->n = 0;
    for (uint32_t i = 0; i < n; i++) {
        one.offset = 0;
        if (has_content(t, f, &values[i]) && values[i].text.p &&
            map_value(&plain, &values[i], t->decimal_point, t->arena, &text[list->n], t->faults))
            list->n++;
    }
}

bool map_page(struct mapping *m, const struct request *request, const struct page *page, int64_t *ret_records)
{
    *ret_records = 0;
    arena_reset(&m->page);
    return request->source->kind == SOURCE_CSV ? map_csv(m, request, page, ret_records)
                                               : map_json(m, request, page, ret_records);
}
