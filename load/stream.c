/* From the staged files to COPY, a buffer at a time: memory is bounded by the index of one part and one line. */
#include <stdio.h>
#include <stdlib.h>

#include "load/base.h"
#include "load/copy.h"
#include "load/copying.h"
#include "load/diff.h"

enum { FORGET_BYTES = 128 << 10 };

/* A company of a part whose facts or discrepancies are to be copied. */
struct taken {
    struct company company;
    bool same, closed;
    const struct base_company *base;   /* its last load, as staged then; NULL: not to be had */
    int64_t rows;                      /* that will be its own in the scope of this run */
    const char *digest;
};

struct taken_part {
    struct part_in in;
    struct taken *v;
    size_t n, selected, differ;   /* differ: do not bring what their last load brought */
    struct arena arena;
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

/* One entity of one part; entity NULL: discrepancies. */
static bool copy_entity(struct load *l, const struct entity *entity, struct entity_load *into, struct taken_part *part,
                        int64_t *rows_done, struct err *err)
{
    struct rows r = {.entity = entity, .into = into, .part = &part->in,
                     .record = entity ? entity->record : &discrepancy_record};
    struct buf columns = {0};
    char destination[64];
    int64_t rows;
    copy_columns(r.record, 0, "", &columns);
    if (entity && !into->direct)
        buf_adds(&columns, ", past");
    if (entity && into->partition)
        snprintf(destination, sizeof destination, "%s", into->partition);
    else
        snprintf(destination, sizeof destination, "%s%s", entity && into->direct ? "payroll." : "new_", r.record->name);
    r.rec = mem_alloc(r.record->size);
    bool ok = copying_start(&r.copying, l, destination, buf_str(&columns), err);
    for (size_t i = 0; ok && i < part->n; i++) {
        ok = add_company(l, &r, &part->v[i], err);
        arena_reset(&r.arena);
    }
    ok = copying_end(&r.copying, ok, &rows, err);
    part_forget(r.part, r.record);
    if (ok && rows != r.sent)
        ok = err_set(err, ERR_DATA, "%s: %lld rows were sent, %lld arrived", r.record->entity, (long long)r.sent,
                     (long long)rows);
    *rows_done += rows;
    *(entity ? &into->sent : &l->discrepancy.seen) += rows;
    buf_free(&columns);
    arena_free(&r.arena);
    free(r.rec);
    return ok;
}

/* ---- parts ---- */

static bool has(const struct part_in *part, const struct record *r)
{
    for (int i = 0; i < part->n_files; i++)
        if (part->file[i].record == r)
            return true;
    return false;
}

/* What brought holds of the companies of the part. */
static bool copy_brought(struct load *l, const struct taken_part *part, struct err *err)
{
    struct copying c;
    int64_t rows;
    bool ok = copying_start(&c, l, "brought", "company_id, digest, rows, closed, based", err);
    for (size_t i = 0; ok && i < part->n; i++) {
        const struct taken *t = &part->v[i];
        if (t->same)
            continue;
        copy_values(5, &c.rows);
        copy_text(t->company.company_id, &c.rows);
        copy_text(str_of(t->digest), &c.rows);
        copy_integer(t->rows, &c.rows);
        copy_bool(t->closed, &c.rows);
        copy_bool(t->base, &c.rows);
        *(t->base ? &l->companies_based : &l->companies_whole) += 1;
        ok = copying_flush(&c, err);
    }
    return copying_end(&c, ok, &rows, err);
}

static bool copy_part(struct load *l, struct taken_part *part, int64_t *rows_done, struct err *err)
{
    if (!part_open_again(&part->in, &l->in, part->in.number, err))
        return false;
    bool ok = l->staged || !part->differ || (l->staged = merge_stage(l, err));
    for (int i = 0; ok && part->differ && i < n_entities; i++)
        if (has(&part->in, entities[i].record) || l->base)
            ok = copy_entity(l, &entities[i], &l->entity[i], part, rows_done, err);
    if (ok && has(&part->in, &discrepancy_record))
        ok = copy_entity(l, NULL, NULL, part, rows_done, err);
    ok = ok && copy_brought(l, part, err);
    part_close(&part->in);
    return ok;
}

bool stream_entities(struct load *l, struct err *err)
{
    struct taken_part part = {0};
    int64_t done = 0, rows = 0;
    bool ok = true;
    stage_progress(l->run, (long)(l->companies_ok + l->companies_failed));
    for (int number = 0; ok && number < l->in.n_parts; number++) {
        ok = !stage_stopped(err) && part_take(l, number, &part, err);
        done += (int64_t)part.selected;
        part.in.number = number;
        if (ok && part.n)
            ok = copy_part(l, &part, &rows, err);
        base_release(l->base);
        progress_step((long)done, rows);
    }
    progress_end();
    arena_free(&part.arena);
    return ok && stream_rejects(l, err);
}
