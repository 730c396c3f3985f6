#include "extract/finish.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/nir.h"

/* ---- ids ---- */

/* The id of a record is the field behind company_id; pay is told apart by employment and month. Companies have none:
 * every source says something of the same one. */
static int key_fields(const struct record *record)
{
    return record == &company_record ? 0 : record == &pay_base_record ? 2 : 1;
}

static const void *value_at(const struct field *f, const void *rec)
{
    return (const char *)rec + f->offset;
}

static int compare_field(const struct field *f, const void *a, const void *b)
{
    if (f->type == F_TEXT)
        return str_cmp(*(const struct str *)value_at(f, a), *(const struct str *)value_at(f, b));
    month_t x = *(const month_t *)value_at(f, a), y = *(const month_t *)value_at(f, b);
    return (x > y) - (x < y);
}

static int compare_ids(const struct record *record, const void *a, const void *b)
{
    int order = 0;
    for (int i = 1; i <= key_fields(record) && !order; i++)
        order = compare_field(&record->fields[i], a, b);
    return order;
}

struct place {
    const struct rows *rows;
    uint32_t i;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int order = compare_ids(x->rows->record, rows_at(x->rows, x->i), rows_at(y->rows, y->i));
    return order ? order : (x->i > y->i) - (x->i < y->i);
}

static bool rows_in_order(const struct rows *rows)
{
    for (uint32_t i = 1; i < rows->n; i++)
        if (compare_ids(rows->record, rows_at(rows, i - 1), rows_at(rows, i)) > 0)
            return false;
    return true;
}

/* Sources mostly give records by id: those stay where they are. */
static void rows_sort(struct rows *rows)
{
    size_t size = rows->record->size;
    if (rows_in_order(rows))
        return;
    struct place *place = mem_alloc(sizeof *place * rows->n);
    char *rec = mem_alloc(size * rows->n);
    struct origin *origin = mem_alloc(sizeof *origin * rows->n);
    for (uint32_t i = 0; i < rows->n; i++)
        place[i] = (struct place){rows, i};
    qsort(place, rows->n, sizeof *place, compare_places);
    for (uint32_t i = 0; i < rows->n; i++) {
        memcpy(rec + size * i, rows_at(rows, place[i].i), size);
        origin[i] = rows->origin[place[i].i];
    }
    free(place);
    free(rows->rec);
    free(rows->origin);
    rows->rec = rec;
    rows->origin = origin;
    rows->cap = rows->n;
}

