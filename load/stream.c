/* From the staged files to COPY, a buffer at a time: memory is bounded by the index of one part and one line. */
#include <stdio.h>
#include <stdlib.h>

#include "load/base.h"
#include "load/copy.h"
#include "load/copying.h"
#include "load/diff.h"

enum {
    FORGET_BYTES = 256 << 10,
    PARTS_TOGETHER = 4         /* in one COPY an entity: beginning and ending one takes the server as long as some 500 rows */
};

/* A company of a part whose facts or discrepancies are to be copied. */
struct taken {
    struct company company;
    bool same, closed;
    const struct base_company *base;   /* its last load, as staged then; NULL: not to be had */
    int64_t rows;                      /* that will be its own in the scope of this run */
    const char *digest;
};

struct taken_part {
    struct part_in in;         /* while its rows are copied */
    struct taken *v;
    size_t n, selected, differ;   /* differ: do not bring what their last load brought */
    struct arena arena;
};

/* Parts that follow each other. */
struct parts {
    struct taken_part v[PARTS_TOGETHER];
    int first, n;              /* first: the number of v[0] */
};

/* ---- the companies of a part ---- */

/* What a company's index line says of each entity goes into the totals of the run. */
static bool company_tally(struct load *l, const struct taken *t, struct err *err)
{
    for (uint32_t k = 0; k < t->company.ranges.n; k++) {
        const struct range *range = list_at(t->company.ranges, sizeof *range, k);
        for (int i = 0; i < n_entities; i++) {
            struct entity_load *e = &l->entity[i];
            if (!str_is(range->entity, entities[i].record->entity))
                continue;
            bool skip = t->closed && entities[i].scope == SCOPE_MONTH, brings = !skip && !t->same;
            *(skip ? &e->skipped : &e->rows) += range->rows;
            e->brought_rows += brings ? range->rows : 0;
            if ((!skip && !money_add(&e->cents, range->cents)) ||
                (brings && !money_add(&e->brought_cents, range->cents)))
                return err_set(err, ERR_DATA, "%s: the sum of cents is beyond 64 bits", entities[i].record->entity);
        }
    }
    return true;
}

/* Whether it brings what its last load brought, and where not, what that was. */
static bool compare_with_last(struct load *l, struct taken_part *part, struct taken *t, struct err *err)
{
    const struct known *known = load_known(l, t->company.company_id);
    t->same = known && strcmp(known->digest, t->digest) == 0;
    t->base = NULL;
    l->companies_same += t->same;
    part->differ += !t->same;
    if (t->same || !known)
        return true;
    if (!base_open(l, err))
        return false;
    t->base = base_find(l->base, t->company.company_id, t->closed, &part->arena);
    return true;
}

static bool part_take(struct load *l, int number, struct taken_part *ret, struct err *err)
{
    const struct staging_part_index *index = &l->in.part[number];
    struct str lines = {l->in.index.p + index->offset, (uint32_t)index->bytes, false}, line;
    if (!ahead_wait(l->ahead, number, err))
        return false;
    const struct ahead_company *ahead = ahead_companies(l->ahead, number);
    arena_reset(&ret->arena);
    ret->v = arena_alloc(&ret->arena, (size_t)index->companies * sizeof *ret->v);
    ret->n = ret->selected = ret->differ = 0;
    while (str_next_line(&lines, &line)) {
        struct taken *t = &ret->v[ret->n];
        struct faults faults = {0};
        if (!ndjson_decode(&company_record, line, &ret->arena, &t->company, &faults))
            return err_set(err, ERR_DATA, "%s/companies.ndjson: part %d: %.*s", l->in.path, number,
                           (int)faults.text[0].len, faults.text[0].p);
        if (!stage_selects(l->run, t->company.company_id))
            continue;
        ret->selected++;
        if (t->company.status != COMPANY_OK)
            continue;
        t->digest = ahead[ret->n++].digest;
        t->closed = company_set_has(&l->closed, t->company.company_id);
        if (!compare_with_last(l, ret, t, err) || !company_tally(l, t, err))
            return false;
    }
    return true;
}

/* ---- rows ---- */

/* An entity of a part under way. */
struct rows {
    struct copying copying;
    const struct entity *entity;   /* NULL: discrepancies */
    struct entity_load *into;
    const struct record *record;
    const struct part_in *part;
    void *rec;
    struct arena arena;
    int64_t sent;
    size_t read;                   /* bytes, since what was read was last forgotten */
};