void *rows_find(const struct rows *rows, struct str id)
{
    uint32_t low = 0, high = rows ? rows->n : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        void *rec = rows_at(rows, middle);
        int order = str_cmp(*(const struct str *)value_at(&rows->record->fields[1], rec), id);
        if (order == 0)
            return rec;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- two records of one id ---- */

static bool same_value(const struct field *f, const void *a, const void *b);

static bool same_record(const struct record *record, const void *a, const void *b)
{
    for (uint32_t i = 0; i < record->n_fields; i++)
        if (!same_value(&record->fields[i], a, b))
            return false;
    return true;
}

static bool same_list(const struct field *f, const struct list *x, const struct list *y)
{
    bool same = x->n == y->n;
    for (uint32_t i = 0; i < x->n && same; i++) {
        if (f->type == F_LIST)
            same = same_record(f->sub, list_at(*x, f->sub->size, i), list_at(*y, f->sub->size, i));
        else
            same = str_eq(((const struct str *)x->v)[i], ((const struct str *)y->v)[i]);
    }
    return same;
}

static bool same_value(const struct field *f, const void *a, const void *b)
{
    const void *x = value_at(f, a), *y = value_at(f, b);
    switch (f->type) {
    case F_TEXT: return str_eq(*(const struct str *)x, *(const struct str *)y);
    case F_ENUM:
    case F_BOOL: return memcmp(x, y, 1) == 0;
    case F_DATE:
    case F_MONTH: return memcmp(x, y, sizeof(date_t)) == 0;
    case F_CENTS:
    case F_PPM:
    case F_COUNT:
    case F_INSTANT: return memcmp(x, y, sizeof(int64_t)) == 0;
    case F_TEXTS:
    case F_LIST: break;
    }
    return same_list(f, x, y);
}

static bool is_null(const struct field *f, const void *rec)
{
    const void *v = value_at(f, rec);
    switch (f->type) {
    case F_TEXT: return !((const struct str *)v)->p;
    case F_ENUM: return *(const uint8_t *)v == 0;
    case F_BOOL: return *(const int8_t *)v < 0;
    case F_DATE:
    case F_MONTH: return *(const date_t *)v == DATE_NONE;
    case F_CENTS:
    case F_PPM:
    case F_COUNT:
    case F_INSTANT: return *(const int64_t *)v == INT_NONE;
    case F_TEXTS:
    case F_LIST: break;
    }
    return ((const struct list *)v)->n == 0;
}

static size_t field_size(const struct field *f)
{
    switch (f->type) {
    case F_TEXT: return sizeof(struct str);
    case F_ENUM:
    case F_BOOL: return 1;
    case F_DATE:
    case F_MONTH: return sizeof(date_t);
    case F_CENTS:
    case F_PPM:
    case F_COUNT:
    case F_INSTANT: return sizeof(int64_t);
    case F_TEXTS:
    case F_LIST: break;
    }
    return sizeof(struct list);
}

static void take_if_null(const struct field *f, void *rec, const void *other)
{
    if (is_null(f, rec))
        memcpy((char *)rec + f->offset, value_at(f, other), field_size(f));
}

static int compare_texts(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The ids of both, each once, in order. */
static void unite(const struct field *f, void *rec, const void *other, struct arena *a)
{
    struct list *list = (void *)((char *)rec + f->offset);
    const struct list *more = value_at(f, other);
    struct str *all = arena_alloc(a, sizeof *all * ((size_t)list->n + more->n + 1));
    uint32_t n = 0;
    if (list->n)
        memcpy(all, list->v, sizeof *all * list->n);
    if (more->n)
        memcpy(all + list->n, more->v, sizeof *all * more->n);
    qsort(all, list->n + more->n, sizeof *all, compare_texts);
    for (uint32_t i = 0; i < list->n + more->n; i++)
        if (n == 0 || !str_eq(all[n - 1], all[i]))
            all[n++] = all[i];
    list->v = all;
    list->n = n;
}

/* Whether two records of one id can be one: they differ only where the description lets them, or where one of such an
 * entity knows nothing. The field that stands against it is told. */
static bool can_merge(const struct origin *origin, const struct record *record, const void *a, const void *b,
                      const char **ret_field)
{
    bool merges = false;
    for (uint32_t i = 0; i < record->n_fields; i++)
        merges = merges || origin->entity->merge[i];
    for (uint32_t i = 0; i < record->n_fields; i++) {
        const struct field *f = &record->fields[i];
        bool lacking = merges && (is_null(f, a) || is_null(f, b));
        if (!same_value(f, a, b) && !origin->entity->merge[i] && !lacking) {
            *ret_field = f->name;
            return false;
        }
    }
    return true;
}

static void merge(const struct origin *origin, const struct record *record, void *rec, const void *other,
                  struct arena *a)
{
    for (uint32_t i = 0; i < record->n_fields; i++) {
        const struct field *f = &record->fields[i];
        if (f->type == F_TEXTS && origin->entity->merge[i])
            unite(f, rec, other, a);
        else
            take_if_null(f, rec, other);
    }
}

/* A company's payroll month is closed when it is for all its establishments, at the last of their instants. */
static void merge_period(struct payroll_period *period, const struct payroll_period *other)
{
    if (period->status == PERIOD_OPEN || other->status == PERIOD_OPEN) {
        period->status = PERIOD_OPEN;
        period->closed_at = INSTANT_NONE;
    } else if (other->closed_at > period->closed_at) {
        period->closed_at = other->closed_at;
    }
}

__attribute__((format(printf, 4, 5)))
static void reject_row(struct mapping *m, const struct origin *origin, enum reject_reason reason, const char *format,
                       ...)
{
    struct faults faults = {0};
    char text[256];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    faults_add(&faults, m->arena, reason, "%s", text);
    map_reject(m, origin, &faults);
    m->rejected++;
}

/* Makes one of rec and the record behind it with the same id; the later of two that cannot be one is rejected. */
static void join_rows(struct mapping *m, const struct rows *rows, uint32_t first, uint32_t later)
{
    void *rec = rows_at(rows, first), *other = rows_at(rows, later);
    const struct origin *origin = &rows->origin[later];
    const char *field;
    bool spare = rows->origin[first].spare && origin->spare;
    if (rows->record == &payroll_period_record) {
        merge_period(rec, other);
    } else if (can_merge(origin, rows->record, rec, other, &field)) {
        merge(origin, rows->record, rec, other, m->arena);
    } else {
        reject_row(m, origin, REJECT_DUPLICATE_ID, "%s: there is another one with this id and another %s",
                   rows->record->fields[1].name, field);
        return;
    }
    rows->origin[first].spare = spare;
    m->repeated++;
}

/* Takes rows away that are marked by a null entity. */
static void rows_compact(struct rows *rows)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < rows->n; i++) {
        if (!rows->origin[i].entity)
            continue;
        if (n != i) {
            memcpy(rows_at(rows, n), rows_at(rows, i), rows->record->size);
            rows->origin[n] = rows->origin[i];
        }
        n++;
    }
    rows->n = n;
}

static void rows_unique(struct mapping *m, struct rows *rows)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < rows->n; i++) {
        if (compare_ids(rows->record, rows_at(rows, first), rows_at(rows, i)) != 0) {
            first = i;
            continue;
        }
        join_rows(m, rows, first, i);
        rows->origin[i].entity = NULL;
    }
    rows_compact(rows);
}

/* ---- records that complete or refer to others ---- */

/* Fills what is null from the rows first..end-1 of one id, but for fields on which they do not agree: which of two
 * social security numbers is right is not for a program to choose. */
static void fill_from(const struct rows *filling, uint32_t first, uint32_t end, void *rec)
{
    const struct record *record = filling->record;
    for (uint32_t k = 2; k < record->n_fields; k++) {
        const struct field *f = &record->fields[k];
        const void *from = NULL;
        bool agree = true;
        for (uint32_t i = first; i < end; i++) {
            const void *other = rows_at(filling, i);
            if (is_null(f, other))
                continue;
            agree = agree && (!from || same_value(f, from, other));
            from = other;
        }
        if (from && agree)
            take_if_null(f, rec, from);
    }
}

static void rows_fill(const struct rows *rows, const struct rows *filling)
{
    for (uint32_t first = 0, end; first < filling->n; first = end) {
        const void *from = rows_at(filling, first);
        for (end = first + 1; end < filling->n && compare_ids(filling->record, from, rows_at(filling, end)) == 0;)
            end++;
        void *rec = rows_find(rows, *(const struct str *)value_at(&filling->record->fields[1], from));
        if (rec)
            fill_from(filling, first, end, rec);
    }
}

static bool is_read(const struct source *sources, int n, const bool *unread, const struct record *record)
{
    for (int s = 0; s < n; s++)
        for (int e = 0; e < sources[s].n_entities; e++)
            if (!unread[s] && sources[s].entities[e].record == record)
                return true;
    return false;
}

/* Rejects what refers to nothing; what is referred to is no longer spare. */
static void check_references(struct mapping *m, const struct record *record, size_t offset, const char *name,
                             const struct record *target)
{
    struct rows *rows = mapping_find(m, record);
    const struct rows *targets = mapping_find(m, target);
    for (uint32_t i = 0; rows && i < rows->n; i++) {
        const struct str *id = (const void *)((const char *)rows_at(rows, i) + offset);
        const char *found = rows_find(targets, *id);
        if (found) {
            targets->origin[(size_t)(found - targets->rec) / target->size].spare = false;
            continue;
        }
        reject_row(m, &rows->origin[i], REJECT_UNKNOWN_VALUE, "%s: no such %s was read", name, target->name);
        rows->origin[i].entity = NULL;
    }
    if (rows)
        rows_compact(rows);
}

static void check_sirets(struct mapping *m)
{
    struct rows *rows = mapping_find(m, &employment_record);
    for (uint32_t i = 0; rows && i < rows->n; i++) {
        const struct employment *e = rows_at(rows, i);
        if (siret_parse(e->siret, NULL))
            continue;
        reject_row(m, &rows->origin[i], REJECT_UNKNOWN_VALUE, "siret: the 14 digits of a SIRET expected");
        rows->origin[i].entity = NULL;
    }
    if (rows)
        rows_compact(rows);
}

/* Tranches of the year so far may well be negative, the pay of a month may not. */
static void check_pay(struct mapping *m)
{
    struct rows *rows = mapping_find(m, &pay_base_record);
    for (uint32_t i = 0; rows && i < rows->n; i++) {
        const struct pay_base *base = rows_at(rows, i);
        if (base->gross_cents >= 0)
            continue;
        reject_row(m, &rows->origin[i], REJECT_OUT_OF_RANGE, "gross_cents: expected no negative pay");
        rows->origin[i].entity = NULL;
    }
    if (rows)
        rows_compact(rows);
}

static void drop_spares(struct mapping *m, struct rows *rows)
{
    for (uint32_t i = 0; i < rows->n; i++) {
        if (!rows->origin[i].spare)
            continue;
        rows->origin[i].entity = NULL;
        m->passed_over++;
    }
    rows_compact(rows);
}

void mapping_finish(struct mapping *m, const struct source *sources, int n_sources, const bool *unread)
{
    for (int i = 0; i < m->n_rows; i++) {
        if (m->rows[i].record == &company_record)
            continue;
        rows_sort(&m->rows[i]);
        if (!m->rows[i].fill)
            rows_unique(m, &m->rows[i]);
    }
    for (int i = 0; i < m->n_rows; i++)
        if (m->rows[i].fill)
            rows_fill(mapping_find(m, m->rows[i].record), &m->rows[i]);
    check_sirets(m);
    check_pay(m);
    if (is_read(sources, n_sources, unread, &employee_record))
        check_references(m, &employment_record, offsetof(struct employment, employee_id), "employee_id",
                         &employee_record);
    if (is_read(sources, n_sources, unread, &employment_record))
        check_references(m, &pay_base_record, offsetof(struct pay_base, employment_id), "employment_id",
                         &employment_record);
    if (is_read(sources, n_sources, unread, &invoice_record))
        check_references(m, &invoice_line_record, offsetof(struct invoice_line, invoice_id), "invoice_id",
                         &invoice_record);
    for (int i = 0; i < m->n_rows; i++)
        if (!m->rows[i].fill)
            drop_spares(m, &m->rows[i]);
}