static bool add_row(struct rows *r, const struct taken *t, struct str line, int64_t number, bool past, struct err *err)
{
    struct faults faults;
    faults.n = 0;
    r->sent++;
    if ((r->read += line.len) >= FORGET_BYTES) {
        r->read = 0;
        arena_reset(&r->arena);
        part_forget(r->part, r->record);
    }
    const struct str *id = &t->company.company_id;
    if (!ndjson_decode(r->record, line, &r->arena, r->rec, &faults))
        return err_set(err, ERR_DATA, "%s/%s-%04d.ndjson: company %.*s, its line %lld: %.*s", r->part->in->path,
                       r->record->entity, r->part->number, (int)id->len, id->p, (long long)number,
                       (int)faults.text[0].len, faults.text[0].p);
    if (!str_eq(*(const struct str *)r->rec, *id))   /* the first field of every record */
        return err_set(err, ERR_DATA, "%s/%s-%04d.ndjson: company %.*s, its line %lld is another company's",
                       r->part->in->path, r->record->entity, r->part->number, (int)id->len, id->p, (long long)number);
    bool compared = r->entity && !r->into->direct;
    copy_row(r->record, r->rec, 0, compared, &r->copying.rows);
    if (compared)
        copy_bool(past, &r->copying.rows);
    return copying_flush(&r->copying, err);
}

static bool in_scope(const struct load *l, const struct rows *r)
{
    month_t month = entity_month(r->entity, r->rec);
    if (r->entity->scope == SCOPE_COMPANY)
        return true;
    return r->entity->scope == SCOPE_MONTH ? month == l->run->opt.period
                                           : month >= l->window_first && month <= l->window_last;
}

/* A row of this run. */
static bool add_new(struct load *l, struct rows *r, struct taken *t, struct str line, int64_t number, struct err *err)
{
    if (!add_row(r, t, line, number, false, err))
        return false;
    if (r->entity)
        *(in_scope(l, r) ? &t->rows : &r->into->outside) += 1;
    return true;
}

static bool add_all(struct load *l, struct rows *r, struct taken *t, struct err *err)
{
    int64_t n = 0;
    struct str lines = part_lines(r->part, &t->company, r->record, NULL, NULL), line;
    while (str_next_line(&lines, &line))
        if (!add_new(l, r, t, line, ++n, err))
            return false;
    if (r->entity)
        r->into->arrived += n;
    return true;
}

/* What differs from the last load. */
static bool add_difference(struct load *l, struct rows *r, struct taken *t, struct err *err)
{
    struct line_diff diff;
    struct arena a = {0};
    int64_t before;
    struct str old_lines = part_lines(t->base->part, &t->base->company, r->record, &before, NULL);
    lines_diff(old_lines, part_lines(r->part, &t->company, r->record, NULL, NULL), &a, &diff);
    bool ok = true;
    for (size_t i = 0; ok && i < diff.n_gone; i++)
        ok = add_row(r, t, diff.gone[i], (int64_t)i + 1, true, err);
    for (size_t i = 0; ok && i < diff.n_come; i++)
        ok = add_new(l, r, t, diff.come[i], (int64_t)i + 1, err);
    t->rows += before - (int64_t)diff.n_gone;
    r->into->arrived += before - (int64_t)diff.n_gone + (int64_t)diff.n_come;
    r->into->past += (int64_t)diff.n_gone;
    arena_free(&a);
    return ok;
}

static bool add_company(struct load *l, struct rows *r, struct taken *t, struct err *err)
{
    if (!r->entity)
        return add_all(l, r, t, err);
    if (t->same || (t->closed && r->entity->scope == SCOPE_MONTH))
        return true;
    return t->base && !r->into->direct ? add_difference(l, r, t, err) : add_all(l, r, t, err);
}

/* An entity of one part. */
static bool copy_part(struct load *l, struct rows *r, struct taken_part *part, struct err *err)
{
    bool ok = true;
    r->part = &part->in;
    for (size_t i = 0; ok && i < part->n; i++) {
        ok = add_company(l, r, &part->v[i], err);
        arena_reset(&r->arena);
    }
    part_forget(r->part, r->record);
    return ok;
}

/* Where the rows of an entity go: table and columns. */
static bool begin_rows(struct load *l, struct rows *r, struct err *err)
{
    struct buf columns = {0};
    char destination[64];
    bool direct = r->entity && r->into->direct;
    copy_columns(r->record, 0, "", &columns);
    if (r->entity && !direct)
        buf_adds(&columns, ", past");
    if (r->entity && r->into->partition)
        snprintf(destination, sizeof destination, "%s", r->into->partition);
    else
        snprintf(destination, sizeof destination, "%s%s", direct ? "payroll." : "new_", r->record->name);
    bool ok = copying_start(&r->copying, l, destination, buf_str(&columns), err);
    buf_free(&columns);
    return ok;
}

/* entity NULL: discrepancies. */
static bool copy_entity(struct load *l, const struct entity *entity, struct entity_load *into, struct parts *parts,
                        int64_t *rows_done, struct err *err)
{
    struct rows r = {.entity = entity, .into = into, .record = entity ? entity->record : &discrepancy_record};
    int64_t rows;
    r.rec = mem_alloc(r.record->size);
    bool ok = begin_rows(l, &r, err);
    for (int i = 0; ok && i < parts->n; i++)
        ok = copy_part(l, &r, &parts->v[i], err);
    ok = copying_end(&r.copying, ok, &rows, err);
    if (ok && rows != r.sent)
        ok = err_set(err, ERR_DATA, "%s: %lld rows were sent, %lld arrived", r.record->entity, (long long)r.sent,
                     (long long)rows);
    *rows_done += rows;
    *(entity ? &into->sent : &l->discrepancy.seen) += rows;
    arena_free(&r.arena);
    free(r.rec);
    return ok;
}

/* ---- parts ---- */

static bool any_has(const struct parts *parts, const struct record *r)
{
    for (int i = 0; i < parts->n; i++)
        for (int k = 0; k < parts->v[i].in.n_files; k++)
            if (parts->v[i].in.file[k].record == r)
                return true;
    return false;
}

static size_t differing(const struct parts *parts)
{
    size_t n = 0;
    for (int i = 0; i < parts->n; i++)
        n += parts->v[i].differ;
    return n;
}

static bool add_brought(struct load *l, struct copying *c, const struct taken *t, struct err *err)
{
    copy_values(5, &c->rows);
    copy_text(t->company.company_id, &c->rows);
    copy_text(str_of(t->digest), &c->rows);
    copy_integer(t->rows, &c->rows);
    copy_bool(t->closed, &c->rows);
    copy_bool(t->base, &c->rows);
    *(t->base ? &l->companies_based : &l->companies_whole) += 1;
    return copying_flush(c, err);
}

/* What brought holds of the companies of these parts. */
static bool copy_brought(struct load *l, const struct parts *parts, struct err *err)
{
    struct copying c;
    int64_t rows;
    bool ok = copying_start(&c, l, "brought", "company_id, digest, rows, closed, based", err);
    for (int i = 0; i < parts->n; i++)
        for (size_t k = 0; ok && k < parts->v[i].n; k++)
            if (!parts->v[i].v[k].same)
                ok = add_brought(l, &c, &parts->v[i].v[k], err);
    return copying_end(&c, ok, &rows, err);
}

static bool copy_parts(struct load *l, struct parts *parts, int64_t *rows_done, struct err *err)
{
    bool ok = true, differ = differing(parts) > 0;
    for (int i = 0; ok && i < parts->n; i++)
        if (parts->v[i].n)     /* else none of its companies is selected: nothing to open it for */
            ok = part_open_again(&parts->v[i].in, &l->in, parts->first + i, err);
    ok = ok && (l->staged || !differ || (l->staged = merge_stage(l, err)));
    for (int i = 0; ok && differ && i < n_entities; i++)
        if (any_has(parts, entities[i].record) || l->base)
            ok = copy_entity(l, &entities[i], &l->entity[i], parts, rows_done, err);
    if (ok && any_has(parts, &discrepancy_record))
        ok = copy_entity(l, NULL, NULL, parts, rows_done, err);
    ok = ok && copy_brought(l, parts, err);
    for (int i = 0; i < parts->n; i++)
        part_close(&parts->v[i].in);
    return ok;
}

/* As many of the parts from `first` on as go together. */
static bool take_parts(struct load *l, int first, struct parts *ret, struct err *err)
{
    bool ok = true;
    ret->first = first;
    for (ret->n = 0; ok && ret->n < PARTS_TOGETHER && first + ret->n < l->in.n_parts; ret->n += ok)
        ok = !stage_stopped(err) && part_take(l, first + ret->n, &ret->v[ret->n], err);
    return ok;
}

bool stream_entities(struct load *l, struct err *err)
{
    struct parts *parts = mem_alloc(sizeof *parts);
    int64_t done = 0, rows = 0;
    bool ok = true;
    *parts = (struct parts){0};
    stage_progress(l->run, (long)(l->companies_ok + l->companies_failed));
    for (int first = 0; ok && first < l->in.n_parts; first += PARTS_TOGETHER) {
        ok = take_parts(l, first, parts, err) && copy_parts(l, parts, &rows, err);
        for (int i = 0; i < parts->n; i++)
            done += (int64_t)parts->v[i].selected;
        base_release(l->base);
        progress_step((long)done, rows);
    }
    progress_end();
    for (int i = 0; i < PARTS_TOGETHER; i++)
        arena_free(&parts->v[i].arena);
    free(parts);
    return ok && stream_rejects(l, err);
}
